//! Which directories must not be granted: those that overlap another grant, and those that hold
//! what the host trusts.

use super::host::HostConfig;
use super::serve::ServeConfig;
use super::values::OptionalPath;
use crate::control_folder::control_folder_of;
use address::{Endpoint, UnixAddress};
use engine::{Directory, InvalidGrant};
use keyvalue::StoreUri;
use rustix::process::geteuid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use system::confinement::Identity;
use system::watch::WatchedPaths;

/// What the host trusts.
struct Trusted {
    what: &'static str,
    path: PathBuf,
    /// Whether a guest may read it that can't change it.
    is_public: bool,
}

/// What options name that the configuration may not.
pub struct Named<'a> {
    /// The configuration file.
    pub file: Option<&'a Path>,
    /// Certificates and keys, which may be for sockets that other processes pass on.
    pub tls: Vec<&'a Path>,
}

/// What must not be granted to the services of this configuration.
pub fn faults(config: &HostConfig, named: &Named<'_>) -> Vec<InvalidGrant> {
    let services = config.services.iter();
    let granted: Vec<_> = services
        .flat_map(|it| &it.serve.grants.directories)
        .collect();
    let mut faults = overlaps(&granted);
    faults.extend(trusted_within(&granted, &trusted(config, named)));
    faults
}

/// Checks what is granted to a handler that is run by itself.
pub fn check_grants(serve: &ServeConfig, cache: Option<&Path>) -> Result<(), InvalidGrant> {
    let granted: Vec<_> = serve.grants.directories.iter().collect();
    let mut trusted = of_process(cache, geteuid().as_raw());
    of_handler(serve, &mut trusted);
    let faults = overlaps(&granted).into_iter();
    let mut faults = faults.chain(trusted_within(&granted, &trusted));
    faults.next().map_or(Ok(()), Err)
}

/// The granted directories that lie in another one, unless both are only read. A guest could
/// replace the inner one by a link that leads out, and what one service keeps is not another's.
fn overlaps(granted: &[&Directory]) -> Vec<InvalidGrant> {
    let mut faults = Vec::new();
    let mut before: Vec<(&Directory, PathBuf)> = Vec::new();
    for directory in granted {
        let real = real(&directory.host);
        let overlaps = |(other, place): &&(&Directory, PathBuf)| {
            (directory.is_writable || other.is_writable)
                && (real.starts_with(place) || place.starts_with(&real))
        };
        if let Some((other, _)) = before.iter().find(overlaps) {
            faults.push(InvalidGrant::Overlap {
                one: other.host.clone(),
                other: directory.host.clone(),
            });
        }
        before.push((directory, real));
    }
    faults
}

/// The granted directories that hold, or lie in, what the host trusts.
fn trusted_within(granted: &[&Directory], trusted: &[Trusted]) -> Vec<InvalidGrant> {
    let mut faults = Vec::new();
    for Directory {
        host, is_writable, ..
    } in granted
    {
        let real = real(host);
        for Trusted {
            what,
            path,
            is_public,
        } in trusted
        {
            let holds = || locations(path).iter().any(|it| it.starts_with(&real));
            let may_be_read = *is_public && !is_writable;
            if !may_be_read && (real.starts_with(self::real(path)) || holds()) {
                faults.push(InvalidGrant::Trusted {
                    grant: host.clone(),
                    what,
                    path: path.clone(),
                });
                break;
            }
        }
    }
    faults
}

impl Trusted {
    fn secret(what: &'static str, path: &Path) -> Self {
        Trusted {
            what,
            path: path.to_owned(),
            is_public: false,
        }
    }

    fn public(what: &'static str, path: &Path) -> Self {
        Trusted {
            is_public: true,
            ..Trusted::secret(what, path)
        }
    }
}

