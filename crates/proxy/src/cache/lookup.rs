//! One request's view of the cache: the entry it finds, the request it waits for, and the response it brings.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use headstart_policy::{EarlyHints, Pushed};
use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{Method, Response, StatusCode, response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Duration, Instant, timeout_at};

use super::entry::{Entry, Keepable, take_conditions};
use super::fills::{Coalesced, Fill, Filled, Role};
use super::store::{Cache, Found, MAX_BODY, MAX_VARIANTS};
use crate::config::{Caching, Config};
use crate::{cookies, forwarded};

/// How long a request waits for what another one brings; then it asks the upstream itself. 5 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// The key of a response, beside the path.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Tells the responses of one upstream from those of others.
    pub(crate) upstream: &'a str,
    /// The scheme, and what else the upstream is told.
    pub(crate) told: &'a str,
    /// The authority that the client asked for.
    pub(crate) authority: &'a str,
}

/// A request that the cache may answer, or that makes untrue what is in it.
pub(crate) struct Lookup {
    cache: Cache,
    key: Arc<str>,
    use_for: Caching,
    /// The client sent a cookie that may say who it is.
    has_cookie: bool,
    /// Others wait for what this one brings.
    fill: Option<Fill>,
    /// The entry that the cache may not give without asking.
    stale: Option<Entry>,
    /// The client's own condition, if the upstream is asked about `stale` instead.
    held: Option<HeaderMap>,
}

/// The use of a response to a request that the cache did not answer.
pub(crate) enum Noted {
    /// It is passed on, and kept if there is something to fill.
    Passes(Option<Box<Storing>>),
    /// This is answered instead.
    Answered(Response<Bytes>),
}

