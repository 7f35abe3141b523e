//! Page views, put together from the requests of a log.

use std::collections::HashMap;

use headstart::learn::ClientClass;

use crate::names::NameId;

/// A page view: who saw what, and what it pulled in.
#[derive(Debug)]
pub(crate) struct View {
    /// Milliseconds since 1970.
    pub(crate) time: u64,
    pub(crate) client: u64,
    pub(crate) network: u64,
    pub(crate) class: ClientClass,
    /// The page with its query.
    pub(crate) page: NameId,
    /// The page without it.
    pub(crate) path: NameId,
    /// Distinct, in the order of the log.
    pub(crate) assets: Vec<Loaded>,
}

/// An asset of a view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loaded {
    pub(crate) time: u64,
    pub(crate) name: NameId,
    pub(crate) bytes: u64,
    /// Answered 304: needed, and held.
    pub(crate) not_modified: bool,
}

/// A line of a log that counts.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) time: u64,
    pub(crate) client: u64,
    pub(crate) network: u64,
    pub(crate) class: ClientClass,
    /// The target with its query.
    pub(crate) name: NameId,
    /// The target without it.
    pub(crate) path: NameId,
    pub(crate) is_asset: bool,
    pub(crate) bytes: u64,
    /// Answered 304.
    pub(crate) not_modified: bool,
    /// The name that was asked for, if the log says it.
    pub(crate) host: Option<NameId>,
    pub(crate) referer: Option<Named>,
}

/// The page that a Referer names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) host: NameId,
    /// The target with its query.
    pub(crate) target: NameId,
    /// The target without it.
    pub(crate) path: NameId,
}

/// Assets of one view; further ones are left out, as the learner leaves them out of a page.
const MAX_ASSETS: usize = 256;

/// Views while they are put together.
pub(crate) struct Assembly {
    window: u64,
    pub(crate) views: Vec<View>,
    by_client: HashMap<u64, Vec<usize>>,
}

impl Assembly {
    pub(crate) fn new(window: u64) -> Self {
        Self { window, views: Vec::new(), by_client: HashMap::new() }
    }

    /// Pages come in order of time.
    pub(crate) fn page(&mut self, request: &Request) {
        let known = self.by_client.entry(request.client).or_default();
        let again = known
            .iter()
            .rev()
            .map_while(|at| self.views.get(*at))
            .take_while(|view| request.time.saturating_sub(view.time) <= self.window)
            .any(|view| view.page == request.name);
        if again {
            return;
        }
        known.push(self.views.len());
        self.views.push(View {
            time: request.time,
            client: request.client,
            network: request.network,
            class: request.class,
            page: request.name,
            path: request.path,
            assets: Vec::new(),
        });
    }

    pub(crate) fn asset_of_page(&mut self, request: &Request, page: NameId) -> bool {
        self.attach(request, |view| view.page == page)
    }

    /// Adds an asset to a view of a page of this path, whatever its query: the page may let its requests name less.
    pub(crate) fn asset_of_path(&mut self, request: &Request, path: NameId) -> bool {
        self.attach(request, |view| view.path == path)
    }

    pub(crate) fn asset_of_asset(&mut self, request: &Request, parent: NameId) -> bool {
        self.attach(request, |view| view.assets.iter().any(|asset| asset.name == parent))
    }

    /// Adds an asset to the nearest view of its client that `matches`, within the window. Looks at the views of the window
    /// alone, so a log of one client costs no more than one of many.
    fn attach(&mut self, request: &Request, matches: impl Fn(&View) -> bool) -> bool {
        let mine = self.by_client.get(&request.client).map(Vec::as_slice).unwrap_or_default();
        let before = |at: &usize, time: u64| self.views.get(*at).is_some_and(|view| view.time < time);
        let start = mine.partition_point(|at| before(at, request.time.saturating_sub(self.window)));
        let end = mine.partition_point(|at| before(at, request.time.saturating_add(self.window).saturating_add(1)));
        let mine = mine.get(start..end).unwrap_or_default();
        let distance = |at: &usize| {
            let view = self.views.get(*at).filter(|view| matches(view))?;
            let after = request.time >= view.time;
            let distance = view.time.abs_diff(request.time);
            (distance <= self.window).then_some((!after, distance, *at))
        };
        let Some((_, _, at)) = mine.iter().filter_map(distance).min() else { return false };
        let known = |view: &View| {
            view.page == request.name
                || view.path == request.name
                || view.assets.iter().any(|asset| asset.name == request.name)
        };
        let fits = |view: &View| view.assets.len() < MAX_ASSETS && !known(view);
        if let Some(view) = self.views.get_mut(at).filter(|view| fits(view)) {
            let Request { time, name, bytes, not_modified, .. } = *request;
            view.assets.push(Loaded { time, name, bytes, not_modified });
        }
        true
    }
}
