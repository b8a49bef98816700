//! TLS (RFC 8446, RFC 5246) on both sides: certificates that can be renewed in use, and clients
//! that verify. Must not know services or handlers.

mod certificates;
mod client;
mod error;
mod identity;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod self_signed;
mod server;

pub use client::{Verification, connect};
pub use error::TlsError;
pub use server::{CertificateFiles, TlsConfig, TlsTerminator};

use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// The cryptography provider of both sides.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
