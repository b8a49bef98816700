//! The metrics: the status of the host in the format of Prometheus.
//!
//! All values come from a [`Status`](crate::control::Status) when requested, so that counting costs
//! connections nothing, and `echo-host status` always agrees.

mod clients;
mod exposition;
mod histograms;
mod http;
mod names;
mod negotiation;

pub use exposition::exposition;
pub use http::serve;
pub use names::Names;
