//! The metrics: what the control socket tells about the host, in the form that Prometheus and its like collect.
//!
//! All figures are taken from a [`Status`](crate::control::Status) when they are asked for, so that counting costs
//! connections nothing, and `echo-host status` never says anything else.

mod clients;
mod exposition;
mod http;
mod names;
mod negotiation;

pub use exposition::exposition;
pub use http::serve;
pub use names::Names;
