//! The server side of TLS: terminates it.

use super::certificates::Certificates;
use super::error::TlsError;
use super::{identity, provider, self_signed};
use arc_swap::ArcSwap;
use connection::handle::TlsInfo;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use system::opening;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The settings of TLS termination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificates: chosen by server name, or the first.
    pub certificates: Vec<CertificateFiles>,
    /// Without a certificate, create a self-signed one.
    pub self_signed: bool,
    /// Require a client certificate signed by one of these authorities.
    pub client_ca: Option<PathBuf>,
    /// Application protocols (ALPN, RFC 7301), preferred first. If there are any, a client that
    /// knows none of them is refused.
    pub alpn: Vec<String>,
}

impl TlsConfig {
    /// Checks the files. Blocks.
    pub fn check(&self) -> Result<(), TlsError> {
        load(self).map(drop)
    }

    /// The files of these settings.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let certificates = self.certificates.iter();
        certificates
            .flat_map(|files| [&files.certificate, &files.key])
            .chain(&self.client_ca)
            .map(PathBuf::as_path)
    }

    /// A value that changes with the content of the files, or with the error of reading them.
    fn fingerprint(&self) -> Vec<u8> {
        let mut digest = Sha256::new();
        for file in self.files() {
            // The lengths delimit the files.
            let held = opening::read(file).unwrap_or_else(|error| error.to_string().into());
            digest.update(held.len().to_be_bytes());
            digest.update(held);
        }
        digest.finalize().to_vec()
    }
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The server's certificate, followed by its chain.
    #[serde(rename = "cert")]
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Terminates TLS, with certificates that can be reloaded in use.
pub struct TlsTerminator {
    config: TlsConfig,
    current: ArcSwap<ServerConfig>,
    /// The fingerprint of the files when they were last read.
    read: Mutex<Vec<u8>>,
}

impl TlsTerminator {
    /// Reads certificates and keys, and checks them. Blocks.
    pub fn new(config: TlsConfig) -> Result<Self, TlsError> {
        let read = Mutex::new(config.fingerprint());
        let current = ArcSwap::new(load(&config)?);
        if config.certificates.is_empty() {
            tracing::warn!("using a self-signed certificate, which clients cannot verify");
        }
        Ok(TlsTerminator {
            config,
            current,
            read,
        })
    }

    /// Reloads certificates for new handshakes, and returns whether they changed. On an error, the
    /// old ones stay. Blocks.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let mut read = self.read.lock();
        let now = self.config.fingerprint();
        if *read == now {
            return Ok(false);
        }
        self.current.store(load(&self.config)?);
        *read = now;
        Ok(true)
    }

    /// The files it reads.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.config.files()
    }

    /// Performs the handshake with a client.
    pub async fn accept<S>(&self, stream: S) -> io::Result<(TlsStream<S>, TlsInfo)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        let stream = acceptor.accept(stream).await.map_err(explained)?;
        let (_, session) = stream.get_ref();
        let established = TlsInfo {
            server_name: session.server_name().map(str::to_ascii_lowercase),
            alpn: session
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            client_subject: session
                .peer_certificates()
                .and_then(|chain| identity::subject(chain.first()?)),
        };
        Ok((stream, established))
    }
}

pub(super) fn load(config: &TlsConfig) -> Result<Arc<ServerConfig>, TlsError> {
    let read = |files: &CertificateFiles| identity::read(&files.certificate, &files.key);
    let mut certificates = config.certificates.iter().map(read);
    let first = match certificates.next() {
        Some(first) => first?,
        None if config.self_signed => self_signed::make()?,
        None => return Err(TlsError::NoCertificate),
    };
    let others = certificates.collect::<Result<_, _>>()?;
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match &config.client_ca {
        Some(path) => builder.with_client_cert_verifier(client_verifier(path)?),
        None => builder.with_no_client_auth(),
    };
    let mut server = builder.with_cert_resolver(Arc::new(Certificates::new(first, others)));
    server.alpn_protocols = config
        .alpn
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    // Sessions are resumed with tickets, without state. The ticket key is created with the
    // certificates, so that nobody resumes a session that would no longer be allowed.
    server.ticketer = Ticketer::new()?;
    Ok(Arc::new(server))
}

fn client_verifier(path: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(identity::read_authorities(path)?);
    WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| TlsError::authority(path, &error))
}

/// Explains common errors.
fn explained(error: io::Error) -> io::Error {
    let is_no_tls = error.get_ref().is_some_and(|inner| {
        matches!(
            inner.downcast_ref(),
            Some(rustls::Error::InvalidMessage(
                rustls::InvalidMessage::InvalidContentType
            ))
        )
    });
    if is_no_tls {
        io::Error::new(error.kind(), "the client does not speak TLS")
    } else {
        error
    }
}
