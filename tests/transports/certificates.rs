//! A certificate authority, and its certificates.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A certificate authority with a directory for its files.
pub struct Authority {
    pub folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The files of a certificate.
pub struct Files {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "An authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { folder, issuer }
    }

    /// Its own certificate.
    pub fn file(&self) -> String {
        text(&self.folder.path().join("ca.pem"))
    }

    /// Signs a new certificate for these names. Replaces files with the same name, like a renewal.
    pub fn sign(&self, file: &str, names: &[&str], common_name: &str) -> Files {
        let names = names.iter().map(ToString::to_string);
        let mut params = CertificateParams::new(names.collect::<Vec<_>>()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Echo, Ltd.");
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Files {
            certificate: self.put(&format!("{file}.pem"), &certificate.pem()),
            key: self.put(&format!("{file}.key"), &key.serialize_pem()),
        }
    }

    /// A certificate that signed itself and is marked as an authority, as `openssl req -x509` makes
    /// it.
    pub fn self_signed(&self, names: &[&str]) -> Files {
        let names = names.iter().map(ToString::to_string);
        let mut params = CertificateParams::new(names.collect::<Vec<_>>()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Files {
            certificate: self.put("self.pem", &certificate.pem()),
            key: self.put("self.key", &key.serialize_pem()),
        }
    }

    fn put(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        let new = self.folder.path().join(format!("{name}.new"));
        fs::write(&new, content).unwrap();
        fs::rename(new, &path).unwrap();
        text(&path)
    }
}

fn text(path: &Path) -> String {
    PathBuf::from(path).to_str().unwrap().to_owned()
}
