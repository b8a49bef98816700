//! Which directories must not be granted: those that overlap another grant, and those that hold what the host trusts.

use super::host::HostConfig;
use super::values::Place;
use crate::address::{Endpoint, UnixAddress};
use crate::engine::{Directory, InvalidGrant};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// How many links a path may lead through, as in path_resolution(7).
const MAX_LINKS: usize = 40;

/// Checks what is granted to the services of this configuration, which was read from `file` if there is one.
pub fn check(config: &HostConfig, file: Option<&Path>) -> Result<(), InvalidGrant> {
    let services = config.services.iter();
    check_overlaps(services.flat_map(|it| &it.serve.grants.directories))?;
    check_trusted(config, file)
}

/// Checks that no granted directory lies in another one. A guest could replace the inner one by a link that leads
/// out, and what one service keeps is not another's.
fn check_overlaps<'a>(
    granted: impl IntoIterator<Item = &'a Directory>,
) -> Result<(), InvalidGrant> {
    let mut before: Vec<(&Path, PathBuf)> = Vec::new();
    for Directory { host, .. } in granted {
        let real = real(host);
        let overlaps = |other: &Path| real.starts_with(other) || other.starts_with(&real);
        if let Some((other, _)) = before.iter().find(|(_, other)| overlaps(other)) {
            return Err(InvalidGrant::Overlap {
                one: other.to_path_buf(),
                other: host.clone(),
            });
        }
        before.push((host, real));
    }
    Ok(())
}

/// Checks that no granted directory holds, or lies in, what the host of this configuration trusts.
fn check_trusted(config: &HostConfig, file: Option<&Path>) -> Result<(), InvalidGrant> {
    let trusted = trusted(config, file);
    for service in &config.services {
        for Directory { host, .. } in &service.serve.grants.directories {
            let real = real(host);
            for (what, path) in &trusted {
                let holds = || locations(path).iter().any(|it| it.starts_with(&real));
                if real.starts_with(self::real(path)) || holds() {
                    return Err(InvalidGrant::Trusted {
                        grant: host.clone(),
                        what,
                        path: path.clone(),
                    });
                }
            }
        }
    }
    Ok(())
}

/// What the host trusts, with what it is.
fn trusted(config: &HostConfig, file: Option<&Path>) -> Vec<(&'static str, PathBuf)> {
    // Through its own folder there a process writes to its own memory.
    let mut trusted = vec![("the kernel's view of processes", PathBuf::from("/proc"))];
    let mut add = |what, path: &Path| trusted.push((what, path.to_owned()));
    file.iter().for_each(|it| add("the configuration", it));
    let cache = config.cache.iter();
    cache.for_each(|it| add("the cache of compiled code", it));
    if let Some(Place::At(path)) = &config.control {
        add("the control socket", path);
    }
    let endpoints = config.services.iter().flat_map(|it| &it.listen);
    let endpoints = endpoints.map(|it| &it.uri).chain(&config.metrics);
    for endpoint in endpoints {
        if let Endpoint::Unix(UnixAddress::Path(path)) = endpoint {
            add("a socket", path);
        }
    }
    for service in &config.services {
        let serve = &service.serve;
        let handlers = serve.handler.files().iter();
        handlers.for_each(|it| add("a handler", it));
        let keys = serve.trust.key_files().iter();
        keys.for_each(|it| add("a signer's key", it));
        let probes = serve.swap.probes.iter();
        probes.for_each(|it| add("a probe", it));
        let tls = service.listen.iter().flat_map(|it| &it.tls);
        tls.flat_map(|tls| tls.files())
            .for_each(|it| add("a certificate or key", it));
    }
    trusted
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

/// Where a path lies, and where each link on the way to it does: whoever can replace one of them chooses what is
/// found there.
fn locations(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::from([real(path)]);
    let mut left = vec![std::path::absolute(path).unwrap_or_else(|_| path.to_owned())];
    while let Some(path) = left.pop() {
        let mut walked = PathBuf::new();
        for component in path.components() {
            if component == Component::ParentDir {
                walked = real(&walked).parent().map_or(walked, Path::to_owned);
                continue;
            }
            let place = real(&walked).join(component);
            if let Ok(target) = fs::read_link(&place)
                && found.len() <= MAX_LINKS
                && found.insert(place.clone())
            {
                left.push(real(&walked).join(target));
            }
            walked = place;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
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
            check_overlaps(&granted)
        };
        assert!(check(&["a", "ab"]).is_ok());
        for paths in [["a", "a/sub"], ["a/sub", "a"], ["a", "link"], ["ab", "ab"]] {
            assert!(check(&paths).is_err(), "{paths:?}");
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
