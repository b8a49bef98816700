//! The resources of this process, and of the server process and its descendants: CPU time and
//! memory.

use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// The folder of process information on Linux.
const PROC: &str = "/proc";

/// The resources used so far by both sides.
pub struct Meter {
    moment: Instant,
    /// CPU time of this process, user and kernel mode.
    own: Duration,
    /// Missing if the server's process has ended.
    server: Option<(Instant, Usage)>,
}

impl Meter {
    pub fn read(server_pid: Option<u32>) -> Self {
        let own = clock_gettime(ClockId::ProcessCPUTime);
        Meter {
            moment: Instant::now(),
            own: Duration::new(own.tv_sec as u64, own.tv_nsec as u32),
            // The moment after it was read: that takes a while.
            server: server_pid.and_then(|pid| {
                let usage = Usage::of(pid).ok()?;
                Some((Instant::now(), usage))
            }),
        }
    }

    /// Cores that this process kept busy since an earlier moment.
    pub fn own_cores_since(&self, earlier: &Meter) -> f64 {
        let used = self.own.saturating_sub(earlier.own);
        cores(used, self.moment - earlier.moment)
    }

    /// Cores that the server kept busy since an earlier moment, and its resident memory.
    pub fn server_since(&self, earlier: &Meter) -> Option<(f64, u64)> {
        let ((now, usage), (then, before)) = (self.server.as_ref()?, earlier.server.as_ref()?);
        let used = usage.cpu_since(before);
        Some((cores(used, *now - *then), usage.resident_bytes))
    }
}

fn cores(used: Duration, time: Duration) -> f64 {
    used.as_secs_f64() / time.as_secs_f64().max(f64::EPSILON)
}

/// The resources used so far by a process and its descendants.
#[derive(Debug, Default)]
pub struct Usage {
    /// The CPU time of each living thread.
    threads: HashMap<u32, Duration>,
    /// The CPU time of ended, waited-for children and their own such children, in clock ticks of
    /// mostly 10 ms.
    reaped: Duration,
    /// Shared memory counts for each process.
    pub resident_bytes: u64,
}

impl Usage {
    /// Reads the resources of a process and its descendants. A descendant that ends meanwhile is
    /// left out.
    pub fn of(pid: u32) -> io::Result<Self> {
        if !Path::new(PROC).join("self/stat").exists() {
            let reason = "this system has no /proc to read it from";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        let mut usage = Usage::default();
        usage.add(pid).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => io::Error::new(cause.kind(), "no such process"),
            _ => cause,
        })?;
        let families = families()?;
        let mut parents = vec![pid];
        while let Some(parent) = parents.pop() {
            for child in families.get(&parent).into_iter().flatten() {
                if usage.add(*child).is_ok() {
                    parents.push(*child);
                }
            }
        }
        Ok(usage)
    }

    fn add(&mut self, pid: u32) -> io::Result<()> {
        let folder = Path::new(PROC).join(pid.to_string());
        let stat = fs::read_to_string(folder.join("stat"))?;
        let status = fs::read_to_string(folder.join("status"))?;
        for thread in fs::read_dir(folder.join("task"))?.flatten() {
            let schedstat = fs::read_to_string(thread.path().join("schedstat"));
            // The thread may have ended meanwhile.
            if let (Some(number), Ok(schedstat)) = (number(&thread), schedstat) {
                let used = Duration::from_nanos(first(&schedstat).unwrap_or(0));
                self.threads.insert(number, used);
            }
        }
        self.reaped += parent_and_reaped(&stat).map_or(Duration::ZERO, |(_, reaped)| reaped);
        self.resident_bytes += resident(&status);
        Ok(())
    }

    /// The CPU time since an earlier moment. That of threads that ended meanwhile is lost, and of
    /// children that are never waited for.
    pub fn cpu_since(&self, earlier: &Usage) -> Duration {
        let mut living = Duration::ZERO;
        for (thread, used) in &self.threads {
            let before = earlier.threads.get(thread).copied().unwrap_or_default();
            living += used.saturating_sub(before);
        }
        // The parents now have all of the ended ones, including their earlier use.
        let gone = earlier.threads.iter();
        let gone = gone.filter(|(thread, _)| !self.threads.contains_key(thread));
        let counted: Duration = gone.map(|(_, used)| *used).sum();
        let reaped = self.reaped.saturating_sub(earlier.reaped);
        living + reaped.saturating_sub(counted)
    }
}

/// The children of every process. The kernel's own list of children misses some while others come
/// and go.
fn families() -> io::Result<HashMap<u32, Vec<u32>>> {
    let mut families: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in fs::read_dir(PROC)?.flatten() {
        let stat = fs::read_to_string(process.path().join("stat"));
        let parent = stat.ok().and_then(|stat| parent_and_reaped(&stat));
        if let (Some(pid), Some((parent, _))) = (number(&process), parent) {
            families.entry(parent).or_default().push(pid);
        }
    }
    Ok(families)
}

