//! Tries, in each thread of a running host, what SECURITY.md says that the host denies itself.

use super::injection::{Argument, Stopped, threads};
use crate::fixture::root;
use nix::libc;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A call that must fail.
struct Attempt {
    /// The name in SECURITY.md.
    name: &'static str,
    number: i64,
    arguments: Vec<Argument>,
}

fn attempt(name: &'static str, number: i64, arguments: &[i64]) -> Attempt {
    let arguments = arguments
        .iter()
        .map(|it| Argument::Number(it.cast_unsigned()));
    Attempt {
        name,
        number,
        arguments: arguments.collect(),
    }
}

/// Calls that are denied with any arguments: these are invalid.
fn always() -> Vec<Attempt> {
    macro_rules! calls {
        ($($name:ident)*) => {
            vec![$(attempt(
                stringify!($name).strip_prefix("SYS_").unwrap(),
                libc::$name,
                &[],
            )),*]
        };
    }
    let mut all = calls! {
        SYS_execve SYS_execveat SYS_fork SYS_vfork SYS_clone SYS_clone3
        SYS_chmod SYS_fchmodat SYS_fchmodat2 SYS_chown SYS_lchown SYS_fchown SYS_fchownat
        SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr
        SYS_mknod SYS_mknodat
        SYS_setuid SYS_setgid SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid
        SYS_setfsuid SYS_setfsgid SYS_setgroups SYS_capset
        SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_process_madvise SYS_kcmp
        SYS_pidfd_open SYS_pidfd_getfd SYS_pidfd_send_signal SYS_tkill SYS_rt_sigqueueinfo
        SYS_rt_tgsigqueueinfo SYS_setpriority SYS_sched_setaffinity SYS_sched_setscheduler
        SYS_move_pages SYS_migrate_pages
        SYS_mount SYS_umount2 SYS_pivot_root SYS_chroot SYS_fsopen SYS_fsconfig SYS_fsmount SYS_fspick
        SYS_open_tree SYS_move_mount SYS_mount_setattr SYS_setns SYS_unshare
        SYS_name_to_handle_at SYS_open_by_handle_at
        SYS_bpf SYS_perf_event_open SYS_userfaultfd SYS_io_uring_setup SYS_io_uring_enter
        SYS_io_uring_register SYS_io_setup SYS_add_key SYS_request_key SYS_keyctl SYS_fanotify_init
        SYS_modify_ldt SYS_iopl SYS_ioperm SYS_personality SYS_vmsplice
        SYS_init_module SYS_finit_module SYS_delete_module SYS_kexec_load SYS_kexec_file_load SYS_reboot
        SYS_swapon SYS_swapoff SYS_settimeofday SYS_clock_settime SYS_clock_adjtime SYS_adjtimex
        SYS_sethostname SYS_setdomainname SYS_syslog SYS_vhangup SYS_acct SYS_quotactl
        SYS_pkey_mprotect
    };
    // Numbers that the C library's bindings do not have yet.
    for (name, number) in [
        ("setxattrat", 463),
        ("removexattrat", 466),
        ("open_tree_attr", 467),
        ("file_setattr", 469),
    ] {
        all.push(attempt(name, number, &[]));
    }
    all
}

/// Calls that are denied for their arguments.
fn sometimes(outside: i64) -> Vec<Attempt> {
    const ANY: i64 = 0x4e1;
    let (stream, raw) = (libc::SOCK_STREAM.into(), libc::SOCK_RAW.into());
    let (datagrams, ipv4): (i64, i64) = (libc::SOCK_DGRAM.into(), libc::AF_INET.into());
    let netlink = libc::AF_NETLINK.into();
    let socket = |name, arguments: [i64; 3]| attempt(name, libc::SYS_socket, &arguments);
    let request = |name, number: u64| {
        // The kernel ignores bits above 32, and a filter must ignore them as well.
        attempt(name, libc::SYS_ioctl, &[0, number as i64 | 1 << 32, 0])
    };
    let fast_open: i64 = libc::MSG_FASTOPEN.into();
    let code = (libc::PROT_WRITE | libc::PROT_EXEC).into();
    let private = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).into();
    vec![
        attempt(
            "sendto(MSG_FASTOPEN)",
            libc::SYS_sendto,
            &[ANY, 0, 0, fast_open],
        ),
        attempt(
            "sendmsg(MSG_FASTOPEN)",
            libc::SYS_sendmsg,
            &[ANY, 0, fast_open],
        ),
        attempt(
            "sendmmsg(MSG_FASTOPEN)",
            libc::SYS_sendmmsg,
            &[ANY, 0, 0, fast_open],
        ),
        socket("socket(AF_PACKET)", [libc::AF_PACKET.into(), raw, 0]),
        socket("socket(AF_ALG)", [libc::AF_ALG.into(), 5, 0]),
        socket("socket(AF_VSOCK)", [libc::AF_VSOCK.into(), stream, 0]),
        socket("socket(SOCK_RAW)", [ipv4, raw, 255]),
        socket("socket(IPPROTO_MPTCP)", [ipv4, stream, 262]),
        socket("socket(IPPROTO_SCTP)", [ipv4, stream, 132]),
        socket("socket(IPPROTO_SMC)", [ipv4, stream, 256]),
        socket("socket(IPPROTO_ICMP)", [ipv4, datagrams, 1]),
        socket("socket(NETLINK_NETFILTER)", [netlink, raw, 12]),
        socket("socket(NETLINK_KOBJECT_UEVENT)", [netlink, raw, 15]),
        socket("socket(NETLINK_GENERIC)", [netlink, raw, 16]),
        attempt(
            "setsockopt(TCP_ULP)",
            libc::SYS_setsockopt,
            &[ANY, 6, 31, 0, 0],
        ),
        request("ioctl(FS_IOC_SETFLAGS)", 0x4008_6602),
        request("ioctl(PAGEMAP_SCAN)", 0xc060_6610),
        request("ioctl(TIOCSTI)", libc::TIOCSTI),
        request("ioctl(TIOCLINUX)", libc::TIOCLINUX),
        request("ioctl(TIOCSCTTY)", libc::TIOCSCTTY),
        attempt("kill", libc::SYS_kill, &[outside, 0]),
        attempt("tgkill", libc::SYS_tgkill, &[outside, outside, 0]),
        attempt("prlimit64", libc::SYS_prlimit64, &[outside, 0, 0, 0]),
        attempt(
            "mmap(PROT_WRITE, PROT_EXEC)",
            libc::SYS_mmap,
            &[0, 4096, code, private, -1, 0],
        ),
        attempt(
            "mprotect(PROT_WRITE, PROT_EXEC)",
            libc::SYS_mprotect,
            &[0, 0, code],
        ),
    ]
}

