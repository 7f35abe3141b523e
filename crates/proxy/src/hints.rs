//! The upstream's interim responses: 103 (Early Hints) goes on to the client, 100 (Continue) opens the upload.
//!
//! Browsers act on the first 103 of a navigation only. If one of ours went out, what the upstream hints is added to the
//! final response instead, where browsers act on it too; there the facade reads it as well, and pushes it to a client
//! that takes pushes. All others go on as they are, where the client's version of HTTP lets them (RFC 9110, section 15.2).

use std::sync::{Arc, Mutex, PoisonError};

use headstart_policy::EarlyHints;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, LINK};

use super::head;
use super::paths::Paths;
use super::upload::Gate;

/// Fields of a 103 that browsers read (HTML, "process early hint headers"): the links, and the policies under which these
/// are fetched. Others may be wrong by the time of the final response.
const RELAYED: [HeaderName; 6] = [
    LINK,
    http::header::CONTENT_SECURITY_POLICY,
    http::header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
    HeaderName::from_static("cross-origin-embedder-policy"),
    HeaderName::from_static("cross-origin-embedder-policy-report-only"),
    http::header::REFERRER_POLICY,
];
/// `Link` fields kept of all 103s of one response; those that come later are left out.
const MAX_LINKS: usize = 64;

/// Whether hints can be of use to the client: browsers, which say what a request is for, act on those for documents alone.
pub(super) fn may_help(request: &HeaderMap) -> bool {
    request.get("sec-fetch-dest").is_none_or(|destination| {
        ["document", "iframe", "frame"].iter().any(|document| destination.as_bytes() == document.as_bytes())
    })
}

/// Hears what a server says before its final head.
#[derive(Clone)]
pub(super) struct Heard {
    listener: Arc<Listener>,
    /// Turns round what the server says of paths.
    paths: Option<Arc<Paths>>,
}

struct Listener {
    /// Takes what goes on to the client.
    client: Option<EarlyHints>,
    /// Whether the client can use a 103.
    takes_hints: bool,
    gate: Option<Arc<Gate>>,
    links: Mutex<Vec<HeaderValue>>,
}

fn relayed(headers: &HeaderMap) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for name in &RELAYED {
        for value in headers.get_all(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    fields
}

impl Heard {
    pub(super) fn new(client: Option<EarlyHints>, takes_hints: bool, gate: Option<Arc<Gate>>) -> Self {
        let listener = Arc::new(Listener { client, takes_hints, gate, links: Mutex::default() });
        Heard { listener, paths: None }
    }

    /// Hears a server that knows other paths than clients do.
    pub(super) fn of(&self, paths: &Arc<Paths>) -> Self {
        let paths = (!paths.is_same()).then(|| Arc::clone(paths));
        Heard { listener: Arc::clone(&self.listener), paths }
    }

    pub(super) fn hear(&self, status: StatusCode, headers: &HeaderMap) {
        let Some(paths) = &self.paths else { return self.take(status, headers) };
        let mut headers = headers.clone();
        paths.rewrite_links(&mut headers);
        self.take(status, &headers);
    }

    fn take(&self, status: StatusCode, headers: &HeaderMap) {
        let Listener { client, takes_hints, gate, .. } = &*self.listener;
        match status {
            StatusCode::CONTINUE => {
                if let Some(gate) = gate {
                    gate.open();
                }
            }
            StatusCode::EARLY_HINTS => {
                if *takes_hints
                    && self.add(headers)
                    && let Some(client) = client
                {
                    client.send(relayed(headers));
                }
            }
            other => {
                if let Some(client) = client {
                    let mut fields = headers.clone();
                    head::remove_hop_by_hop(&mut fields);
                    client.relay(other, fields);
                }
            }
        }
    }

    /// `false` if there is nothing to act on.
    fn add(&self, headers: &HeaderMap) -> bool {
        let mut links = self.listener.links.lock().unwrap_or_else(PoisonError::into_inner);
        let before = links.len();
        for link in headers.get_all(LINK) {
            if links.len() < MAX_LINKS && !links.contains(link) {
                links.push(link.clone());
            }
        }
        links.len() > before
    }

    /// Adds what the final response does not say again.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        let links = std::mem::take(&mut *self.listener.links.lock().unwrap_or_else(PoisonError::into_inner));
        for link in links {
            if !headers.get_all(LINK).iter().any(|said| said == link) {
                headers.append(LINK, link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hinted_and_not_said_again_is_added() {
        let fields = |links: &[&'static str]| -> HeaderMap {
            links.iter().map(|link| (LINK, HeaderValue::from_static(link))).collect()
        };
        let heard = Heard::new(None, true, None);
        assert!(heard.add(&fields(&["</a.css>; rel=preload; as=style"])));
        assert!(!heard.add(&fields(&["</a.css>; rel=preload; as=style"])));
        assert!(!heard.add(&fields(&[])));
        assert!(heard.add(&fields(&["</b.js>; rel=preload; as=script"])));
        let mut headers = fields(&["</b.js>; rel=preload; as=script", "</c>; rel=next"]);
        heard.add_to(&mut headers);
        assert_eq!(headers.get_all(LINK).iter().count(), 3);
    }
}
