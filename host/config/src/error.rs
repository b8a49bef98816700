//! Why a configuration makes no sense.

use super::diagnostics::Diagnostics;
use super::document::Place;
use super::file::FileError;
use super::values::ServiceName;
use address::Endpoint;
use engine::{Grants, HandlerKind, InvalidGrant, Isolation};
use server::tls::TlsError;
use std::path::{Path, PathBuf};
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
    #[error(
        "{one} and {other} overlap: the first listens on all addresses; hint: omit one of them, or \
         use another port"
    )]
    Overlap { one: Endpoint, other: Endpoint },
    #[error("there is no {what} {}", path.display())]
    NoFile { what: &'static str, path: PathBuf },
    #[error("stdio: cannot be combined with other listeners; hint: omit the others")]
    StdioBeside,
    #[error(
        "options of TLS need a listener that can have it; hint: add --listen tls://ADDR:PORT, or omit them"
    )]
    NoTlsListener,
    #[error("`{key}` does not apply to {uri}; hint: it is for listeners with {kinds}")]
    Misplaced {
        key: &'static str,
        uri: Endpoint,
        kinds: &'static str,
    },
    #[error("{0} needs both a certificate and its key (tls-cert, tls-key)")]
    HalfACertificate(Endpoint),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot serve metrics on {0}; hint: use tcp://ADDR:PORT or unix:PATH (--metrics)")]
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

impl ConfigError {
    /// All mistakes of the file, if that is what it is about.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match self {
            ConfigError::File(FileError::Content(diagnostics)) => Some(diagnostics),
            _ => None,
        }
    }

    /// The key of a service that does not fit its handler.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            ConfigError::Isolation { .. } => Some("isolation"),
            ConfigError::FramedProgram | ConfigError::FixedTooLong { .. } => Some("framing"),
            ConfigError::ProgramOverDatagrams(_) => Some("listen"),
            _ => None,
        }
    }

    /// The file that it is about, which an option names.
    pub fn path(&self) -> Option<&Path> {
        match self {
            ConfigError::Grant(grant) => grant.path(),
            ConfigError::Key(KeyError::Read { path, .. } | KeyError::Content { path }) => {
                Some(path)
            }
            ConfigError::Tls(error) => error.path(),
            ConfigError::NoFile { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// What is wrong with settings, and the place of what says so in the configuration file.
#[derive(Debug)]
pub struct Finding {
    pub error: ConfigError,
    pub place: Place,
    /// Another place that belongs to it, and what is there.
    pub beside: Option<(Place, &'static str)>,
}

impl Finding {
    /// What is wrong with a grant of the service at this place.
    pub fn of_grant(service: Place, grant: InvalidGrant, grants: &Grants) -> Self {
        let place = match grant {
            InvalidGrant::Unreachable { port, .. } => {
                let mut hosts = grants.connect.iter();
                match hosts.position(|host| host.port == port) {
                    Some(number) => service.key("allow-connect").item(number),
                    None => service.key("keyvalue"),
                }
            }
            _ => service,
        };
        Finding::at(place, grant)
    }

    /// What is wrong at a place, or with the file that is named there.
    pub fn at(place: Place, error: impl Into<ConfigError>) -> Self {
        let error = error.into();
        let place = match error.path() {
            Some(path) => place.naming(path),
            None => place,
        };
        Finding {
            place,
            error,
            beside: None,
        }
    }
}
