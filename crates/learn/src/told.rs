//! A server's notice of an asset to the others.

use crate::metadata::Metadata;
use crate::sync::Arc;

/// A server's notice of an asset to the others.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) personal: bool,
    /// Its name and what responses say of it, if these are to be told.
    pub(crate) shown: Option<(Arc<str>, Metadata)>,
    pub(crate) stem: u64,
    pub(crate) site: u16,
}
