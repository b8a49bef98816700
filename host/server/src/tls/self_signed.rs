//! A certificate for trying out, which nobody trusts.

use super::error::TlsError;
use super::provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

/// The names that reach a host on the same machine.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes a new one for this machine's own names. It is gone with the process.
pub fn make() -> Result<CertifiedKey, TlsError> {
    let fail = |error: rcgen::Error| TlsError::SelfSigned(error.to_string());
    let made = rcgen::generate_simple_self_signed(NAMES.map(String::from)).map_err(fail)?;
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    Ok(CertifiedKey::from_der(vec![certificate], key, &provider())?)
}
