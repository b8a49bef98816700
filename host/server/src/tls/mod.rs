//! TLS (RFC 8446, RFC 5246) on both sides: certificates that can be renewed while they are used, and clients
//! that verify.

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
pub use server::{CertificateFiles, Terminator, TlsConfig};

use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// The cryptography that both sides use.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
