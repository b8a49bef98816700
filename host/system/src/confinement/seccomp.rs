//! Filters system calls with seccomp(2).
//!
//! An allow-list ([`NEEDED`], and [`conditional`] for calls that depend on arguments), so that new
//! or forgotten calls are denied. A denied call does not end the process: it fails with EPERM or,
//! if unknown here, with ENOSYS, for which C libraries have a fallback.

use super::calls::{DENIED, DENIED_HERE, NEEDED, NEEDED_HERE};
use super::error::ConfinementError;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
};
use std::collections::BTreeMap;
use std::env::consts::ARCH;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Condition = Result<SeccompCondition, BackendError>;

/// The clone flags of a thread. A process lacks some of them, and a namespace adds one.
const THREAD: i32 = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_THREAD;
const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Memory is never writable and executable at once. A compiler writes code first, then makes it
/// executable.
const WRITABLE_CODE: i32 = libc::PROT_WRITE | libc::PROT_EXEC;

/// The type bits of a socket; the others are flags.
const SOCKET_TYPE: i32 = 0xf;

/// The allowed ioctls: whether a file is a terminal, its width, readable bytes, non-blocking mode,
/// and interface numbers. Typing into a terminal is not possible.
const REQUESTS: [u64; 9] = [
    libc::TCGETS,
    libc::TCGETS2,
    libc::TIOCGWINSZ,
    libc::FIONREAD,
    libc::FIONBIO,
    libc::FIOCLEX,
    libc::FIONCLEX,
    libc::SIOCGIFINDEX,
    libc::SIOCGIFNAME,
];

/// Which pages of a process were written, of `/proc/self/pagemap`: linux/fs.h. Allowed if asked
/// for.
const PAGEMAP_SCAN: u64 = 0xc060_6610;

/// The allowed prctl options: names of threads and memory, no_new_privs, and the parent death
/// signal.
const PRCTL: [i32; 8] = [
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_SET_VMA,
    libc::PR_SET_NO_NEW_PRIVS,
    libc::PR_GET_NO_NEW_PRIVS,
    libc::PR_SET_PDEATHSIG,
    libc::PR_GET_DUMPABLE,
    libc::PR_SET_THP_DISABLE,
];

/// The calls to run a program, besides `clone`.
const PROGRAMS: [i64; 2] = [libc::SYS_execve, libc::SYS_setrlimit];

/// Changes the protocol of a connection, below the level that Landlock checks.
const TCP_ULP: i32 = 31;

/// Denies every call that is not listed, in all threads. Memory can be scanned for written pages if
/// it `scans`.
pub fn restrict(scans: bool) -> Result<(), ConfinementError> {
    install(allowed().and_then(|mut allowed| {
        let rules = allowed.entry(libc::SYS_ioctl).or_default();
        if scans {
            rules.push(SeccompRule::new(vec![equals(1, PAGEMAP_SCAN)?])?);
        }
        Ok(allowed)
    }))
}

/// The same for a process that may run programs, as far as Landlock allows.
pub fn restrict_helper() -> Result<(), ConfinementError> {
    install(allowed().and_then(|mut allowed| {
        allowed.extend(PROGRAMS.map(|call| (call, Vec::new())));
        let no_namespace = SeccompRule::new(vec![masked(0, NAMESPACES, 0)?])?;
        allowed.insert(libc::SYS_clone, vec![no_namespace]);
        Ok(allowed)
    }))
}

fn install(allowed: Result<Rules, BackendError>) -> Result<(), ConfinementError> {
    let fail = |error: &dyn ToString| ConfinementError::Seccomp(error.to_string());
    let allowed = allowed.map_err(|error| fail(&error))?;
    let known = allowed.keys().chain(DENIED).chain(DENIED_HERE);
    let known: Rules = known.map(|call| (*call, Vec::new())).collect();
    // If two filters deny a call, the later one's error counts.
    for (rules, errno) in [(allowed, libc::EPERM), (known, libc::ENOSYS)] {
        let filter = compiled(rules, errno).map_err(|error| fail(&error))?;
        apply_filter_all_threads(&filter).map_err(|error| fail(&error))?;
    }
    Ok(())
}

/// A filter that allows calls without rules always, and others if one rule matches.
fn compiled(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    let denial = SeccompAction::Errno(errno.unsigned_abs());
    let architecture = TargetArch::try_from(ARCH)?;
    SeccompFilter::new(rules, denial, SeccompAction::Allow, architecture)?.try_into()
}

