//! What the server's process uses, as the kernel tells it in /proc: processor time and memory, its children's
//! included.

use rustix::param::clock_ticks_per_second;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// Where Linux tells about processes.
const PROC: &str = "/proc";

/// Fields of /proc/PID/stat, counted behind the program's name: the parent, and what waited-for children used in
/// user mode, followed by what they used in kernel mode.
const PARENT_FIELD: usize = 1;
const REAPED_FIELD: usize = 13;

/// What a process and its descendants have used until a moment.
#[derive(Debug, Default)]
pub struct Usage {
    processes: HashMap<u32, Process>,
}

#[derive(Debug, Default)]
struct Process {
    /// What each living thread has used, to the nanosecond.
    threads: HashMap<u32, Duration>,
    /// What children used that have ended and been waited for, their own such children included; in steps
    /// of the kernel's clock tick, mostly 10 ms.
    reaped: Duration,
    resident_bytes: u64,
}

impl Usage {
    /// What this process and its descendants have used. A descendant that ends meanwhile is left out.
    pub fn of(pid: u32) -> io::Result<Self> {
        if !Path::new(PROC).join("self/stat").exists() {
            let reason = "this system has no /proc that would tell";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        let first = Process::read(pid).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => io::Error::new(cause.kind(), "there is no such process"),
            _ => cause,
        })?;
        let mut processes = HashMap::from([(pid, first)]);
        let families = families()?;
        let mut parents = vec![pid];
        while let Some(parent) = parents.pop() {
            for child in families.get(&parent).into_iter().flatten() {
                if let Ok(process) = Process::read(*child) {
                    processes.insert(*child, process);
                    parents.push(*child);
                }
            }
        }
        Ok(Usage { processes })
    }

    /// The processor time used since an earlier moment. What a thread used that has ended meanwhile is lost,
    /// and so is what a child used that its parent never waits for.
    pub fn cpu_since(&self, earlier: &Usage) -> Duration {
        let nothing = Process::default();
        let (mut living, mut reaped) = (Duration::ZERO, Duration::ZERO);
        for (pid, process) in &self.processes {
            let before = earlier.processes.get(pid).unwrap_or(&nothing);
            for (thread, used) in &process.threads {
                let before = before.threads.get(thread).copied().unwrap_or_default();
                living += used.saturating_sub(before);
            }
            reaped += process.reaped.saturating_sub(before.reaped);
        }
        // Of those that are gone the parents now have everything, what they had used before included.
        let gone = earlier.processes.iter();
        let gone = gone.filter(|(pid, _)| !self.processes.contains_key(pid));
        let counted: Duration = gone.map(|(_, process)| process.total()).sum();
        living + reaped.saturating_sub(counted)
    }

    /// Memory that is resident now. What processes share counts once for each of them.
    pub fn resident_bytes(&self) -> u64 {
        self.processes.values().map(|it| it.resident_bytes).sum()
    }
}

impl Process {
    fn read(pid: u32) -> io::Result<Self> {
        let folder = Path::new(PROC).join(pid.to_string());
        let mut process = Process {
            threads: HashMap::new(),
            reaped: reaped(&fs::read_to_string(folder.join("stat"))?).unwrap_or_default(),
            resident_bytes: resident(&fs::read_to_string(folder.join("status"))?),
        };
        for thread in fs::read_dir(folder.join("task"))?.flatten() {
            let schedstat = fs::read_to_string(thread.path().join("schedstat"));
            // It may have ended since it was listed.
            if let (Some(number), Ok(schedstat)) = (number(&thread), schedstat) {
                let used = Duration::from_nanos(first(&schedstat).unwrap_or(0));
                process.threads.insert(number, used);
            }
        }
        Ok(process)
    }

    fn total(&self) -> Duration {
        self.threads.values().sum::<Duration>() + self.reaped
    }
}

