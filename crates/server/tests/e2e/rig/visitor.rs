//! A visitor over HTTP/2, at an address of the test's choice, that takes 103 and no pushes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use http::Method;
use testkit::http2::{Client, NAVIGATION, Reply, targets};
use testkit::tls;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

use super::server::Server;

/// A browser with nothing in its cache, on one connection.
pub(crate) struct Visitor {
    runtime: Runtime,
    client: Client,
    origin: String,
    agent: &'static str,
}

/// What one view came to.
pub(crate) struct View {
    /// Paths that the 103 named.
    pub(crate) hinted: BTreeSet<String>,
    /// Of all that was hinted, the status of each.
    pub(crate) answers: Vec<(String, u16)>,
}

impl Visitor {
    /// Connects from `127.N.0.1`, which is a network of its own for each N.
    pub(crate) fn connect(server: &Server, network: u8, agent: &'static str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = tls::client(&[tls::read_certificate(&server.cert)], &["h2"]);
        let client = runtime.block_on(async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind((Ipv4Addr::new(127, network, 0, 1), 0).into()).expect("an address of this machine");
            let stream = socket.connect((Ipv4Addr::LOCALHOST, server.port).into()).await.expect("it listens");
            let stream = tls::connect(&config, "127.0.0.1", stream).await.expect("its certificate is trusted");
            let mut settings = h2::client::Builder::new();
            settings.enable_push(false);
            Client::handshake(stream, server.origin(), &settings).await.expect("it speaks HTTP/2")
        });
        Self { runtime, client, origin: server.origin(), agent }
    }

    /// Loads a page as a browser does: the page, what the 103 names, and what the page needs beside that.
    pub(crate) fn view(&mut self, page: &str, needs: &[&str]) -> View {
        let reply = self.navigate(Method::GET, page, &[]);
        assert_eq!(reply.status, 200, "{page}");
        let links: Vec<String> = reply.hints.into_iter().flatten().collect();
        let hinted: BTreeSet<String> = targets(&links).into_iter().map(str::to_owned).collect();
        let answers = hinted.iter().map(|path| (path.clone(), self.fetch(path, page, &[]))).collect();
        for path in needs.iter().filter(|path| !hinted.contains(**path)) {
            self.fetch(path, page, &[]);
        }
        View { hinted, answers }
    }

    /// Goes to a page.
    pub(crate) fn navigate(&mut self, method: Method, page: &str, more: &[(&str, &str)]) -> Reply {
        let agent = [("user-agent", self.agent)];
        let fields: Vec<(&str, &str)> = NAVIGATION.iter().chain(&agent).chain(more).copied().collect();
        self.runtime.block_on(self.client.send(method, page, &fields))
    }

    /// Asks for an asset of a page; returns the status.
    pub(crate) fn fetch(&mut self, path: &str, page: &str, more: &[(&str, &str)]) -> u16 {
        let referer = format!("{}{page}", self.origin);
        let own = [("accept", "*/*"), ("user-agent", self.agent), ("referer", referer.as_str())];
        let fields: Vec<(&str, &str)> = own.iter().chain(more).copied().collect();
        self.runtime.block_on(self.client.send(Method::GET, path, &fields)).status.as_u16()
    }
}
