//! What can be wrong with certificates and keys.

use std::path::{Path, PathBuf};

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read the {what} in {}: {reason}", path.display())]
    Read {
        /// Certificate or key.
        what: &'static str,
        path: PathBuf,
        reason: String,
    },
    #[error("there is no {what} in {}: expected PEM, `-----BEGIN {label}-----`", path.display())]
    Missing {
        what: &'static str,
        path: PathBuf,
        label: &'static str,
    },
    #[error(
        "the private key in {0} is encrypted, and a host has nobody to ask for its password: decrypt it with \
         `openssl pkey -in {0} -out key.pem`, and let only the host's user read that file",
        path.display()
    )]
    Encrypted { path: PathBuf },
    #[error("the certificate in {} and the key in {} do not belong together", certificate.display(), key.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("the certificate in {} can't be used: {reason}", path.display())]
    Certificate { path: PathBuf, reason: String },
    #[error("the certificates in {} are not those of an authority: {reason}", path.display())]
    Authority { path: PathBuf, reason: String },
    #[error("cannot make a certificate: {0}")]
    SelfSigned(String),
    #[error(
        "there is no certificate: give --tls-cert and --tls-key, or --tls-self-signed to try it out"
    )]
    NoCertificate,
    #[error("TLS can't be set up: {0}")]
    Setup(#[from] rustls::Error),
    #[error(
        "no certificate authority is trusted on this machine: name one with --ca, or say --insecure"
    )]
    NoRoots,
}

impl TlsError {
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
