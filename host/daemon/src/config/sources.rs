//! Where a configuration comes from: options, their variables, and a file.

use super::error::ConfigError;
use super::exposure::{self, Named};
use super::file;
use super::host::HostConfig;
use super::listener::ListenerConfig;
use super::values::ServiceName;
use super::{HostSettings, ListenerSettings, ServiceSettings};
use connection::address::Endpoint;
use std::path::PathBuf;

/// Where settings come from. The file is read at every load.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// What options and variables say about the host; it names no service.
    pub host: HostSettings,
    /// What they say about every service.
    pub service: ServiceSettings,
    /// What they say about every listener.
    pub listener: ListenerSettings,
    /// Whether a socket that was passed on to the host is for TLS, whatever the listeners are that
    /// are named.
    pub tls_is_given: bool,
}

impl Sources {
    /// The host that is meant: options count before variables, and those before the file, each by
    /// itself.
    pub fn load(&self) -> Result<HostConfig, ConfigError> {
        self.put_over_file(match &self.file {
            Some(path) => file::read(path)?,
            None => HostSettings::default(),
        })
    }

    /// The host that is meant if the file says this.
    pub(super) fn put_over_file(
        &self,
        mut settings: HostSettings,
    ) -> Result<HostConfig, ConfigError> {
        self.check_alone(&settings)?;
        let services = settings.service.get_or_insert_default();
        if services.is_empty() {
            services.insert(ServiceName::main(), ServiceSettings::default());
        }
        for service in services.values_mut() {
            *service = self.service.clone().or(std::mem::take(service));
            let mut listen = service.listen();
            for listener in &mut listen {
                self.put_over(listener);
            }
            service.listen = Some(listen);
        }
        let config = self.host.clone().or(settings).complete()?;
        config.check()?;
        let named = Named {
            file: self.file.as_deref(),
            tls: self.listener.tls_files().collect(),
        };
        exposure::check(&config, &named)?;
        let mut listeners = config.services.iter().flat_map(|service| &service.listen);
        if self.listener.is_about_tls()
            && !self.tls_is_given
            && listeners.all(|listener| listener.tls.is_none())
        {
            return Err(ConfigError::NoTlsListener);
        }
        Ok(config)
    }

    /// Has options and variables count before what was said about a listener.
    fn put_over(&self, listener: &mut ListenerSettings) {
        if let Some(uri) = listener.uri.clone() {
            let said = self.listener.clone().meant_for(&uri);
            *listener = said.or(std::mem::take(listener));
        }
    }

    /// What options and variables say about a listener that the configuration does not name.
    pub fn listener(&self, uri: &Endpoint) -> Result<ListenerConfig, ConfigError> {
        self.listener.clone().meant_for(uri).complete(uri.clone())
    }

    /// Some options can't be meant for several services at once.
    fn check_alone(&self, settings: &HostSettings) -> Result<(), ConfigError> {
        let names: Vec<_> = settings
            .service
            .iter()
            .flatten()
            .map(|(name, _)| name)
            .collect();
        let handlers = self
            .service
            .handler
            .as_ref()
            .or(self.service.then.iter().flatten().next());
        let what = match (handlers, &self.service.listen) {
            _ if names.len() < 2 => return Ok(()),
            (None, None) => return Ok(()),
            (Some(_), _) => "HANDLER (ECHO_HOST_HANDLER)",
            (None, Some(_)) => "--listen (ECHO_HOST_LISTEN)",
        };
        Err(ConfigError::SeveralServices {
            what,
            services: names.into_iter().cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OptionalTime, Time};
    use engine::HandlerSource;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    /// What comes of a file with this text, and of what options say about every service.
    fn load(text: &str, service: ServiceSettings) -> Result<HostConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("echo-host.toml");
        fs::write(&file, text).unwrap();
        let sources = Sources {
            file: Some(file),
            host: HostSettings::default(),
            service,
            ..Sources::default()
        };
        sources.load().map_err(|error| error.to_string())
    }

    #[test]
    fn options_count_before_the_file_key_by_key() {
        let text = "
            max-connections = 7
            [service.a]
            idle-timeout = '1s'
            call-timeout = '2s'
            args = ['a', 'b']
            env = { A = 'file', B = 'file' }
        ";
        let options = ServiceSettings {
            idle_timeout: Some(OptionalTime(None)),
            args: Some(vec!["option".into()]),
            env: Some(BTreeMap::from([("A".into(), "option".into())])),
            ..ServiceSettings::default()
        };
        let config = load(text, options).unwrap();
        let serve = &config.services[0].serve;
        assert_eq!(config.server_limits.max_connections, 7);
        assert_eq!(serve.idle_timeout, None);
        assert_eq!(serve.guest_limits.call_timeout, Duration::from_secs(2));
        assert_eq!(serve.grants.args, ["echo", "option"]);
        let env = [("A", "option"), ("B", "file")];
        assert_eq!(
            serve.grants.env,
            env.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn an_option_for_a_service_is_for_all_of_them() {
        let text = "
            [service.a]
            listen = ['tcp://127.0.0.1:1']
            [service.b]
            listen = ['tcp://127.0.0.1:2']
        ";
        let options = || ServiceSettings {
            call_timeout: Some(Time(Duration::from_secs(3))),
            ..ServiceSettings::default()
        };
        let config = load(text, options()).unwrap();
        for service in &config.services {
            assert_eq!(
                service.serve.guest_limits.call_timeout,
                Duration::from_secs(3)
            );
        }
        let handler = ServiceSettings {
            handler: Some("x.wasm".into()),
            ..options()
        };
        let complaint = load(text, handler.clone()).unwrap_err();
        assert!(
            complaint.starts_with("HANDLER (ECHO_HOST_HANDLER) applies to one service")
                && complaint.contains("`a` and `b`"),
            "{complaint}"
        );
        let one = load("[service.a]", handler).unwrap();
        let given = HandlerSource::File(Path::new("x.wasm").into());
        assert_eq!(one.services[0].serve.handler, given);
    }

    #[test]
    fn no_two_services_share_a_door_unless_the_system_chooses_it() {
        let both = |uri: &str| {
            let text = format!("[service.a]\nlisten = ['{uri}']\n[service.b]\nlisten = ['{uri}']");
            load(&text, ServiceSettings::default())
        };
        let complaint = both("tcp://127.0.0.1:7").unwrap_err();
        assert!(
            complaint.contains("the services `a` and `b`"),
            "{complaint}"
        );
        assert!(both("tcp://127.0.0.1:0").is_ok());
        let complaint = load("[service.a]\nlisten = []", ServiceSettings::default());
        assert!(complaint.unwrap_err().contains("`a` has no listener"));
    }

    #[test]
    fn a_file_without_services_is_about_the_host() {
        let config = load("workers = 3", ServiceSettings::default()).unwrap();
        assert_eq!(config.workers, Some(3));
        assert_eq!(config.services.len(), 1);
        assert_eq!(config.services[0].name, ServiceName::main());
    }
}