/// The children of every process. There is also a file that lists a process's own, but it leaves some out while
/// others come and go.
fn families() -> io::Result<HashMap<u32, Vec<u32>>> {
    let mut families: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in fs::read_dir(PROC)?.flatten() {
        let Some(pid) = number(&process) else {
            continue;
        };
        let stat = fs::read_to_string(process.path().join("stat"));
        if let Some(parent) = stat.ok().and_then(|stat| parent(&stat)) {
            families.entry(parent).or_default().push(pid);
        }
    }
    Ok(families)
}

/// Processes and threads are folders named by their number.
fn number(entry: &fs::DirEntry) -> Option<u32> {
    entry.file_name().to_str()?.parse().ok()
}

/// The fields of /proc/PID/stat behind the program's name, which may hold anything but ends with the last
/// parenthesis.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

fn parent(stat: &str) -> Option<u32> {
    fields(stat)?.nth(PARENT_FIELD)?.parse().ok()
}

/// What children used that were waited for.
fn reaped(stat: &str) -> Option<Duration> {
    let used = fields(stat)?.skip(REAPED_FIELD).take(2);
    let ticks: u64 = used.flat_map(u64::from_str).sum();
    Some(Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second()).ok()?)
}

/// What /proc/PID/status says of resident memory; a process that has ended has none.
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
    use rustix::time::{ClockId, clock_gettime};
    use std::io::Write;
    use std::os::unix::process::CommandExt;
    use std::process::{self, Child, Command, Stdio};
    use std::sync::Barrier;
    use std::thread::{self, sleep};
    use std::time::Instant;

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
            // With all that it has started.
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
        let has_child = || Usage::of(shell.0.id()).unwrap().processes.len() > 1;
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
        // What was seen of the child half-way is not counted a second time when it was waited for.
        let rest = shell.used_since(&half_way);
        let sum = (until_then + rest).as_secs_f64() / whole.as_secs_f64();
        assert!(
            (0.7..1.3).contains(&sum),
            "{until_then:?} {rest:?} {whole:?}"
        );
    }

    #[test]
    fn threads_count_each() {
        const SPENT: Duration = Duration::from_millis(30);
        let before = Usage::of(process::id()).unwrap();
        // Twice: both have computed, and both may end.
        let (begun, meet) = (Instant::now(), Barrier::new(3));
        let compute = || {
            let used = || clock_gettime(ClockId::ThreadCPUTime).tv_nsec;
            while used() < SPENT.as_nanos() as i64 && begun.elapsed() < DEADLINE {}
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
            assert!(used > SPENT * 3 / 2, "{used:?}");
            assert!(usage.resident_bytes() > 100_000);
        });
    }

    #[test]
    fn no_descendant_is_left_out_while_others_come_and_go() {
        // Each of twenty children has one of its own, and the shell goes on starting more.
        let pairs =
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sleep 600; :) & done";
        let shell = Shell::run(&format!("{pairs}; while :; do (:); done"));
        let count = || Usage::of(shell.0.id()).unwrap().processes.len();
        let begun = Instant::now();
        // One of those that come and go may stand in for one that is not there yet, so there has to be one of them, too.
        while count() < 42 {
            assert!(begun.elapsed() < DEADLINE, "only {} are there", count());
        }
        for _ in 0..100 {
            assert!(count() >= 41, "only {}", count());
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error_that_says_so() {
        // Numbers of processes end far below.
        let error = Usage::of(u32::MAX / 2).unwrap_err();
        assert_eq!(error.to_string(), "there is no such process");
    }

    #[test]
    fn a_program_may_have_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 250 50 20 0 1";
        let tick = Duration::from_secs(1) / u32::try_from(clock_ticks_per_second()).unwrap();
        assert_eq!(reaped(stat), Some(tick * 300));
        assert_eq!(parent(stat), Some(1));
        assert_eq!(resident("Name:\tx\nVmRSS:\t    12 kB\n"), 12 * 1024);
        assert_eq!(resident("Name:\tx\nState:\tZ (zombie)\n"), 0);
    }
}
