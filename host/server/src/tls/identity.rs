//! Reads and checks certificates and keys.

use super::error::TlsError;
use super::provider;
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::Path;
use system::opening;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The certificates in a file, in its order.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const WHAT: (&str, &str) = ("certificate", "CERTIFICATE");
    let fail = |error| TlsError::read(WHAT.0, WHAT.1, path, &error);
    let text = read_pem(path).map_err(fail)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found.map_err(fail)? {
        none if none.is_empty() => Err(TlsError::Missing {
            what: WHAT.0,
            path: path.to_owned(),
            label: WHAT.1,
        }),
        found => Ok(found),
    }
}

/// The certificates in a file, as authorities to trust.
pub fn read_authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::authority(path, &error))?;
    }
    Ok(roots)
}

/// The key in a file.
pub fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let fail = |error| TlsError::read("private key", "PRIVATE KEY", path, &error);
    let text = read_pem(path).map_err(fail)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        if is_encrypted(&text) {
            TlsError::Encrypted {
                path: path.to_owned(),
            }
        } else {
            fail(error)
        }
    })
}

/// The content of a PEM file, without a byte order mark.
fn read_pem(path: &Path) -> Result<Vec<u8>, pem::Error> {
    let mut text = opening::read(path).map_err(pem::Error::Io)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(text)
}

/// The byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether it has an encrypted key: PKCS #8 (RFC 7468, section 11), or the old PEM form (RFC 1421,
/// section 4.6.1.1).
fn is_encrypted(text: &[u8]) -> bool {
    let marks = [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
    ];
    let text = String::from_utf8_lossy(text);
    marks.iter().any(|mark| text.contains(mark))
}

/// The certificate and the key in these files, if they match.
pub fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = read_certificates(certificate)?;
    CertifiedKey::from_der(chain, read_key(key)?, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        },
        error => TlsError::Certificate {
            path: certificate.to_owned(),
            reason: error.to_string(),
        },
    })
}

/// The DNS names of a certificate (RFC 6125): its subject alternative names, in lower case.
pub fn dns_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Some(certificate) = decode(certificate) else {
        return Vec::new();
    };
    let names = certificate.tbs_certificate.get::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = names else {
        return Vec::new();
    };
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}

/// The subject of a certificate, as an RFC 4514 string.
pub fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    Some(decode(certificate)?.tbs_certificate.subject.to_string())
}

fn decode(certificate: &CertificateDer<'_>) -> Option<Certificate> {
    Certificate::from_der(certificate).ok()
}