/// Processes and threads are folders named by their number.
fn number(entry: &fs::DirEntry) -> Option<u32> {
    entry.file_name().to_str()?.parse().ok()
}

/// The parent in /proc/PID/stat, and the CPU time of waited-for children.
fn parent_and_reaped(stat: &str) -> Option<(u32, Duration)> {
    // The program name may contain anything and ends at the last parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let mut ticks = fields.skip(11).map_while(|it| it.parse::<u64>().ok());
    let ticks = ticks.next()? + ticks.next()?;
    let per_second = u32::try_from(clock_ticks_per_second()).ok()?;
    Some((parent, Duration::from_secs(ticks) / per_second))
}

/// The resident memory in /proc/PID/status; 0 for an ended process.
fn resident(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(first).unwrap_or(0) * 1024
}

fn first(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process_group};
    use std::io::Write;
    use std::os::unix::process::CommandExt;
    use std::process::{self, Child, Command, Stdio};
    use std::sync::Barrier;
    use std::thread::{self, sleep};

    /// A shell that runs a script, and is killed at the end.
    struct Shell(Child);

    impl Shell {
        fn run(script: &str) -> Self {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdin(Stdio::piped());
            command.process_group(0);
            Shell(command.spawn().unwrap())
        }

        fn used_since(&self, earlier: &Usage) -> Duration {
            Usage::of(self.0.id()).unwrap().cpu_since(earlier)
        }
    }

    impl Drop for Shell {
        fn drop(&mut self) {
            // With everything it started.
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
            let _ = self.0.wait();
        }
    }

    const COMPUTE: &str = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    const DEADLINE: Duration = Duration::from_secs(60);

    #[test]
    fn what_children_use_counts_while_they_live_and_after() {
        // The subshell computes, ends and is waited for; then the shell waits for its input to end.
        let shell = Shell::run(&format!("read go; ({COMPUTE}); read end"));
        let before = Usage::of(shell.0.id()).unwrap();
        assert!(shell.used_since(&before) < Duration::from_millis(50));
        let mut input = shell.0.stdin.as_ref().unwrap();
        input.write_all(b"go\n").unwrap();
        let begun = Instant::now();
        let has_child = || Usage::of(shell.0.id()).unwrap().threads.len() > 1;
        while !has_child() || shell.used_since(&before) < Duration::from_millis(20) {
            assert!(begun.elapsed() < DEADLINE, "nobody computes");
        }
        let half_way = Usage::of(shell.0.id()).unwrap();
        let until_then = half_way.cpu_since(&before);
        while has_child() {
            assert!(begun.elapsed() < DEADLINE, "it does not end");
            sleep(Duration::from_millis(1));
        }
        let whole = shell.used_since(&before);
        assert!(whole > until_then, "{whole:?} {until_then:?}");
        // The child's earlier use is not counted twice after the wait.
        let rest = shell.used_since(&half_way);
        let sum = (until_then + rest).as_secs_f64() / whole.as_secs_f64();
        assert!(
            (0.7..1.3).contains(&sum),
            "{until_then:?} {rest:?} {whole:?}"
        );
    }

    #[test]
    fn threads_count_each() {
        let before = Usage::of(process::id()).unwrap();
        let (begun, meet) = (Instant::now(), Barrier::new(3));
        // Twice: both have computed, and both may end.
        let compute = || {
            let used = || clock_gettime(ClockId::ThreadCPUTime).tv_nsec;
            while used() < 30_000_000 && begun.elapsed() < DEADLINE {}
            meet.wait();
            meet.wait();
        };
        thread::scope(|scope| {
            scope.spawn(compute);
            scope.spawn(compute);
            meet.wait();
            let usage = Usage::of(process::id());
            meet.wait();
            let usage = usage.unwrap();
            let used = usage.cpu_since(&before);
            assert!(used > Duration::from_millis(45), "{used:?}");
            assert!(usage.resident_bytes > 100_000);
        });
    }

    #[test]
    fn no_descendant_is_left_out_while_others_come_and_go() {
        // Each of twenty children has a child, and the shell keeps starting more.
        let pairs =
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sleep 600; :) & done";
        let shell = Shell::run(&format!("{pairs}; while :; do (:); done"));
        let count = || Usage::of(shell.0.id()).unwrap().threads.len();
        let begun = Instant::now();
        // A short-lived process may be counted instead of a missing one, so one of them must exist
        // too.
        while count() < 42 {
            assert!(begun.elapsed() < DEADLINE, "only {} are there", count());
        }
        for _ in 0..100 {
            assert!(count() >= 41, "only {}", count());
        }
    }

    #[test]
    fn a_program_may_have_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 250 50 20 0 1";
        let tick = Duration::from_secs(1) / u32::try_from(clock_ticks_per_second()).unwrap();
        assert_eq!(parent_and_reaped(stat), Some((1, tick * 300)));
        assert_eq!(resident("Name:\tx\nVmRSS:\t    12 kB\n"), 12 * 1024);
        assert_eq!(resident("Name:\tx\nState:\tZ (zombie)\n"), 0);
    }
}
