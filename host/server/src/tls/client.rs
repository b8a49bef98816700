//! The client side of TLS: verifies servers.

use super::error::TlsError;
use super::{identity, provider};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a client verifies a server and identifies itself.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Trust these authorities instead of the system's.
    pub ca: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure: bool,
    /// The client certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The application protocols to offer (ALPN, RFC 7301).
    pub alpn: Vec<String>,
}

/// Performs the handshake with the server of this name, a DNS name or an IP address.
pub async fn connect(
    stream: TcpStream,
    name: &str,
    verification: &Verification,
) -> io::Result<TlsStream<TcpStream>> {
    let config = config(verification).map_err(io::Error::other)?;
    let name = ServerName::try_from(name.to_owned()).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{name}` is not a valid server name"),
        )
    })?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(explained)
}

/// Adds a hint for the user.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref());
    match cause {
        Some(rustls::Error::InvalidCertificate(why)) => io::Error::new(
            error.kind(),
            format!(
                "the server's certificate is not trusted: {why}; hint: name its authority with \
                 --ca, its name with --server-name, or use --insecure"
            ),
        ),
        _ => error,
    }
}

fn config(verification: &Verification) -> Result<ClientConfig, TlsError> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = if verification.insecure {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(NoVerification(provider())))
    } else {
        builder.with_root_certificates(roots(verification)?)
    };
    let mut config = match &verification.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder.with_client_auth_cert(
            identity::read_certificates(certificate)?,
            identity::read_key(key)?,
        )?,
    };
    let alpn = verification.alpn.iter();
    config.alpn_protocols = alpn.map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

fn roots(verification: &Verification) -> Result<RootCertStore, TlsError> {
    if let Some(path) = &verification.ca {
        return identity::read_authorities(path);
    }
    let mut roots = RootCertStore::empty();
    // Some systems have unreadable certificates: skip those.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        Err(TlsError::NoRoots)
    } else {
        Ok(roots)
    }
}

/// Accepts any certificate whose key the server has: for `--insecure`.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
