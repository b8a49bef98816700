//! Gives up rights when the sockets are open: root, and everything that a server does not need.

use super::helper::{self, Helper};
use super::sockets::Sockets;
use crate::control::{Predecessor, default_path_of};
use crate::host::{Bound, needs};
use address::{Endpoint, UnixAddress};
use anyhow::Context;
use config::{HostConfig, OptionalPath, ServeConfig, Sources};
use engine::{LoadError, prove};
use rustix::process::geteuid;
use server::listener::{Listener, Owner, UnixAccess};
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use system::confinement::{Identity, Sandbox, UserError, confine};
use system::ownership::{check_above, give};

/// Checks that the process may change to the configured user.
pub fn check(config: &HostConfig) -> Result<(), UserError> {
    config.user.as_ref().map_or(Ok(()), Identity::check)
}

/// Creates folders that could not be created later, gives the sockets to the user, becomes the
/// user, and confines this process to the needs of this configuration, except files opened by the
/// helper. Called when all sockets are bound and there is one thread.
pub fn give_up(
    sources: &Sources,
    config: &HostConfig,
    predecessor: Option<&Predecessor>,
    sockets: &Sockets,
    options: &[OsString],
) -> anyhow::Result<Option<Helper>> {
    if let Some(cache) = &config.cache {
        // Without a cache only time is lost; opening it logs the reason.
        let _ = make_folder(cache, config.user.as_ref());
    }
    // While it can still be created for another user.
    let control = control_path(config, predecessor);
    if let Some(user) = &config.user {
        become_user(user, &sockets.bound, sockets.metrics.as_ref())?;
    }
    let helper = helper::start(config, options);
    if helper.is_none() && config.sandbox != Sandbox::Off {
        prove_handlers(config)?;
    }
    let mut access = needs(sources, config, helper.is_some());
    control.iter().for_each(|path| access.bind(path));
    let uris = predecessor.into_iter().flat_map(Predecessor::uris);
    for endpoint in uris.filter_map(|uri| uri.parse().ok()) {
        if let Endpoint::Unix(UnixAddress::Path(path)) = endpoint {
            access.bind(&path);
        }
    }
    confine(config.sandbox, access)?;
    Ok(helper)
}

/// Compiles the handlers in separate processes while these can be started.
fn prove_handlers(config: &HostConfig) -> Result<(), LoadError> {
    for ServeConfig { handler, trust, .. } in config.services.iter().map(|it| &it.serve) {
        prove(handler, trust, config.cache.as_deref()).map_err(|fault| LoadError {
            handler: handler.clone(),
            fault: fault.into(),
        })?;
    }
    Ok(())
}

/// The path of the control socket, if there will be one.
fn control_path(config: &HostConfig, predecessor: Option<&Predecessor>) -> Option<PathBuf> {
    if let Some(predecessor) = predecessor {
        return Some(predecessor.path().to_owned());
    }
    let user = config.user.as_ref().map(Identity::uid);
    match &config.control {
        Some(OptionalPath::Off) => None,
        Some(OptionalPath::At(path)) => Some(path.clone()),
        // Creating the socket reports the reason.
        None => default_path_of(user.unwrap_or(geteuid().as_raw())).ok(),
    }
}

/// Creates a private folder for the user of the host, if it is missing.
fn make_folder(folder: &Path, user: Option<&Identity>) -> anyhow::Result<()> {
    let mut private = DirBuilder::new();
    private.mode(0o700);
    let Some(user) = user else {
        return Ok(private.recursive(true).create(folder)?);
    };
    // Where others may write or place links, root could be tricked into creating it anywhere.
    let folder = std::path::absolute(folder)?;
    check_above(&folder)?;
    private.create(&folder)?;
    Ok(give(&folder, user.uid(), Some(user.gid()))?)
}

/// Logs a warning if the host serves as root.
pub fn warn_of_root() {
    if geteuid().is_root() {
        tracing::warn!("running as root; hint: give up root with --user");
    }
}

/// Changes to the configured user, when everything is bound.
fn become_user(user: &Identity, bound: &Bound, metrics: Option<&Listener>) -> anyhow::Result<()> {
    let owner = Owner {
        user: Some(user.uid()),
        group: Some(user.gid()),
    };
    let access = UnixAccess { mode: None, owner };
    let handed_over = bound
        .hand_over(owner)
        .and_then(|()| metrics.map_or(Ok(()), |listener| listener.set_access(access)));
    handed_over
        .with_context(|| format!("cannot hand the Unix sockets over to user {user} (--user)"))?;
    user.assume()?;
    tracing::info!("changed to user {user} (--user)");
    Ok(())
}