/// What a host of this configuration trusts.
fn trusted(config: &HostConfig, named: &Named<'_>) -> Vec<Trusted> {
    let user = config.user.as_ref().map(Identity::uid);
    let user = user.unwrap_or_else(|| geteuid().as_raw());
    let mut trusted = of_process(config.cache.as_deref(), user);
    let file = named.file.iter();
    trusted.extend(file.map(|it| Trusted::public("the configuration", it)));
    if let Some(OptionalPath::At(path)) = &config.control {
        trusted.push(Trusted::secret("the control socket", path));
    }
    let endpoints = config.services.iter().flat_map(|it| &it.listen);
    let endpoints = endpoints.map(|it| &it.uri).chain(&config.metrics);
    for endpoint in endpoints {
        if let Endpoint::Unix(UnixAddress::Path(path)) = endpoint {
            trusted.push(Trusted::secret("a socket", path));
        }
    }
    let certificate = |path: &Path| Trusted::secret("a certificate or key", path);
    trusted.extend(named.tls.iter().copied().map(certificate));
    for service in &config.services {
        of_handler(&service.serve, &mut trusted);
        let tls = service.listen.iter().flat_map(|it| &it.tls);
        trusted.extend(tls.flat_map(|tls| tls.files()).map(certificate));
    }
    trusted
}

/// What every process of this user trusts.
fn of_process(cache: Option<&Path>, user: u32) -> Vec<Trusted> {
    let mut trusted = vec![
        // Through its own folder there a process writes to its own memory.
        Trusted::secret("the memory of processes", Path::new("/proc")),
        Trusted::secret("the folder of control sockets", &control_folder_of(user)),
    ];
    trusted.extend(cache.map(|it| Trusted::secret("the cache of compiled code", it)));
    // It is run again at the next start.
    let program = std::env::current_exe();
    trusted.extend(program.map(|it| Trusted::public("the host's own program", &it)));
    trusted
}

fn of_handler(serve: &ServeConfig, trusted: &mut Vec<Trusted>) {
    let handlers = serve.handler.files();
    trusted.extend(handlers.map(|it| Trusted::public("a handler", it)));
    let keys = serve.trust.key_files().iter();
    trusted.extend(keys.map(|it| Trusted::secret("a signer's key", it)));
    let probes = serve.swap.probes.iter();
    trusted.extend(probes.map(|it| Trusted::public("a probe", it)));
    if let StoreUri::Redis(uri) = &serve.grants.keyvalue.uri {
        let socket = uri.socket();
        trusted.extend(socket.map(|it| Trusted::secret("the socket of a store", &it)));
    }
}

/// A path without links. What is not there yet keeps its name.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (existing.canonicalize(), path.strip_prefix(existing)) {
            return real.join(rest);
        }
    }
    path
}

/// Where a path lies, and where each link and folder on the way to it does: whoever can replace one
/// of them chooses what is found there.
fn locations(path: &Path) -> BTreeSet<PathBuf> {
    let ways = WatchedPaths::of([&path.to_owned()]);
    let mut found = BTreeSet::from([real(path)]);
    found.extend(ways.steps);
    found.extend(ways.ends);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn directory(path: &Path) -> Directory {
        path.to_str().unwrap().parse().unwrap()
    }

    #[test]
    fn a_directory_in_another_overlaps_it_by_whatever_path() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path();
        fs::create_dir_all(base.join("a/sub")).unwrap();
        fs::create_dir(base.join("ab")).unwrap();
        symlink("a/sub", base.join("link")).unwrap();
        let check = |paths: &[&str]| {
            let granted: Vec<_> = paths.iter().map(|it| directory(&base.join(it))).collect();
            overlaps(&granted.iter().collect::<Vec<_>>())
        };
        assert!(check(&["a", "ab"]).is_empty());
        for paths in [["a", "a/sub"], ["a/sub", "a"], ["a", "link"], ["ab", "ab"]] {
            assert!(!check(&paths).is_empty(), "{paths:?}");
        }
    }

    #[test]
    fn links_on_the_way_to_a_file_are_where_it_can_be_replaced() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        for folder in ["releases/1", "links"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        fs::write(base.join("releases/1/a.wasm"), "").unwrap();
        symlink("../releases/1", base.join("links/current")).unwrap();
        let found = locations(&base.join("links/current/a.wasm"));
        assert!(found.contains(&base.join("links/current")), "{found:?}");
        assert!(found.contains(&base.join("releases/1/a.wasm")), "{found:?}");
    }
}
