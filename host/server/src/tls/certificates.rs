//! Selects the certificate for a client.

use super::identity::dns_names;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::Arc;

/// Certificates by server name.
#[derive(Debug)]
pub struct Certificates {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    /// The certificate for clients that send no server name, or an unknown one.
    first: Arc<CertifiedKey>,
}

impl Certificates {
    /// Of several certificates for a name, the first one counts.
    pub fn new(first: CertifiedKey, others: Vec<CertifiedKey>) -> Self {
        let first = Arc::new(first);
        let mut by_name = HashMap::new();
        for certificate in [first.clone()]
            .into_iter()
            .chain(others.into_iter().map(Arc::new))
        {
            for name in certificate.cert.first().map(dns_names).unwrap_or_default() {
                by_name.entry(name).or_insert_with(|| certificate.clone());
            }
        }
        Certificates { by_name, first }
    }

    /// A certificate for exactly this name, or a wildcard for its leftmost label (RFC 6125, section
    /// 6.4.3).
    fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        self.by_name.get(name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello
            .server_name()
            .and_then(|name| self.find(&name.to_ascii_lowercase()));
        Some(named.unwrap_or(&self.first).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::provider;
    use rustls::pki_types::PrivateKeyDer;

    fn certificate(names: &[&str]) -> CertifiedKey {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        CertifiedKey::from_der(vec![made.cert.der().clone()], key, &provider()).unwrap()
    }

    #[test]
    fn the_closest_name_wins_and_a_wildcard_is_one_label() {
        let all = Certificates::new(
            certificate(&["example.org"]),
            vec![
                certificate(&["*.example.org", "example.net"]),
                certificate(&["chat.example.org", "Example.NET"]),
            ],
        );
        let first_name = |name: &str| {
            let found = all.find(name)?;
            let names = found.cert.first().map(dns_names)?;
            Some(names[0].clone())
        };
        for (name, expected) in [
            ("example.org", Some("example.org")),
            ("chat.example.org", Some("chat.example.org")),
            ("mail.example.org", Some("*.example.org")),
            ("a.b.example.org", None),
            ("example.net", Some("*.example.org")),
            ("org", None),
        ] {
            assert_eq!(first_name(name).as_deref(), expected, "{name}");
        }
    }
}
