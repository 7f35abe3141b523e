//! Assets that an application names itself.

use std::sync::Arc;

use headstart_learn::Destination;

/// Assets that a page needs, named by the application: put a list into the extensions of its response (or, from
/// an outer layer, of its request), and they are delivered beside the learned ones, unless the client holds them.
/// `Link: rel=preload` fields of the response are read the same way.
///
/// ```
/// use headstart::{Assets, Destination};
/// use http::Response;
///
/// let mut response = Response::new("<link rel=stylesheet href=/app.css>");
/// response.extensions_mut().insert(Assets::new().with("/app.css", Destination::Style));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Assets {
    pub(crate) list: Vec<Named>,
}

/// One named asset.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) path: Arc<str>,
    pub(crate) destination: Destination,
    pub(crate) cors: bool,
}

impl Assets {
    /// An empty list.
    pub fn new() -> Self {
        Assets::default()
    }

    /// Adds an asset of this site: its path with query, and what it is fetched as. Most needed first. A path that
    /// is not an absolute path is dropped when it would be sent.
    pub fn with(mut self, path: &str, destination: Destination) -> Self {
        self.list.push(Named { path: path.into(), destination, cors: destination == Destination::Font });
        self
    }

    /// Adds an asset that is fetched in CORS mode, such as a module script. Fonts always are.
    pub fn with_cors(mut self, path: &str, destination: Destination) -> Self {
        self.list.push(Named { path: path.into(), destination, cors: true });
        self
    }
}
