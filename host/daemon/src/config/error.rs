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
    #[error("a {tier} remembers its connection: --isolation {isolation} can't serve it")]
    Isolation {
        tier: HandlerKind,
        isolation: Isolation,
    },
    #[error("a program reads a stream, which is not cut into messages: leave --framing away")]
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
    #[error("a program reads a stream, and {0} has none: serve it on tcp:// (--listen)")]
    ProgramOverDatagrams(Endpoint),
    #[error("stdio: is one client, who is served alone: leave all other listeners away")]
    StdioBeside,
    #[error(
        "no listener speaks TLS: say --listen tls://ADDR:PORT, or leave the --tls options away"
    )]
    NoTlsListener,
    #[error(
        "{0} has no use for all that is said about it: tls- keys are for tls://, udp- keys for udp://, unix- keys for unix:"
    )]
    Misplaced(Endpoint),
    #[error("{0} has one of certificate and key without the other (tls-cert, tls-key)")]
    HalfACertificate(Endpoint),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(
        "the metrics are served over HTTP, at tcp://ADDR:PORT or unix:PATH, not at {0} (--metrics)"
    )]
    MetricsPlace(Endpoint),
    #[error("{endpoint} is given twice: as a listener, and for the metrics (--listen, --metrics)")]
    MetricsBeside { endpoint: Endpoint },
    #[error("the service `{0}` listens nowhere: give it at least one address")]
    ListenNowhere(ServiceName),
    #[error(
        "{what} is for one service, and the configuration has {}: leave it away, or write it into the file",
        ServiceName::list(services)
    )]
    SeveralServices {
        what: &'static str,
        services: Vec<ServiceName>,
    },
    #[error(
        "messages of --framing fixed:{length} are longer than the {limit} bytes a message may have (--max-message)"
    )]
    FixedTooLong { length: u32, limit: usize },
}
