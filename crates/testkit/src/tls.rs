//! Certificates that tests make, and clients that trust them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::PublicKeyData as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

/// A certificate in files, signed by itself.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, PEM.
    pub cert: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// Base64 of the SHA-256 of the public key, by which Chromium is told to trust it.
    pub spki: String,
}

impl Certificate {
    /// Writes `NAME.crt` and `NAME.key` for some hosts into a directory, over those that may be there.
    ///
    /// # Panics
    ///
    /// If they cannot be made or written.
    pub fn write(directory: &Path, name: &str, hosts: &[&str]) -> Self {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(hosts).expect("a certificate");
        let (cert, key) = (directory.join(format!("{name}.crt")), directory.join(format!("{name}.key")));
        fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
        fs::write(&cert, made.cert.pem()).expect("a file");
        let spki = BASE64.encode(&Sha256::digest(made.signing_key.subject_public_key_info()));
        Self { cert, key, der: made.cert.der().to_vec(), spki }
    }

    /// One for the loopback address and `localhost`.
    ///
    /// # Panics
    ///
    /// If it cannot be made or written.
    pub fn for_loopback(directory: &Path) -> Self {
        Self::write(directory, "loopback", &["localhost", "127.0.0.1"])
    }
}

/// Reads the first certificate of a PEM file.
///
/// # Panics
///
/// If there is none.
pub fn read_certificate(path: &Path) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject as _;
    CertificateDer::from_pem_file(path).expect("a certificate").to_vec()
}

/// A client that trusts these certificates (DER) only and offers these protocols by ALPN.
///
/// # Panics
///
/// If one of them is no certificate.
pub fn client(trusted: &[impl AsRef<[u8]>], protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(CertificateDer::from(certificate.as_ref().to_vec())).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// The same client with other protocols.
pub fn with_protocols(config: &Arc<ClientConfig>, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// A TLS connection of blocking calls over any stream.
///
/// # Panics
///
/// If `name` is not a host name or an address.
pub fn blocking<S: std::io::Read + std::io::Write>(
    config: &Arc<ClientConfig>,
    name: &str,
    socket: S,
) -> StreamOwned<ClientConnection, S> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::clone(config), name).expect("a session"), socket)
}

/// A TLS connection.
///
/// # Errors
///
/// Those of the handshake; a bad `name` counts as one.
pub async fn connect<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    config: &Arc<ClientConfig>,
    name: &str,
    socket: S,
) -> std::io::Result<tokio_rustls::client::TlsStream<S>> {
    let name = ServerName::try_from(name.to_owned()).map_err(std::io::Error::other)?;
    tokio_rustls::TlsConnector::from(Arc::clone(config)).connect(name, socket).await
}

/// A client that believes any certificate, for servers that make their own and show it to nobody.
pub fn believing(protocols: &[&str]) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(&client(&[] as &[&[u8]], protocols));
    config.dangerous().set_certificate_verifier(Arc::new(Believing));
    Arc::new(config)
}

#[derive(Debug)]
struct Believing;

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519]
    }
}
