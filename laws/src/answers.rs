//! A server that answers what a law says, over loopback, for laws about upstreams.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headstart_proxy::{Cache, Config, Proxy};
use tokio::runtime::{Builder, Runtime};

/// What a request with this head is answered.
type Said = Box<dyn FnMut(&str) -> Vec<u8> + Send>;

/// The proxy in front of it, with what the server answers.
pub(crate) struct Answers {
    pub(crate) runtime: Runtime,
    pub(crate) proxy: Proxy,
    answer: Arc<Mutex<Said>>,
}

impl Answers {
    /// `scheme` is that of the server's address.
    pub(crate) fn start(scheme: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer: Arc<Mutex<Said>> = Arc::new(Mutex::new(Box::new(|_| Vec::new())));
        let told = Arc::clone(&answer);
        std::thread::spawn(move || {
            for mut socket in listener.incoming().flatten() {
                let mut head = [0; 4096];
                let read = socket.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
                let answer = told.lock().map(|mut answer| answer(&head)).unwrap_or_default();
                // The proxy may have gone.
                let _ = socket.write_all(&answer);
            }
        });
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let proxy = runtime.block_on(async { Proxy::new(config(scheme, address), Cache::default()).expect("a proxy") });
        Answers { runtime, proxy, answer }
    }

    /// What a request is answered from now on; it is given the request's head.
    pub(crate) fn set(&self, answer: impl FnMut(&str) -> Vec<u8> + Send + 'static) {
        *self.answer.lock().expect("no panic under the lock") = Box::new(answer);
    }
}

fn config(scheme: &str, address: SocketAddr) -> Config {
    let mut config = Config::new(vec![format!("{scheme}://{address}").parse().expect("an address")]);
    config.health.max_failures = 0;
    config.limits.retries = 0;
    config.limits.max_idle = 0;
    config.timeouts.head = Duration::from_millis(200);
    config.timeouts.body = Duration::from_millis(200);
    config
}
