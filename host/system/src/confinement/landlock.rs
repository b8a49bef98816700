//! Files and networks: landlock(7).
//!
//! Nothing can be executed, no TCP connection be opened but to ports that are asked for, and no process outside be signalled. Listening is
//! not restricted, as a reload may want another port, and connecting to Unix sockets is not either.

use super::access::Access;
use super::error::ConfinementError;
use ::landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    make_bitflags, path_beneath_rules,
};
use std::env;

/// What is read by the C library and by Rust's, beside what the operator names: shared libraries that are loaded
/// while names are looked up, what the system says about users, names and clocks, and about the cores there are.
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

/// This program, and what loads it.
const RUN: [&str; 5] = ["/proc/self/exe", "/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// Writing to devices that are nobody's.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/urandom"];
const USE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile});

/// All that is done with files, but for running them, and making devices, pipes and sockets.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | Refer
        | MakeReg | MakeDir | MakeSym | RemoveFile | RemoveDir
});

/// Making a socket, perhaps in a folder of its own first, and removing it.
const BIND: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadDir | MakeSock | MakeDir | Refer | RemoveFile | RemoveDir
});

/// Restricts this thread and those it will start. If it `must` be all of it, anything less is an error.
pub fn restrict(access: &Access, must: bool) -> Result<(), ConfinementError> {
    let level = match must {
        true => CompatLevel::HardRequirement,
        false => CompatLevel::BestEffort,
    };
    let status = try_restrict(access, level);
    match status.map_err(|error| ConfinementError::Landlock(error.to_string()))? {
        RulesetStatus::NotEnforced => return Err(ConfinementError::NoLandlock),
        RulesetStatus::PartiallyEnforced => tracing::info!(
            "the kernel is too old for all of the sandbox (--sandbox): signals, devices or connections are not restricted"
        ),
        RulesetStatus::FullyEnforced => {}
    }
    Ok(())
}

/// Restricts this thread and those it will start: all files may be read, this program be run, and nothing else be done
/// that `access` does not say.
pub fn restrict_to_reading(access: &Access, must: bool) -> Result<(), ConfinementError> {
    let level = match must {
        true => CompatLevel::HardRequirement,
        false => CompatLevel::BestEffort,
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

/// What has no rule is denied, of all the rights that this version knows.
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

/// Who must not be reached: other processes by signals, and by abstract Unix sockets unless that is where the
/// supervisor hears how the host is doing.
fn scopes() -> BitFlags<Scope> {
    let notify = env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    match notify.as_encoded_bytes().starts_with(b"@") {
        true => Scope::Signal.into(),
        false => Scope::Signal | Scope::AbstractUnixSocket,
    }
}