fn allowed() -> Result<Rules, BackendError> {
    let needed = NEEDED.iter().chain(NEEDED_HERE);
    let mut allowed: Rules = needed.map(|call| (*call, Vec::new())).collect();
    for (call, rules) in conditional() {
        let rules = rules.into_iter().map(|conditions| {
            let conditions = conditions.into_iter().collect::<Result<Vec<_>, _>>()?;
            SeccompRule::new(conditions)
        });
        allowed.insert(call, rules.collect::<Result<_, _>>()?);
    }
    Ok(allowed)
}

/// Calls that are allowed if all conditions of a rule hold.
fn conditional() -> Vec<(i64, Vec<Vec<Condition>>)> {
    let own = std::process::id().into();
    // Some C libraries use memory that is neither, and some read code.
    let memory =
        || [0, libc::PROT_WRITE, libc::PROT_EXEC].map(|it| vec![masked(2, WRITABLE_CODE, it)]);
    // Fast open would connect without `connect`, which Landlock checks.
    let no_fast_open = |index| vec![vec![masked(index, libc::MSG_FASTOPEN, 0)]];
    let is_one_of = |index, values: &[u64]| {
        let rules = values.iter().map(|value| vec![equals(index, *value)]);
        rules.collect::<Vec<_>>()
    };
    vec![
        (libc::SYS_socket, sockets()),
        (libc::SYS_socketpair, is_one_of(0, &[libc::AF_UNIX as u64])),
        (libc::SYS_mmap, memory().into()),
        (libc::SYS_mprotect, memory().into()),
        (
            libc::SYS_clone,
            vec![vec![masked(0, THREAD | NAMESPACES, THREAD)]],
        ),
        (
            libc::SYS_unshare,
            is_one_of(0, &[libc::CLONE_FS.unsigned_abs().into()]),
        ),
        (libc::SYS_sendto, no_fast_open(3)),
        (libc::SYS_sendmsg, no_fast_open(2)),
        (libc::SYS_sendmmsg, no_fast_open(3)),
        (
            libc::SYS_setsockopt,
            vec![
                vec![differs(1, libc::IPPROTO_TCP)],
                vec![differs(2, TCP_ULP)],
            ],
        ),
        (libc::SYS_ioctl, is_one_of(1, &REQUESTS)),
        (
            libc::SYS_prctl,
            is_one_of(0, &PRCTL.map(|option| option.unsigned_abs().into())),
        ),
        (libc::SYS_prlimit64, is_one_of(0, &[0, own])),
        (libc::SYS_kill, is_one_of(0, &[own])),
        (libc::SYS_tgkill, is_one_of(0, &[own])),
    ]
}

/// Sockets of clients, and rtnetlink(7) for the C library. Landlock checks only TCP, so other
/// protocols are denied: MPTCP, SMC, SCTP.
fn sockets() -> Vec<Vec<Condition>> {
    let mut rules = Vec::new();
    for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
        rules.push(vec![
            equals(0, libc::AF_UNIX as u64),
            masked(1, SOCKET_TYPE, kind),
        ]);
    }
    for family in [libc::AF_INET, libc::AF_INET6] {
        for (kind, protocol) in [
            (libc::SOCK_STREAM, libc::IPPROTO_TCP),
            (libc::SOCK_DGRAM, libc::IPPROTO_UDP),
        ] {
            for protocol in [0, protocol] {
                rules.push(vec![
                    equals(0, family as u64),
                    masked(1, SOCKET_TYPE, kind),
                    equals(2, protocol as u64),
                ]);
            }
        }
    }
    rules.push(vec![
        equals(0, libc::AF_NETLINK as u64),
        equals(2, libc::NETLINK_ROUTE as u64),
    ]);
    rules
}

/// A condition on some bits of an argument.
fn masked(index: u8, mask: i32, value: i32) -> Condition {
    let operator = SeccompCmpOp::MaskedEq(mask.unsigned_abs().into());
    argument(index, operator, value.unsigned_abs().into())
}

fn equals(index: u8, value: u64) -> Condition {
    argument(index, SeccompCmpOp::Eq, value)
}

fn differs(index: u8, value: i32) -> Condition {
    argument(index, SeccompCmpOp::Ne, value.unsigned_abs().into())
}

/// A condition on the lower 32 bits of an argument, which are all the kernel uses.
fn argument(index: u8, operator: SeccompCmpOp, value: u64) -> Condition {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)
}
