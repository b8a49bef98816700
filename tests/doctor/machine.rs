//! A machine for tests: programs on its PATH are scripts that say versions.

use crate::fixture::{Finished, run};
use engine::Language;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use tools::doctor::needs;

/// A machine with only a shell, and programs that the test puts there.
pub struct Machine(pub TempDir);

impl Machine {
    pub fn new(programs: &[(&str, &str)]) -> Self {
        let machine = Machine(tempfile::tempdir().unwrap());
        fs::create_dir(machine.0.path().join("bin")).unwrap();
        symlink("/bin/sh", machine.path("sh")).unwrap();
        for (name, says) in programs {
            machine.put(name, &format!("echo '{says}'"));
        }
        machine
    }

    pub fn path(&self, program: &str) -> PathBuf {
        self.0.path().join("bin").join(program)
    }

    pub fn put(&self, program: &str, script: &str) {
        let path = self.path(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        for tool in Language::ALL.into_iter().flat_map(needs) {
            tool.variable.map(|name| command.env_remove(name));
        }
        command.env("PATH", self.0.path().join("bin"));
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments), b"")
    }

    /// The directory of a new handler.
    pub fn new_handler(&self, language: &str, tier: &str) -> Finished {
        self.run(&["new", "shout", "--lang", language, "--tier", tier])
    }

    pub fn test(&self) -> Finished {
        let mut command = self.command(&["test"]);
        run(command.current_dir(self.0.path().join("shout")), b"")
    }
}

/// All that C needs, except for unit tests.
pub const OF_C: [(&str, &str); 4] = [
    ("make", "GNU Make 4.3"),
    ("zig", "0.17.0"),
    ("wit-bindgen", "wit-bindgen-cli 0.63.0"),
    ("wasm-tools", "wasm-tools 1.254.0"),
];
