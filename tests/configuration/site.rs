//! A host with a configuration file: its directory, the file, and the control socket.

use crate::fixture::{Client, DEADLINE, Finished, Host, guests, run};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

/// A directory with a configuration file and the files it names. Removed with the test.
pub struct Site(TempDir);

impl Site {
    /// A directory with this configuration, plus the path of a control socket.
    pub fn new(text: &str) -> Self {
        let site = Site(tempfile::tempdir().unwrap());
        site.write(text);
        site
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file atomically, by renaming.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path("unfinished"), content).unwrap();
        fs::rename(self.path("unfinished"), self.path(name)).unwrap();
    }

    /// Replaces the configuration.
    pub fn write(&self, text: &str) {
        self.put("echo-host.toml", format!("control = 'host.sock'\n{text}"));
    }

    /// `echo-host serve` with this configuration, which may name other handlers later.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(["serve", "--config", &self.path("echo-host.toml")]);
        command.args(["--sandbox-read", &guests()]);
        command
    }

    /// Serves this configuration, which has N listeners.
    pub fn serve(&self, listeners: usize) -> Host {
        Host::start_as_it_is(&mut self.command(), listeners)
    }

    /// Runs a command for the host.
    pub fn run(&self, args: &[&str]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(args);
        command.args(["--control", &self.path("host.sock")]);
        run(&mut command, b"")
    }

    /// Reloads by command: the changes, or the reason for the refusal.
    pub fn reload(&self) -> Result<String, String> {
        let finished = self.run(&["reload"]);
        match finished.code {
            Some(0) => Ok(finished.stdout),
            Some(78) => Err(finished.stderr),
            _ => panic!("{finished:?}"),
        }
    }

    pub fn status(&self) -> Value {
        let finished = self.run(&["status", "--json"]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        serde_json::from_str(&finished.stdout).unwrap()
    }

    /// Requests the status until the condition holds.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let status = self.status();
            if wanted(&status) {
                return;
            }
            assert!(Instant::now() < deadline, "not {what}: {status:#}");
            thread::yield_now();
        }
    }

    /// The address of a service.
    pub fn addresses(&self, service: &str) -> Vec<SocketAddr> {
        let status = self.status();
        let listeners = status["listeners"].as_array().unwrap().iter();
        let own = listeners.filter(|listener| listener["service"] == service);
        let uris = own.map(|listener| listener["uri"].as_str().unwrap());
        uris.map(|uri| uri.strip_prefix("tcp://").unwrap().parse().unwrap())
            .collect()
    }

    pub fn connect(&self, service: &str) -> Client {
        Client::connect(self.addresses(service)[0])
    }
}

/// The status of a service.
pub fn service<'a>(status: &'a Value, name: &str) -> &'a Value {
    let services = status["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {status:#}"))
}
