//! Calls of the kernel: seccomp(2).
//!
//! This is a list of what no server does, and all else is allowed: a list of what this one does would be
//! another one with each C library, each kernel and each release of what the host is built from, and what it
//! had forgotten would be an outage. What is denied fails as if the process had no right to it, and does not
//! end it: if it was not an attack after all but somebody's mistake, it is told where it happened, and all
//! others are served.

use super::error::ConfinementError;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
};
use std::collections::BTreeMap;
use std::env::consts::ARCH;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Running and inspecting other programs, changing what the machine is and what a process sees of it, and those
/// parts of the kernel that attacks begin in.
const NEVER: [i64; 55] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_personality,
    libc::SYS_mknodat,
    libc::SYS_fanotify_init,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
];

/// Where clients come from; the last is how the C library asks which addresses this machine has.
const FAMILIES: [i32; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Namespaces of one's own, in which one is root.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Code is written first and made executable then, and never both at once.
const WRITABLE_CODE: i32 = libc::PROT_WRITE | libc::PROT_EXEC;

/// The same processors have the same calls under other numbers, with this bit: the x32 interface, which a kernel may
/// offer beside, and which nobody here uses. Some calls have numbers of their own there.
const X32: i64 = 0x4000_0000;
const X32_ONLY: std::ops::RangeInclusive<i64> = 512..=547;

/// Denies this process, in all its threads, what is listed here.
pub fn restrict() -> Result<(), ConfinementError> {
    let fail = |error: &dyn ToString| ConfinementError::Seccomp(error.to_string());
    let never = denied().and_then(|rules| compiled(rules, libc::EPERM));
    // Its flags lie where a filter can't look. Told that there is no such call, C libraries take clone instead.
    let clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
    for filter in [never, compiled(clone3, libc::ENOSYS)] {
        let filter = filter.map_err(|error| fail(&error))?;
        apply_filter_all_threads(&filter).map_err(|error| fail(&error))?;
    }
    Ok(())
}

fn compiled(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    let denial = SeccompAction::Errno(errno.unsigned_abs());
    let architecture = TargetArch::try_from(ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, denial, architecture)?.try_into()
}

/// What is denied: calls without rules always, others if one of their rules fits.
fn denied() -> Result<Rules, BackendError> {
    let mut denied: Rules = NEVER.iter().map(|call| (*call, Vec::new())).collect();
    let is_another = |family| argument(0, SeccompCmpOp::Ne, family);
    let families = FAMILIES.into_iter().map(is_another);
    let family = SeccompRule::new(families.collect::<Result<_, _>>()?)?;
    denied.insert(libc::SYS_socket, vec![family]);
    for call in [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect] {
        denied.insert(call, vec![has_all(2, WRITABLE_CODE)?]);
    }
    let namespaces = NAMESPACES.into_iter().map(|flag| has_all(0, flag));
    denied.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    if cfg!(target_arch = "x86_64") {
        let native: Vec<_> = denied.keys().copied().collect();
        let x32 = native.into_iter().chain(X32_ONLY);
        denied.extend(x32.map(|call| (call | X32, Vec::new())));
    }
    Ok(denied)
}

/// Fits if all of these bits are set in an argument.
fn has_all(index: u8, flags: i32) -> Result<SeccompRule, BackendError> {
    let mask = flags.unsigned_abs().into();
    SeccompRule::new(vec![argument(index, SeccompCmpOp::MaskedEq(mask), flags)?])
}

/// Compares an argument of 32 bits.
fn argument(
    index: u8,
    comparison: SeccompCmpOp,
    value: i32,
) -> Result<SeccompCondition, BackendError> {
    let value = value.unsigned_abs().into();
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, comparison, value)
}
