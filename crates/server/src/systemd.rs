//! The interface with systemd: sockets that it opened for us, and notices of our state.
//!
//! Without systemd all of this does nothing.

use std::net::TcpListener;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::bail;
use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The sockets that were passed to this process (sd_listen_fds(3)), with their names.
pub(crate) struct Sockets(Vec<(String, Result<TcpListener, String>)>);

/// The sockets that were passed. Taken over when first asked for, and kept: after a reload another entry may want them.
pub(crate) fn sockets() -> &'static Sockets {
    static SOCKETS: OnceLock<Sockets> = OnceLock::new();
    SOCKETS.get_or_init(Sockets::take_over)
}

impl Sockets {
    fn take_over() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut passed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for number in 0..passed.len() {
            let name = names.next().filter(|name| !name.is_empty()).unwrap_or("unknown").to_owned();
            match passed.take_tcp_listener(number) {
                Ok(Some(socket)) => sockets.push((name, Ok(socket))),
                Ok(None) => {}
                Err(error) => sockets.push((name, Err(error.to_string()))),
            }
        }
        Self(sockets)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A handle to each socket of this name, or to all of them if the name is empty.
    ///
    /// # Errors
    ///
    /// If one of them is no listening TCP socket, or the system has no more descriptors.
    pub(crate) fn named(&self, name: &str) -> anyhow::Result<Vec<TcpListener>> {
        let wanted = self.0.iter().filter(|(of, _)| name.is_empty() || of == name);
        let handle = |(name, socket): &(String, Result<TcpListener, String>)| match socket {
            Ok(socket) => Ok(socket.try_clone()?),
            Err(error) => bail!("the socket {name:?} that systemd passed is no TCP listener: {error}"),
        };
        wanted.map(handle).collect()
    }
}

/// Tells the service manager.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Connections are taken.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// No more connections are taken.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Still alive.
pub(crate) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`alive`] has to be said: twice as often as the service manager asks for. `None` if it does not ask.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|pause| !pause.is_zero())
}
