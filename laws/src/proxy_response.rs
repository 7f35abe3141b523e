//! Whatever a server answers, the proxy gives a final status, and a body of the length that it says or none that is whole.

use std::io::{Read as _, Write as _};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use headstart_proxy::{Cache, Config, Proxy};
use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use tokio::runtime::{Builder, Runtime};
use tower::Service as _;

static ANSWER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static PROXY: LazyLock<(Runtime, Proxy)> = LazyLock::new(|| {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = socket.read(&mut head);
            let answer = ANSWER.lock().unwrap().clone();
            let _ = socket.write_all(&answer);
        }
    });
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut config = Config::new(vec![format!("http://{address}").parse().unwrap()]);
    config.health.max_failures = 0;
    config.limits.retries = 0;
    config.timeouts.head = Duration::from_millis(200);
    config.timeouts.body = Duration::from_millis(200);
    let guard = runtime.enter();
    let proxy = Proxy::new(config, Cache::default()).unwrap();
    drop(guard);
    (runtime, proxy)
});

/// One input.
pub fn run(bytes: &[u8]) {
    *ANSWER.lock().unwrap() = bytes.to_vec();
    let (runtime, proxy) = &*PROXY;
    let request = Request::builder().uri("/app.css").header(header::HOST, "a");
    let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
    runtime.block_on(async {
        let response = proxy.clone().call(request).await.unwrap();
        assert!(!response.status().is_informational());
        let length = response.headers().get(header::CONTENT_LENGTH).cloned();
        let has_body = response.status() != 304;
        if let (Ok(body), Some(length), true) = (response.into_body().collect().await, length, has_body) {
            assert_eq!(length.to_str().unwrap().parse::<usize>().ok(), Some(body.to_bytes().len()));
        }
    });
}