impl Lookup {
    /// `None` if it has nothing to do with it: what content asks for is nobody else's.
    pub(crate) fn new(
        cache: &Cache,
        config: &Config,
        target: Target<'_>,
        head: &Parts,
        has_content: bool,
    ) -> Option<Self> {
        let caching = config.cache;
        let eligible = match caching {
            Caching::Off => return None,
            Caching::Pushes => head.extensions.get::<Pushed>().is_some(),
            Caching::Assets | Caching::All => true,
        };
        let reads = !has_content
            && matches!(head.method, Method::GET | Method::HEAD)
            && ![header::AUTHORIZATION, header::RANGE, header::IF_MATCH, header::IF_UNMODIFIED_SINCE]
                .iter()
                .any(|name| head.headers.contains_key(name));
        // An unsafe method may have changed what is stored for its URI (RFC 9111, section 4.4).
        let changes = !head.method.is_safe();
        if !eligible || !(reads || changes) {
            return None;
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let Target { upstream, told, authority } = target;
        let key = format!("{upstream}\n{told}\n{authority}\n{path}").into();
        let has_cookie =
            head.headers.get_all(header::COOKIE).iter().any(|cookies| !cookies::are_own(cookies, &config.own_cookies));
        Some(Lookup { cache: cache.clone(), key, use_for: caching, has_cookie, fill: None, stale: None, held: None })
    }

    /// The stored response, if it may be given without asking. Else what is stale is kept in mind.
    pub(crate) fn find(&mut self, head: &Parts) -> Option<Response<Bytes>> {
        let now = self.cache.now();
        match self.cache.find(&self.key, head, now) {
            Found::Fresh(stored) => Some(stored.answer(&head.headers, &head.method, now)),
            Found::Stale(stored) => {
                self.stale = Some(stored);
                None
            }
            Found::Nothing => None,
        }
    }

    /// The stale response, if it may be shown while somebody asks for a fresh one.
    pub(crate) fn find_stale(&self, head: &Parts) -> Option<Response<Bytes>> {
        let now = self.cache.now();
        let stale = self.stale.as_ref().filter(|stale| !wants_fresh(head) && stale.serves_while_revalidated(now))?;
        Some(stale.answer(&head.headers, &head.method, now))
    }

    /// The role of this request beside others for the same entry; if it leads, it is the one that they wait for.
    pub(crate) fn join(&mut self, head: &Parts) -> Option<Coalesced> {
        if wants_fresh(head) || (self.use_for == Caching::Assets && !may_be_asset(head)) {
            return None;
        }
        let has_conditions =
            [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| head.headers.contains_key(name));
        // A 304 for one client's copy would be of no use to the others.
        let may_lead = head.method == Method::GET
            && (!has_conditions || self.stale.as_ref().is_some_and(|stale| stale.has_validator()));
        match self.cache.0.fills.join(&self.key, may_lead, Instant::now()) {
            Role::Leader(fill) => self.fill = Some(fill),
            Role::Coalesced(coalesced) => return Some(coalesced),
            Role::Alone => {}
        }
        None
    }

    pub(crate) fn leads(&self) -> bool {
        self.fill.is_some()
    }

    /// The request that brings a fresh response, made of one that got a stale one; `None` if that is under way.
    pub(crate) fn refreshing(&mut self, mut head: Parts) -> Option<Parts> {
        head.method = Method::GET;
        head.extensions.remove::<EarlyHints>();
        take_conditions(&mut head.headers);
        let coalesced = self.join(&head);
        (coalesced.is_none() && self.leads()).then_some(head)
    }

    /// Waits for what others bring. `None` if this request has to ask the upstream itself.
    pub(crate) async fn wait(&mut self, coalesced: Coalesced, head: &Parts) -> Option<Response<Bytes>> {
        let until = Instant::now() + PATIENCE;
        let mut coalesced = coalesced;
        // A response may be of another variant than this client takes; then one more is asked for.
        for _ in 0..=MAX_VARIANTS {
            let filled = timeout_at(until, coalesced.filled()).await.ok()?;
            match filled {
                Some(Filled::NotShareable) => return None,
                Some(Filled::Failed) => return self.instead_of_error(head),
                Some(Filled::Stored) | None => {}
            }
            if let Some(response) = self.find(head) {
                return Some(response);
            }
            coalesced = self.join(head)?;
        }
        None
    }

    /// The entry that may be shown instead of an error.
    fn instead_of_error(&self, head: &Parts) -> Option<Response<Bytes>> {
        let now = self.cache.now();
        let stale = self.stale.as_ref().filter(|stale| !wants_fresh(head) && stale.serves_if_error(now))?;
        Some(stale.answer(self.held.as_ref().unwrap_or(&head.headers), &head.method, now))
    }

    /// Makes the request one for what differs from the stale response, if that has a validator, and if the client lets
    /// what comes be kept.
    pub(crate) fn make_conditional(&mut self, head: &mut Parts) {
        if head.method != Method::GET || forbids_keeping(head) {
            return;
        }
        let Some(stale) = self.stale.as_ref().filter(|stale| stale.has_validator()) else { return };
        self.held = Some(take_conditions(&mut head.headers));
        stale.make_conditional(&mut head.headers);
    }

    /// The upstream gave no response: what is shown instead, if anything may be.
    pub(crate) fn failed(self, head: &Parts) -> Option<Response<Bytes>> {
        let answer = self.instead_of_error(head);
        self.complete(Filled::Failed);
        answer
    }

    /// Takes note of a response's head; `asked` is the request as the upstream got it.
    pub(crate) fn note(mut self, asked: &Parts, head: &response::Parts) -> Noted {
        if !asked.method.is_safe() {
            if head.status.is_success() || head.status.is_redirection() {
                self.cache.suspect(&self.key);
            }
            return Noted::Passes(None);
        }
        if head.status.is_server_error() {
            return self.failed(asked).map_or(Noted::Passes(None), Noted::Answered);
        }
        if head.status == StatusCode::NOT_MODIFIED
            && let (Some(stale), Some(held)) = (self.stale.take(), self.held.take())
        {
            return Noted::Answered(self.refresh(&stale, &held, asked, head));
        }
        if self.has_cookie && !is_for_all(&head.headers) {
            // It may be shareable all the same for those who send no cookie: nothing is remembered of it.
            self.complete(Filled::Failed);
            return Noted::Passes(None);
        }
        let Some((request, head, body)) = self.keepable(asked, head) else {
            self.complete(Filled::NotShareable);
            return Noted::Passes(None);
        };
        Noted::Passes(Some(Box::new(Storing { lookup: self, request, head, body })))
    }

    /// Refreshes the stored response: the upstream has confirmed it.
    fn refresh(self, stale: &Entry, conditions: &HeaderMap, asked: &Parts, head: &response::Parts) -> Response<Bytes> {
        let now = self.cache.now();
        let request = remembered(asked);
        let fresh = stale.refreshed(&request, &head.headers, now);
        let Some(fresh) = fresh.filter(|fresh| may_be_kept(self.use_for, fresh.head())).map(Arc::new) else {
            self.cache.remove(&self.key);
            let answer = stale.answer(conditions, &asked.method, now);
            self.complete(Filled::NotShareable);
            return answer;
        };
        let answer = fresh.answer(conditions, &asked.method, now);
        if self.fill.as_ref().is_none_or(Fill::is_current) {
            self.cache.insert(Arc::clone(&self.key), &request, fresh, now);
        }
        self.complete(Filled::Stored);
        answer
    }

    /// The part of a response that is kept, if it may be: the request that it answers, its head, and room for its body.
    fn keepable(&self, asked: &Parts, head: &response::Parts) -> Option<(Parts, Keepable, BytesMut)> {
        let ok = asked.method == Method::GET && head.status == StatusCode::OK;
        if !ok || !may_be_kept(self.use_for, &head.headers) {
            return None;
        }
        let announced = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|bytes: usize| bytes > MAX_BODY) {
            return None;
        }
        let request = remembered(asked);
        let head = Keepable::new(&request, head.headers.clone(), self.cache.now())?;
        Some((request, head, BytesMut::with_capacity(announced.unwrap_or(0))))
    }

