//! HTTP to an authority: a connection for each request, over TLS.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::operation::Acme;
use crate::tls;

/// How long an answer may take, from the look-up of the name to its last byte.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer: a chain of certificates has some 10 KiB.
const MAX_BODY: usize = 1 << 20;

/// Asks one authority.
#[derive(Clone)]
pub(super) struct Client(TlsConnector);

impl Client {
    /// # Errors
    ///
    /// If the certificates that were named cannot be read.
    pub(super) fn new(acme: &Acme) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        match &acme.ca {
            Some(ca) => {
                for certificate in tls::read_chain(&ca.value)? {
                    roots.add(certificate).with_context(|| format!("cannot use {}", ca.value.display()))?;
                }
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    async fn ask(self, request: Request<BodyWrapper<Bytes>>) -> anyhow::Result<Response<Full<Bytes>>> {
        let (mut head, body) = request.into_parts();
        let authority = head.uri.authority().cloned().ok_or_else(|| anyhow!("{} names no host", head.uri))?;
        if head.uri.scheme_str() != Some("https") {
            return Err(anyhow!("{} is not https", head.uri));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let reach = async {
            let socket = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(443))).await?;
            self.0.connect(ServerName::try_from(host.clone())?, socket).await.map_err(anyhow::Error::from)
        };
        let stream = reach.await.with_context(|| format!("cannot reach {authority}"))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        head.uri = Uri::from(path);
        head.headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
        let response = sender.send_request(Request::from_parts(head, body)).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| anyhow!(error))?.to_bytes();
        Ok(Response::from_parts(head, Full::new(body)))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let asked = self.clone().ask(request);
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(response)) => Ok(BytesResponse::from(response)),
                Ok(Err(error)) => Err(Error::Other(error.into())),
                Err(_) => Err(Error::Other(anyhow!("no answer within {} s", PATIENCE.as_secs()).into())),
            }
        })
    }
}
