//! To which open visit a request for an asset belongs.

use crate::clock::Tick;
use crate::observation::Visit;
use crate::site::Site;
use crate::visit::OpenVisit;
use crate::visits::Visits;

/// Facts of a request for an asset. Names are keyed hashes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requester {
    pub(crate) site: Site,
    pub(crate) client: u64,
    pub(crate) connection: Option<u64>,
    pub(crate) referrer: Named,
    pub(crate) asked: Tick,
}

/// The page or site that a `Referer` names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named {
    Nothing,
    Origin,
    Path {
        /// As a page, with what tells pages apart of its query.
        page: u64,
        /// As an asset, with its whole query.
        asset: u64,
        path: u64,
        /// It is `/`, as a page that gives away only its origin sends it.
        is_root: bool,
    },
}

/// Why a request belongs to no visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unattributed {
    /// Several visits may have made it.
    Ambiguous,
    /// No open visit fits.
    NoVisit,
}

/// The visit that a request belongs to, and whether the request names its page in full.
///
/// That is the client's visit of the page that the request names; else the one that fetched the
/// stylesheet or script that it names; else the only one of that path. A request that names no page
/// belongs to the visit of its connection, or where connections say nothing to the client's only
/// one, unless that visit's requests are known to name their page. Of two candidates it is neither.
pub(crate) fn attribute(visits: &Visits, request: &Requester) -> Result<(Visit, bool), Unattributed> {
    let mine = || visits.of_client(request.client).filter(|(_, visit)| visit.site == request.site);
    match request.referrer {
        Named::Nothing => nameless(visits, request, false).map(|visit| (visit, false)),
        Named::Origin => nameless(visits, request, true).map(|visit| (visit, false)),
        Named::Path { page, asset, path, is_root } => {
            if let Some((visit, _)) = mine().find(|(_, visit)| visit.page == page) {
                return Ok((visit, true));
            }
            let here = |visit: &OpenVisit| request.connection.is_some() && visit.connection == request.connection;
            let parents = || mine().filter(|(_, visit)| visit.is_parent(asset));
            if let Some((visit, _)) = parents().find(|(_, visit)| here(visit)) {
                return Ok((visit, false));
            }
            match only(parents()).or_else(|_| only(mine().filter(|(_, visit)| visit.path_hash == path))) {
                Ok(visit) => Ok((visit, false)),
                Err(Unattributed::NoVisit) if is_root => nameless(visits, request, true).map(|visit| (visit, false)),
                Err(reason) => Err(reason),
            }
        }
    }
}

/// The visit of a request that names no page, or with `origin` that of one that names its origin.
fn nameless(visits: &Visits, request: &Requester, origin: bool) -> Result<Visit, Unattributed> {
    let of_site = |visit: &(Visit, &OpenVisit)| visit.1.site == request.site;
    let candidate = match request.connection {
        Some(_) => only(visits.of_connection(request.connection).filter(of_site))?,
        None => only(visits.of_client(request.client).filter(of_site))?,
    };
    let visit = visits.get(candidate).ok_or(Unattributed::NoVisit)?;
    if origin && visit.names_itself() {
        return Err(Unattributed::NoVisit);
    }
    if visit.contested_until > request.asked {
        return Err(Unattributed::Ambiguous);
    }
    Ok(candidate)
}

fn only<'a>(mut candidates: impl Iterator<Item = (Visit, &'a OpenVisit)>) -> Result<Visit, Unattributed> {
    let (visit, _) = candidates.next().ok_or(Unattributed::NoVisit)?;
    if candidates.next().is_some() { Err(Unattributed::Ambiguous) } else { Ok(visit) }
}
