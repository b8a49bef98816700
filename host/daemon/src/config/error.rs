//! Why a configuration makes no sense.

use super::file::FileError;
use super::values::ServiceName;
use connection::address::Endpoint;
use engine::{HandlerKind, InvalidGrant, Isolation};
use server::tls::TlsError;
use system::trust::KeyError;

/// Why a configuration makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Grant(#[from] InvalidGrant),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("--isolation {isolation} cannot serve a {tier}, which has state for each connection")]
    Isolation {
        tier: HandlerKind,
        isolation: Isolation,
    },
    #[error("--framing does not apply to a program, which reads a stream; hint: omit it")]
    FramedProgram,
    #[error("{endpoint} is given twice (--listen)")]
    ListenTwice { endpoint: Endpoint },
    #[error(
        "{endpoint} is given twice: the services `{one}` and `{other}` cannot both listen on it"
    )]
    ListenBoth {
        endpoint: Endpoint,
        one: ServiceName,
        other: ServiceName,
    },
    #[error("a program reads a stream and cannot be served on {0}; hint: --listen tcp://ADDR:PORT")]
    ProgramOverDatagrams(Endpoint),
    #[error("stdio: cannot be combined with other listeners; hint: omit the others")]
    StdioBeside,
    #[error(
        "the --tls options need a TLS listener; hint: add --listen tls://ADDR:PORT, or omit them"
    )]
    NoTlsListener,
    #[error(
        "{0} does not support all of its keys; hint: tls- keys are for tls://, udp- keys for udp://, unix- keys for unix:"
    )]
    Misplaced(Endpoint),
    #[error("{0} needs both a certificate and its key (tls-cert, tls-key)")]
    HalfACertificate(Endpoint),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot serve metrics on {0}; hint: --metrics tcp://ADDR:PORT or --metrics unix:PATH")]
    MetricsPlace(Endpoint),
    #[error("{endpoint} is given twice: --listen and --metrics")]
    MetricsBeside { endpoint: Endpoint },
    #[error("service `{0}` has no listener; hint: set `listen`")]
    ListenNowhere(ServiceName),
    #[error(
        "{what} applies to one service, but the configuration has {}; hint: omit it, or set it in the file",
        ServiceName::list(services)
    )]
    SeveralServices {
        what: &'static str,
        services: Vec<ServiceName>,
    },
    #[error("--framing fixed:{length} exceeds --max-message {limit}")]
    FixedTooLong { length: u32, limit: usize },
}