    fn complete(self, how: Filled) {
        if let Some(fill) = self.fill {
            fill.complete(how, Instant::now());
        }
    }
}

/// A response that is kept while it is passed on.
pub(crate) struct Storing {
    lookup: Lookup,
    request: Parts,
    head: Keepable,
    body: BytesMut,
}

impl Storing {
    /// A permit to read it to its end whatever its client does, if others may wait for it. Without one nobody waits:
    /// the client, which may be slow, sets the pace.
    pub(crate) fn read_ahead(&mut self) -> Option<OwnedSemaphorePermit> {
        if !self.lookup.leads() {
            return None;
        }
        let permit = Arc::clone(&self.lookup.cache.0.ahead).try_acquire_owned().ok();
        if permit.is_none() {
            self.lookup.fill = None;
        }
        permit
    }

    /// More of the body; `false` if it is too large to be kept.
    pub(crate) fn add(&mut self, data: &Bytes) -> bool {
        let fits = self.body.len().saturating_add(data.len()) <= MAX_BODY;
        if fits {
            self.body.extend_from_slice(data);
        }
        fits
    }

    /// The response was whole.
    pub(crate) fn finish(self) {
        let Storing { lookup, request, head, body } = self;
        let now = lookup.cache.now();
        if lookup.fill.as_ref().is_none_or(Fill::is_current) {
            lookup.cache.insert(Arc::clone(&lookup.key), &request, Arc::new(head.with(body.freeze(), now)), now);
        }
        lookup.complete(Filled::Stored);
    }

    /// The response cannot be kept after all.
    pub(crate) fn give_up(self) {
        self.lookup.complete(Filled::NotShareable);
    }

    /// The response broke off.
    pub(crate) fn fail(self) {
        self.lookup.complete(Filled::Failed);
    }
}

/// The head of a request as the cache remembers it: without what only concerns its client.
fn remembered(head: &Parts) -> Parts {
    let (mut copy, ()) = http::Request::new(()).into_parts();
    copy.method = head.method.clone();
    copy.uri = head.uri.clone();
    copy.headers = head.headers.clone();
    for name in [header::HOST, header::COOKIE, header::REFERER, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
        copy.headers.remove(name);
    }
    copy
}

/// Whether the client asks for more than what is stored.
fn wants_fresh(head: &Parts) -> bool {
    head.headers.contains_key(header::CACHE_CONTROL) || head.headers.contains_key(header::PRAGMA)
}

/// Whether a response says that it is for everyone, whoever asked (RFC 9111, section 3.5, applied to cookies).
fn is_for_all(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|directive| {
        let name = directive.split('=').next().unwrap_or_default().trim();
        ["public", "s-maxage", "must-revalidate"].iter().any(|word| name.eq_ignore_ascii_case(word))
    })
}

/// Whether the client wants nothing kept of this (RFC 9111, section 5.2.1.5).
fn forbids_keeping(head: &Parts) -> bool {
    let values = head.headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
}

/// Whether the answer may be one that is kept where only assets are: nobody waits for a page that is each client's own.
fn may_be_asset(head: &Parts) -> bool {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-dest") {
        Some(destination) => matches!(destination, "style" | "script" | "font" | "image"),
        None => text("accept").is_none_or(|accept| !accept.contains("text/html")),
    }
}

fn may_be_kept(caching: Caching, headers: &HeaderMap) -> bool {
    let varies_by_client = |name: &str| {
        ["*", "authorization", "cookie"].iter().any(|who| name.eq_ignore_ascii_case(who))
            || forwarded::is_believed(&name.to_ascii_lowercase())
    };
    let vary = headers.get_all(header::VARY).iter();
    !headers.contains_key(header::SET_COOKIE)
        && vary
            .map(|value| value.to_str().unwrap_or("*"))
            .all(|value| !value.split(',').any(|name| varies_by_client(name.trim())))
        && (caching != Caching::Assets || is_asset(headers))
}

/// Whether pages pull in responses of this media type.
fn is_asset(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "text/css"
        || media.ends_with("/javascript")
        || media.ends_with("/x-javascript")
        || media.ends_with("/wasm")
        || media.starts_with("font/")
        || media.starts_with("image/")
        || media.starts_with("application/font")
}
