//! Settings of the admin listener.

/// Settings of the admin listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// `HOST:PORT` to listen on. `None` is off.
    pub(crate) listen: Option<String>,
    /// What a client has to show, as `Authorization: Bearer` or as the password of Basic authentication. By default nobody
    /// is asked, which is for loopback addresses.
    pub(crate) token: Option<String>,
    /// Names under which browsers may reach it, besides addresses and `localhost`: a request for another name is refused,
    /// so that no foreign page can read it by pointing a name of its own here (DNS rebinding).
    pub(crate) hosts: Vec<String>,
}