/// What Landlock denies.
fn by_path(file: &Path) -> Vec<Attempt> {
    let path = CString::new(file.to_str().unwrap())
        .unwrap()
        .into_bytes_with_nul();
    let new = CString::new(format!("{}.new", file.display()))
        .unwrap()
        .into_bytes_with_nul();
    let with_path = |name, number, path: &[u8], rest: &[i64]| Attempt {
        name,
        number,
        arguments: [
            Argument::Number(i64::from(libc::AT_FDCWD).cast_unsigned()),
            Argument::Bytes(path.to_vec()),
        ]
        .into_iter()
        .chain(rest.iter().map(|it| Argument::Number(it.cast_unsigned())))
        .collect(),
    };
    vec![
        with_path("open to read", libc::SYS_openat, &path, &[0]),
        with_path(
            "open to write",
            libc::SYS_openat,
            &path,
            &[libc::O_WRONLY.into()],
        ),
        with_path("mkdir", libc::SYS_mkdirat, &new, &[0o700]),
    ]
}

/// The second column of the table in SECURITY.md.
fn said() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let section = text
        .split("## What the process denies itself")
        .nth(1)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let calls = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    calls.map(str::to_owned).collect()
}

/// A running host that no other test uses: it is stopped and continued.
pub fn serve(options: &[&str]) -> Child {
    let folder = root().join("target/test-run");
    fs::create_dir_all(&folder).unwrap();
    let mut host = Command::new(env!("CARGO_BIN_EXE_echo-host"))
        .args(["serve", "--listen", "tcp://127.0.0.1:0", "--sandbox", "on"])
        .args(options)
        .env("ECHO_HOST_CACHE", "off")
        .env("XDG_RUNTIME_DIR", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = host.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on "), "{line}");
    host
}

#[track_caller]
fn assert_denied(thread: &Stopped, attempt: &Attempt) {
    let answer = thread.call(attempt.number, &attempt.arguments);
    let denials = [libc::EPERM, libc::EACCES, libc::ENOSYS];
    let is_denied = answer.is_err_and(|error| denials.contains(&error));
    assert!(is_denied, "{}: {answer:?}", attempt.name);
}

/// A connection to a server of this test.
fn connect(thread: &Stopped, server: SocketAddr) {
    let kind = [libc::AF_INET, libc::SOCK_STREAM, 0];
    let kind = kind.map(|it| Argument::Number(i64::from(it).cast_unsigned()));
    let socket = thread
        .call(libc::SYS_socket, &kind)
        .unwrap()
        .cast_unsigned();
    let mut address = (libc::AF_INET as u16).to_ne_bytes().to_vec();
    address.extend(server.port().to_be_bytes());
    address.extend([127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let connect = Attempt {
        name: "connect",
        number: libc::SYS_connect,
        arguments: vec![
            Argument::Number(socket),
            Argument::Bytes(address),
            Argument::Number(16),
        ],
    };
    assert_denied(thread, &connect);
    thread
        .call(libc::SYS_close, &[Argument::Number(socket)])
        .unwrap();
}

#[test]
fn what_security_md_says_is_denied_fails_in_every_thread_of_a_host() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("file");
    fs::write(&file, "secret").unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut attempts = always();
    attempts.extend(sometimes(std::process::id().into()));
    attempts.extend(by_path(&file));
    let tried = attempts.iter().map(|it| it.name.to_owned());
    let tried: BTreeSet<_> = tried.chain(["connect".to_owned()]).collect();
    assert_eq!(tried, said());

    let mut users: Vec<&[&str]> = vec![&[]];
    if nix::unistd::Uid::current().is_root() {
        users.push(&["--user", "nobody", "--no-control"]);
    }
    for options in users {
        let mut host = serve(options);
        let threads = threads(host.id());
        let mut tried = 0;
        for thread in threads {
            // The thread may have ended, like the one that loaded the handler.
            let Some(thread) = Stopped::new(thread) else {
                continue;
            };
            tried += 1;
            attempts.iter().for_each(|it| assert_denied(&thread, it));
            connect(&thread, server.local_addr().unwrap());
        }
        // At least the log's and a worker's, beside the first.
        assert!(tried > 2, "{tried}");
        host.kill().unwrap();
        host.wait().unwrap();
    }
}
