//! The granted directories of all running handlers: those that serve, and those that drain.

use super::grants::{Directory, Grants, InvalidGrant, OpenDirectory};
use super::state::GuestSettings;
use crate::Engine;
use connection::limits::GuestLimits;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use system::watch::WatchedPaths;

impl Engine {
    /// The grants of a handler in these files, with its directories opened.
    pub(crate) fn settings<'a>(
        &self,
        grants: &Grants,
        limits: GuestLimits,
        files: impl Iterator<Item = &'a Path>,
    ) -> Result<Arc<GuestSettings>, InvalidGrant> {
        // Before opening: a guest could have put a link on the path.
        self.granted.check(&grants.directories)?;
        let settings = GuestSettings::new(grants.clone(), limits, self.common.clone())?;
        self.granted.note(&settings.directories);
        self.granted.check_files(files)?;
        Ok(settings)
    }
}

/// The directories of all handlers of this process, as long as they run.
#[derive(Default)]
pub struct Granted(Mutex<Vec<Weak<[OpenDirectory]>>>);

impl Granted {
    /// Checks that none of these directories is inside one that a running handler may write to, or
    /// contains one that it may read: a guest could have put a link there, or get access to files
    /// meant for another.
    pub fn check(&self, granted: &[Directory]) -> Result<(), InvalidGrant> {
        let mut all = self.0.lock();
        all.retain(|directories| directories.strong_count() > 0);
        let running: Vec<_> = all.iter().filter_map(Weak::upgrade).collect();
        let held = running.iter().flat_map(|directories| directories.iter());
        let held: Vec<_> = held
            .filter_map(|held| Some((held.current_path()?, held.is_writable)))
            .collect();
        for directory in granted {
            let ways = WatchedPaths::of([&directory.host]);
            let overlaps = |(held, is_writable): &&(PathBuf, bool)| {
                let mut paths = ways.steps.iter().chain(&ways.ends);
                let leads_through = paths.any(|it| it != held && it.starts_with(held));
                let holds = ways
                    .ends
                    .iter()
                    .any(|it| it != held && held.starts_with(it));
                (*is_writable || directory.is_writable) && (leads_through || holds)
            };
            if let Some((held, _)) = held.iter().find(overlaps) {
                return Err(InvalidGrant::Held {
                    grant: directory.host.clone(),
                    held: held.clone(),
                });
            }
        }
        Ok(())
    }

    /// Checks that none of these handler files, or links to them, is inside a directory that a
    /// running handler may write to: a guest could choose the next handler. The configuration was
    /// checked for that at the start.
    pub fn check_files<'a>(
        &self,
        files: impl Iterator<Item = &'a Path>,
    ) -> Result<(), InvalidGrant> {
        let all = self.0.lock();
        let running: Vec<_> = all.iter().filter_map(Weak::upgrade).collect();
        let held = running.iter().flat_map(|directories| directories.iter());
        let writable = held.filter(|held| held.is_writable);
        let writable: Vec<_> = writable.filter_map(OpenDirectory::current_path).collect();
        for file in files {
            let ways = WatchedPaths::of([&file.to_owned()]);
            let mut paths = ways.steps.iter().chain(&ways.ends);
            if let Some(grant) = paths.find_map(|it| writable.iter().find(|at| it.starts_with(at)))
            {
                return Err(InvalidGrant::Trusted {
                    grant: grant.clone(),
                    what: "a handler",
                    path: file.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Remembers the directories of a handler.
    pub fn note(&self, directories: &Arc<[OpenDirectory]>) {
        let mut all = self.0.lock();
        if !directories.is_empty() {
            all.push(Arc::downgrade(directories));
        }
    }
}
