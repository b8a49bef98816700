//! The client side of TLS: verifies servers.

use super::error::TlsError;
use super::{identity, provider};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};
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

/// Says it in plain words, with a hint.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(rejected @ rustls::Error::InvalidCertificate(why)) = cause else {
        return error;
    };
    let why = if is_authority(rejected) {
        "it signed itself, and --ca does not name it".to_owned()
    } else {
        why.to_string()
    };
    io::Error::new(
        error.kind(),
        format!(
            "the server's certificate is not trusted: {why}; hint: name its authority, or the \
             certificate itself, with --ca, its name with --server-name, or use --insecure"
        ),
    )
}

fn config(verification: &Verification) -> Result<ClientConfig, TlsError> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let accepts = match &verification.ca {
        _ if verification.insecure => Accepts::Anyone,
        given => {
            let roots = Arc::new(roots(verification)?);
            let given = given.as_deref().map(identity::read_certificates);
            Accepts::Trusted {
                verifier: WebPkiServerVerifier::builder_with_provider(roots, provider())
                    .build()
                    .map_err(|_| TlsError::NoRoots)?,
                given: given.transpose()?.unwrap_or_default(),
            }
        }
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier(accepts, provider())));
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

/// Verifies that the server has the key of a certificate, and that the certificate is accepted.
#[derive(Debug)]
struct Verifier(Accepts, Arc<CryptoProvider>);

/// Which certificates are accepted.
#[derive(Debug)]
enum Accepts {
    /// All, for `--insecure`.
    Anyone,
    /// Those that an authority signed.
    Trusted {
        verifier: Arc<WebPkiServerVerifier>,
        /// What `--ca` named. `openssl req -x509` marks a self-signed certificate as an authority,
        /// which no server's may be (RFC 5280, section 4.2.1.9); it is trusted for its own name.
        given: Vec<CertificateDer<'static>>,
    },
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Accepts::Trusted { verifier, given } = &self.0 else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = verifier.verify_server_cert(certificate, chain, name, ocsp, now);
        match &verified {
            // Its dates were checked before.
            Err(error) if is_authority(error) && given.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            _ => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.1.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.1.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a server's certificate was rejected because it is that of an authority.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why))) = error else {
        return false;
    };
    // The type is not rustls's own.
    why.to_string() == "CaUsedAsEndEntity"
}
