//! The resource usage of a process, from the kernel.

use anyhow::{Context, Result};
use std::fs;

/// The resources of a process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub resident_kib: u64,
    /// The peak of resident memory.
    pub peak_kib: u64,
    pub descriptors: u64,
    pub threads: u64,
    /// Memory mappings: compiled code has some, and so does each memory that grew.
    pub mappings: u64,
}

impl Usage {
    /// Fails if the process does not exist any more.
    pub fn of(pid: u32) -> Result<Self> {
        let gone = || format!("there is no process {pid} any more");
        let folder = format!("/proc/{pid}");
        let count = |name: &str| -> Result<u64> {
            let entries = fs::read_dir(format!("{folder}/{name}")).with_context(gone)?;
            Ok(entries.count() as u64)
        };
        let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).with_context(gone);
        let status = read("status")?;
        Ok(Usage {
            resident_kib: kib(&status, "VmRSS:").with_context(gone)?,
            peak_kib: kib(&status, "VmHWM:").with_context(gone)?,
            descriptors: count("fd")?,
            threads: count("task")?,
            mappings: read("maps")?.lines().count() as u64,
        })
    }
}

/// A line of the status. A zombie has none about memory.
fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(
            usage.peak_kib >= usage.resident_kib
                && usage.resident_kib > 100
                && usage.descriptors > 2,
            "{usage:?}"
        );
        assert!(usage.threads > 0 && usage.mappings > 10, "{usage:?}");
    }

    #[test]
    fn a_process_that_is_gone_uses_nothing() {
        assert_eq!(kib("Name:\tx\nState:\tZ (zombie)\n", "VmRSS:"), None);
        assert_eq!(kib("VmRSS:\t    1234 kB\n", "VmRSS:"), Some(1234));
        assert!(Usage::of(u32::MAX).is_err());
    }
}
