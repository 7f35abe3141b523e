//! The upstream's interim responses: 103 (Early Hints) goes on to the client, 100 (Continue) opens the upload.
//!
//! Browsers act on the first 103 of a navigation only. If one of ours went out, what the upstream hints is added to the
//! final response instead, where browsers act on it too; there the facade reads it as well, and pushes it to a client
//! that takes pushes. hyper tells of interim responses over HTTP/1.1 only: those of an HTTP/2 upstream are not seen.

use std::sync::{Arc, Mutex, PoisonError};

use headstart_policy::EarlyHints;
use http::header::{HeaderMap, HeaderName, HeaderValue, LINK};
use http::{Request, StatusCode};

use super::upload::{Gate, Upload};

/// Fields of a 103 that browsers act on, or need to act rightly. Others may be wrong by the time of the final response.
const RELAYED: [HeaderName; 2] = [LINK, http::header::CONTENT_SECURITY_POLICY];
/// `Link` fields kept of all 103s of one response; those that come later are left out.
const MAX_LINKS: usize = 64;

/// Whether hints can be of use to the client: browsers, which say what a request is for, act on those for documents alone.
pub(super) fn may_help(request: &HeaderMap) -> bool {
    request.get("sec-fetch-dest").is_none_or(|destination| {
        ["document", "iframe", "frame"].iter().any(|document| destination.as_bytes() == document.as_bytes())
    })
}

/// What was heard before the final head.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<HeaderValue>>>);

/// Listens to what the upstream says before its final head.
pub(super) fn listen(request: &mut Request<Upload>, client: Option<EarlyHints>, gate: Option<Arc<Gate>>) -> Heard {
    let heard = Heard::default();
    let links = heard.clone();
    hyper::ext::on_informational(request, move |response| match response.status() {
        StatusCode::CONTINUE => {
            if let Some(gate) = &gate {
                gate.open();
            }
        }
        StatusCode::EARLY_HINTS => {
            if !links.add(response.headers()) {
                return;
            }
            if let Some(client) = &client {
                client.send(relayed(response.headers()));
            }
        }
        _ => {}
    });
    heard
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
    /// `false` if there is nothing to act on.
    fn add(&self, headers: &HeaderMap) -> bool {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let links = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
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
        let heard = Heard::default();
        assert!(heard.add(&fields(&["</a.css>; rel=preload; as=style"])));
        assert!(!heard.add(&fields(&["</a.css>; rel=preload; as=style"])));
        assert!(!heard.add(&fields(&[])));
        assert!(heard.add(&fields(&["</b.js>; rel=preload; as=script"])));
        let mut headers = fields(&["</b.js>; rel=preload; as=script", "</c>; rel=next"]);
        heard.add_to(&mut headers);
        assert_eq!(headers.get_all(LINK).iter().count(), 3);
    }
}
