//! Where a configuration comes from: options, their variables, and a file.

use super::document::{Place, Step};
use super::error::{ConfigError, Finding};
use super::exposure::{self, Named};
use super::file::{self, FileError, Text};
use super::host::HostConfig;
use super::listener::ListenerConfig;
use super::options::Opt;
use super::placing;
use super::values::ServiceName;
use super::{HostSettings, ListenerSettings, ServiceSettings};
use address::Endpoint;
use std::fs;
use std::path::{Path, PathBuf};

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
    /// Whether the author of the handler runs the host: traps are shown with lines of source.
    pub is_author: bool,
}

impl Sources {
    /// The host that is meant: options count before variables, and those before the file, each by
    /// itself. An error tells all mistakes of the file.
    pub fn load(&self) -> Result<HostConfig, ConfigError> {
        match &self.file {
            Some(path) => self.load_text(path, &file::text_of(path)?),
            None => self
                .put_over(HostSettings::default())
                .map_err(placing::first),
        }
    }

    /// The host that is meant if this is the text of the file.
    pub(super) fn load_text(&self, path: &Path, text: &str) -> Result<HostConfig, ConfigError> {
        let text = Text::parse(path, text).map_err(FileError::Content)?;
        let (settings, faults) = text.settings();
        match self.put_over(settings) {
            Ok(config) if faults.is_empty() => Ok(config),
            loaded => {
                let found = loaded.err().unwrap_or_default();
                Err(placing::place(&text, &faults, found, |place| {
                    self.gives(place)
                }))
            }
        }
    }

    /// The host that is meant if the file says this, or all that is wrong with it.
    fn put_over(&self, mut settings: HostSettings) -> Result<HostConfig, Vec<Finding>> {
        if let Err(error) = self.check_alone(&settings) {
            return Err(vec![Finding::at(Place::default(), error)]);
        }
        let services = settings.service.get_or_insert_default();
        if services.is_empty() {
            services.insert(ServiceName::main(), ServiceSettings::default());
        }
        for service in services.values_mut() {
            *service = self.service.clone().or(std::mem::take(service));
            let mut listen = service.listen();
            for listener in &mut listen {
                self.put_over_listener(listener);
            }
            service.listen = Some(listen);
        }
        let settings = self.host.clone().or(settings);
        let mut found = Vec::new();
        settings.check_listeners(&mut found);
        let config = settings.complete(&mut found);
        self.check(&config, &mut found);
        if found.is_empty() {
            Ok(config)
        } else {
            Err(found)
        }
    }

    /// Finds what is wrong with a configuration as a whole, and files that are not there.
    fn check(&self, config: &HostConfig, found: &mut Vec<Finding>) {
        for service in &config.services {
            let place = Place::of_keys(&["service", &service.name.to_string()]);
            let grants = &service.serve.grants;
            let faults = grants.faults();
            found.extend(faults.map(|it| Finding::of_grant(place.clone(), it, grants)));
            let mut add = |error| found.push(Finding::at(place.clone(), error));
            let handlers = service.serve.handler.files();
            let handlers = handlers.filter(|_| self.service.handler.is_none());
            let handlers = handlers.map(|file| ("handler", file));
            let probes = service.serve.swap.probes.iter();
            let probes = probes.map(|file| ("file of exchanges", file.as_path()));
            // Without a file there is no place to show, and loading tells more.
            for (what, file) in handlers.chain(probes).filter(|_| self.file.is_some()) {
                if let Ok(false) = fs::exists(file) {
                    let path = file.to_owned();
                    add(ConfigError::NoFile { what, path });
                }
            }
        }
        let named = Named {
            file: self.file.as_deref(),
            tls: self.listener.tls_files().collect(),
        };
        let exposed = exposure::faults(config, &named).into_iter();
        found.extend(exposed.map(|grant| Finding::at(Place::of_keys(&["service"]), grant)));
        let mut listeners = config.services.iter().flat_map(|service| &service.listen);
        if found.is_empty()
            && self.listener.is_about_tls()
            && !self.tls_is_given
            && listeners.all(|listener| listener.tls.is_none())
        {
            found.push(Finding::at(Place::default(), ConfigError::NoTlsListener));
        }
    }

    /// An error that was found when the handler of a service was loaded, with its place in the
    /// file. Blocks.
    pub fn locate(&self, service: &ServiceName, error: ConfigError) -> ConfigError {
        let text = self.file.as_deref().and_then(|path| {
            let text = file::text_of(path).ok()?;
            Some((path, text))
        });
        let (Some(key), Some((path, text))) = (error.key(), &text) else {
            return error;
        };
        let Ok(text) = Text::parse(path, text) else {
            return error;
        };
        let place = Place::of_keys(&["service", &service.to_string(), key]);
        let found = vec![Finding::at(place, error)];
        placing::place(&text, &[], found, |place| self.gives(place))
    }

    /// Has options and variables count before what was said about a listener.
    fn put_over_listener(&self, listener: &mut ListenerSettings) {
        if let Some(uri) = listener.uri.clone() {
            let said = self.listener.clone().meant_for(&uri);
            *listener = said.or(std::mem::take(listener));
        }
    }

    /// What options and variables say about a listener that the configuration does not name.
    pub fn listener(&self, uri: &Endpoint) -> Result<ListenerConfig, ConfigError> {
        let settings = self.listener.clone().meant_for(uri);
        let listener = settings.complete(uri.clone(), &Place::default());
        listener.map_err(placing::first)
    }

    /// Whether options or variables say what counts at a place of the file.
    fn gives(&self, place: &Place) -> bool {
        fn has(given: &[&Opt], key: &str) -> bool {
            given.iter().any(|option| option.key == key)
        }
        let service = self.service.differences(&ServiceSettings::default());
        let keys: Vec<_> = place.steps.iter().map(Step::key).collect();
        match &keys[..] {
            [Some("service"), _, Some("listen"), ..] if has(&service, "listen") => true,
            [Some("service"), _, Some("listen"), _, Some(key)] => has(
                &self.listener.differences(&ListenerSettings::default()),
                key,
            ),
            [Some("service"), _, Some(key), ..] => has(&service, key),
            [Some("service"), ..] | [] => false,
            [key, ..] => {
                let host = self.host.differences(&HostSettings::default());
                key.is_some_and(|key| has(&host, key))
            }
        }
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
    use crate::{OptionalTime, Time};
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
            handler: Some(Path::new("x.wasm").to_owned().into()),
            ..options()
        };
        let complaint = load(text, handler.clone()).unwrap_err();
        assert!(
            complaint.starts_with("HANDLER (ECHO_HOST_HANDLER) applies to one service")
                && complaint.contains("`a` and `b`"),
            "{complaint}"
        );
        let one = load("[service.a]", handler).unwrap();
        let given = HandlerSource::from(Path::new("x.wasm").to_owned());
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
        assert_eq!(config.workers.unwrap().get(), 3);
        assert_eq!(config.services.len(), 1);
        assert_eq!(config.services[0].name, ServiceName::main());
    }
}
