//! Restricts files and networks with landlock(7).
//!
//! Nothing can be executed, TCP connections are limited to listed ports, and no other process can
//! be signalled. Listening is not restricted, because a reload may need another port; nor is
//! connecting to Unix sockets.

use super::access::Access;
use super::error::ConfinementError;
use ::landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    make_bitflags, path_beneath_rules,
};
use std::env;

/// What the C library and Rust's standard library read, besides files of the operator: shared
/// libraries loaded for name lookups, and files about users, names, clocks and processors.
const SYSTEM: [&str; 20] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/nsswitch.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/proc/self",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
];

/// Reading files and folders.
const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});

/// This program and its loader.
const RUN: [&str; 5] = ["/proc/self/exe", "/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// Shared devices.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/urandom"];
const USE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile});

/// All access to files, except executing them, and creating devices, pipes and sockets.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | Refer
        | MakeReg | MakeDir | MakeSym | RemoveFile | RemoveDir
});

/// Creating a socket, perhaps in a new folder, and removing it.
const BIND: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadDir | MakeSock | MakeDir | Refer | RemoveFile | RemoveDir
});

/// Restricts this thread and those it will start. With `must`, incomplete support is an error.
pub fn restrict(access: &Access, must: bool) -> Result<(), ConfinementError> {
    let level = if must {
        CompatLevel::HardRequirement
    } else {
        CompatLevel::BestEffort
    };
    let status = try_restrict(access, level);
    match status.map_err(|error| ConfinementError::Landlock(error.to_string()))? {
        RulesetStatus::NotEnforced => return Err(ConfinementError::NoLandlock),
        RulesetStatus::PartiallyEnforced => tracing::info!(
            "the kernel is too old for the whole sandbox (--sandbox): signals, devices or \
             connections are not restricted"
        ),
        RulesetStatus::FullyEnforced => {}
    }
    Ok(())
}

/// Restricts this thread and those it will start: all files are readable, this program is
/// executable, and nothing else is allowed beyond `access`.
pub fn restrict_to_reading(access: &Access, must: bool) -> Result<(), ConfinementError> {
    let level = if must {
        CompatLevel::HardRequirement
    } else {
        CompatLevel::BestEffort
    };
    let restrict = || {
        ruleset(level)?
            .add_rules(path_beneath_rules(["/"], READ))?
            .add_rules(path_beneath_rules(RUN, READ | AccessFs::Execute))?
            .add_rules(path_beneath_rules(DEVICES, USE))?
            .add_rules(path_beneath_rules(&access.write, WRITE))?
            .restrict_self()
    };
    match restrict() {
        Ok(_) => Ok(()),
        Err(error) => Err(ConfinementError::Landlock(error.to_string())),
    }
}

/// A ruleset that denies every known right without a rule.
fn ruleset(level: CompatLevel) -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(level)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::ConnectTcp)?
        .scope(scopes())?
        .create()
}

fn try_restrict(access: &Access, level: CompatLevel) -> Result<RulesetStatus, RulesetError> {
    let status = ruleset(level)?
        .add_rules(path_beneath_rules(SYSTEM, READ))?
        .add_rules(path_beneath_rules(DEVICES, USE))?
        .add_rules(path_beneath_rules(&access.read, READ))?
        .add_rules(path_beneath_rules(&access.write, WRITE))?
        .add_rules(path_beneath_rules(&access.sockets, BIND))?
        .add_rules(access.ports.iter().map(connecting_to))?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn connecting_to(port: &u16) -> Result<NetPort, RulesetError> {
    Ok(NetPort::new(*port, AccessNet::ConnectTcp))
}

/// Scopes to deny: signals to other processes, and abstract Unix sockets, unless the supervisor
/// uses one.
fn scopes() -> BitFlags<Scope> {
    let notify = env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    if notify.as_encoded_bytes().starts_with(b"@") {
        Scope::Signal.into()
    } else {
        Scope::Signal | Scope::AbstractUnixSocket
    }
}
