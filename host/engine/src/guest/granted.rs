//! Which directories handlers are granted that run now: those that serve, and those that finish.

use super::grants::{Directory, Grants, InvalidGrant, OpenDirectory};
use super::state::GuestTerms;
use crate::Engine;
use connection::limits::GuestLimits;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use system::watch::Ways;

impl Engine {
    /// What the instances of a handler in these files get. Its directories are opened for it.
    pub(crate) fn terms(
        &self,
        grants: &Grants,
        limits: GuestLimits,
        files: &[PathBuf],
    ) -> Result<Arc<GuestTerms>, InvalidGrant> {
        // Before they are opened: a guest could have put a link on the way.
        self.granted.check(&grants.directories)?;
        let terms = GuestTerms::new(grants.clone(), limits, self.common.clone())?;
        self.granted.note(&terms.directories);
        self.granted.check_files(files)?;
        Ok(terms)
    }
}

/// The directories of all handlers of this process, for as long as they have them.
#[derive(Default)]
pub struct Granted(Mutex<Vec<Weak<[OpenDirectory]>>>);

impl Granted {
    /// Checks that none of these directories lies in one that a running handler may write to, or holds one that it may
    /// read: a guest could have put a link in its place, or be given what was not meant for it.
    pub fn check(&self, granted: &[Directory]) -> Result<(), InvalidGrant> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|directories| directories.strong_count() > 0);
        let running: Vec<_> = all.iter().filter_map(Weak::upgrade).collect();
        let held = running.iter().flat_map(|directories| directories.iter());
        let held: Vec<_> = held
            .filter_map(|held| Some((held.place()?, held.is_writable)))
            .collect();
        for directory in granted {
            let ways = Ways::of([&directory.host]);
            let overlaps = |(held, is_writable): &&(PathBuf, bool)| {
                let mut places = ways.steps.iter().chain(&ways.ends);
                let leads_through = places.any(|it| it != held && it.starts_with(held));
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

    /// Checks that none of these files of handlers lies in a directory that a running handler may write to, nor a link on
    /// the way to it: a guest could choose what is served next. At the start the configuration was checked for that.
    pub fn check_files(&self, files: &[PathBuf]) -> Result<(), InvalidGrant> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running: Vec<_> = all.iter().filter_map(Weak::upgrade).collect();
        let held = running.iter().flat_map(|directories| directories.iter());
        let writable = held.filter(|held| held.is_writable);
        let writable: Vec<_> = writable.filter_map(OpenDirectory::place).collect();
        for file in files {
            let ways = Ways::of([file]);
            let mut places = ways.steps.iter().chain(&ways.ends);
            if let Some(grant) = places.find_map(|it| writable.iter().find(|at| it.starts_with(at)))
            {
                return Err(InvalidGrant::Trusted {
                    grant: grant.clone(),
                    what: "a handler",
                    path: file.clone(),
                });
            }
        }
        Ok(())
    }

    /// Remembers the directories of a handler.
    pub fn note(&self, directories: &Arc<[OpenDirectory]>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !directories.is_empty() {
            all.push(Arc::downgrade(directories));
        }
    }
}
