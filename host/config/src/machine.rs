//! What the machine has, or lets this process have.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// Bytes of memory that this process may use: the machine's, or less if its control group has less
/// (Linux). Looked up once: later the process may have denied itself to look.
pub fn memory_bytes() -> Option<usize> {
    static FOUND: OnceLock<Option<usize>> = OnceLock::new();
    *FOUND.get_or_init(look_up)
}

fn look_up() -> Option<usize> {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| total(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().filter_map(limit_of_group);
    limits.chain(machine).min()
}

/// `MemTotal:       24671360 kB`
fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The limit of a control group, which is a line such as `0::/system.slice/echo-host.service`, or
/// in the first version
/// `4:memory:/system.slice`.
fn limit_of_group(line: &str) -> Option<usize> {
    let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
    let (root, file) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max"),
        "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return None,
    };
    let folder = Path::new(root).join(path.trim_start_matches('/'));
    // Without a limit it says `max`.
    let limit = fs::read_to_string(folder.join(file)).ok()?;
    limit.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found() {
        let text = "MemFree: 1 kB\nMemTotal:       24671360 kB\n";
        assert_eq!(total(text), Some(24_671_360 * 1024));
        assert_eq!(total("MemTotal: much"), None);
    }

    #[test]
    fn other_controllers_have_no_memory() {
        assert_eq!(limit_of_group("9:name=systemd:/"), None);
        assert_eq!(limit_of_group("1:cpu:/"), None);
        assert_eq!(limit_of_group("nonsense"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_some() {
        assert!(memory_bytes().is_some_and(|bytes| bytes > 64 << 20));
    }
}
