//! Installs Debian packages by name, where that is possible without asking for a password.

use std::env;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::step;

/// True if a program of this name is found on the PATH.
pub fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// True if these packages are all installed.
pub fn installed(packages: &[&str]) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status} "])
        .args(packages)
        .output();
    // dpkg-query fails for an unknown package.
    query.is_ok_and(|output| {
        let states = String::from_utf8_lossy(&output.stdout);
        output.status.success() && states.split_whitespace().all(|state| state == "installed")
    })
}

/// Installs packages. The reason completes "installing … to …".
pub fn install(packages: &[&str], reason: &str) -> Result<()> {
    let list = packages.join(" ");
    if !on_path("apt-get") {
        bail!("cannot {reason}: this machine has no apt-get to install {list}");
    }
    let Some(rights) = rights() else {
        bail!("cannot {reason}: first run `sudo apt-get install --no-install-recommends {list}`");
    };
    step::announce(&format!("installing {list} to {reason}"));
    if apt_get(rights, &install_arguments(packages))?
        .status
        .success()
    {
        return Ok(());
    }
    // A fresh machine has no package lists, and old lists name removed packages.
    step::announce("apt-get update, and once more");
    apt_get(rights, &["update"])?;
    let second = apt_get(rights, &install_arguments(packages))?;
    if !second.status.success() {
        let output = String::from_utf8_lossy(&second.stderr);
        let why = output
            .lines()
            .rfind(|line| line.starts_with("E:"))
            .unwrap_or("see apt-get's log");
        bail!("cannot {reason}: apt-get could not install {list}: {why}");
    }
    Ok(())
}

fn install_arguments<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    // --no-remove: a conflicting package stays; its owner must remove it.
    let options = ["install", "--yes", "--no-install-recommends", "--no-remove"];
    [&options, packages].concat()
}

fn apt_get(rights: &[&str], arguments: &[&str]) -> Result<Output> {
    let words = [
        rights,
        &[
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            // Services of packages must not be started: under systemd, and under sysvinit.
            "SYSTEMD_OFFLINE=1",
            "RUNLEVEL=1",
            "apt-get",
            "--quiet",
            "--option=DPkg::Lock::Timeout=300",
        ],
        arguments,
    ]
    .concat();
    Command::new(words[0])
        .args(&words[1..])
        .output()
        .with_context(|| format!("cannot start {}", words[0]))
}

/// The prefix of a command that runs as root: nothing, or sudo if it asks for no password.
fn rights() -> Option<&'static [&'static str]> {
    let user = Command::new("id").arg("-u").output().ok()?;
    if user.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    step::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}
