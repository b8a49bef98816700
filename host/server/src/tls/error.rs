//! Errors of certificates and keys.

use std::path::{Path, PathBuf};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read the {what} in {}: {reason}", path.display())]
    Read {
        /// `certificate` or `private key`.
        what: &'static str,
        path: PathBuf,
        reason: String,
    },
    #[error("no {what} in {}: expected PEM, `-----BEGIN {label}-----`", path.display())]
    Missing {
        what: &'static str,
        path: PathBuf,
        label: &'static str,
    },
    #[error(
        "the private key in {0} is encrypted; hint: decrypt it with `openssl pkey -in {0} -out \
         key.pem`, readable by the host's user only",
        path.display()
    )]
    Encrypted { path: PathBuf },
    #[error("the certificate in {} does not match the key in {}", certificate.display(), key.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("cannot use the certificate in {}: {reason}", path.display())]
    Certificate { path: PathBuf, reason: String },
    #[error("cannot use {} as a certificate authority: {reason}", path.display())]
    Authority { path: PathBuf, reason: String },
    #[error("cannot create a certificate: {0}")]
    SelfSigned(String),
    #[error(
        "no certificate; hint: use --tls-cert and --tls-key, or --tls-self-signed for a first try"
    )]
    NoCertificate,
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
    #[error(
        "no certificate authority is trusted on this machine; hint: name one with --ca, or use \
         --insecure"
    )]
    NoRoots,
}

impl TlsError {
    /// The file that it is about; of a pair that does not match the key.
    pub fn path(&self) -> Option<&Path> {
        match self {
            TlsError::Read { path, .. }
            | TlsError::Missing { path, .. }
            | TlsError::Encrypted { path }
            | TlsError::Mismatch { key: path, .. }
            | TlsError::Certificate { path, .. }
            | TlsError::Authority { path, .. } => Some(path),
            _ => None,
        }
    }

    pub(super) fn authority(path: &Path, why: &impl ToString) -> Self {
        TlsError::Authority {
            path: path.to_owned(),
            reason: why.to_string(),
        }
    }

    pub(super) fn read(
        what: &'static str,
        label: &'static str,
        path: &Path,
        error: &rustls::pki_types::pem::Error,
    ) -> Self {
        use rustls::pki_types::pem::Error;
        let path = path.to_owned();
        match error {
            Error::NoItemsFound => TlsError::Missing { what, path, label },
            Error::Io(cause) => TlsError::Read {
                what,
                reason: cause.to_string(),
                path,
            },
            other => TlsError::Read {
                what,
                path,
                reason: format!("{other:?}"),
            },
        }
    }
}
