//! How many files a process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Allows as many as can be had, and returns how many that is; `None` for no limit. Every connection is a file,
/// and many systems allow a process no more than 1024 unless it asks.
pub fn allow_many() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where this fails, connections that are too many will fail too, and say so.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}
