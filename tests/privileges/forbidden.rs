//! Tries what a confined process must not do, in a process of its own: this test, started again.

use crate::fixture::run;
use nix::libc;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{Pid, getppid, test_kill_process};
use std::env;
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use system::confinement::{Access, Sandbox, confine};

const NAME: &str = "privileges::forbidden::what_is_forbidden_fails_and_what_is_needed_works";
/// Variables that tell the confined process its paths.
const DIRECTORY: &str = "ECHO_HOST_TEST_CONFINED";

#[test]
fn what_is_forbidden_fails_and_what_is_needed_works() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        return confined(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    for folder in ["read", "write", "sockets", "hidden"] {
        fs::create_dir(directory.path().join(folder)).unwrap();
        fs::write(directory.path().join(folder).join("file"), folder).unwrap();
    }
    symlink("../hidden/file", directory.path().join("read/way-out")).unwrap();
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", NAME, "--nocapture"]);
    let finished = run(again.env(DIRECTORY, directory.path()), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("1 passed"), "{finished:?}");
}

/// Runs in the confined process.
fn confined(directory: &Path) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let mut access = Access::default();
    access.read(&directory.join("read"));
    access.write(&directory.join("write"));
    access.bind(&directory.join("sockets/a.sock"));
    confine(Sandbox::On, access).unwrap();

    files(directory);
    calls();
    memory();
    let connected = TcpStream::connect(address);
    assert_denied("a connection", connected);
    let packets = socket(AddressFamily::PACKET, SocketType::RAW, None);
    assert_eq!(packets.unwrap_err(), Errno::PERM);
    let executed = Command::new("/bin/true").spawn();
    assert_denied("a program", executed);
    let parent: Pid = getppid().unwrap();
    assert_eq!(test_kill_process(parent), Err(Errno::PERM));

    TcpListener::bind("127.0.0.1:0").unwrap();
    UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(("localhost", 1).to_socket_addrs().unwrap().count() > 0);
    std::thread::spawn(|| ()).join().unwrap();
}

fn files(directory: &Path) {
    let at = |name: &str| directory.join(name);
    assert_eq!(fs::read(at("read/file")).unwrap(), b"read");
    fs::write(at("write/new"), "new").unwrap();
    fs::rename(at("write/new"), at("write/newer")).unwrap();
    fs::remove_file(at("write/newer")).unwrap();
    drop(UnixListener::bind(at("sockets/a.sock")).unwrap());
    fs::remove_file(at("sockets/a.sock")).unwrap();
    fs::write("/dev/null", "x").unwrap();

    let outside: [PathBuf; 4] = [
        at("hidden/file"),
        at("read/../hidden/file"),
        at("read/way-out"),
        "/etc/shadow".into(),
    ];
    for path in outside {
        assert_denied("reading outside", fs::read(path));
    }
    assert_denied("reading the root", fs::read_dir("/"));
    assert_denied("reading where sockets are", fs::read(at("sockets/file")));
    for path in ["hidden/new", "read/new", "sockets/new"] {
        assert_denied("writing", File::create(at(path)));
    }
    assert_denied("writing elsewhere", File::create(env::temp_dir().join("x")));
    assert_denied("replacing", fs::write(at("read/file"), "x"));
    assert_denied("removing", fs::remove_file(at("read/file")));
    let away = fs::rename(at("read/file"), at("write/file"));
    assert!(away.is_err(), "moving");
    assert_denied("binding elsewhere", UnixListener::bind(at("write/a.sock")));
}

#[track_caller]
fn assert_denied<T>(what: &str, tried: io::Result<T>) {
    match tried {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} was allowed"),
    }
}

/// Calls that would fail anyway, but with another error: their arguments are invalid.
fn calls() {
    for call in [
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_process_vm_readv,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_mount,
        libc::SYS_chroot,
        libc::SYS_pivot_root,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_open_by_handle_at,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
        libc::SYS_swapon,
        libc::SYS_clock_settime,
        libc::SYS_quotactl,
        libc::SYS_personality,
    ] {
        assert_eq!(kernel(call, [0; 6]), Err(libc::EPERM), "call {call}");
    }
    // Being traced by the parent needs no privilege.
    assert_eq!(kernel(libc::SYS_ptrace, [0; 6]), Err(libc::EPERM));
    assert_eq!(kernel(libc::SYS_clone3, [0; 6]), Err(libc::ENOSYS));
    let namespace = [libc::CLONE_NEWUSER.into(), 0, 0, 0, 0, 0];
    assert_eq!(kernel(libc::SYS_clone, namespace), Err(libc::EPERM));
    // The same calls with their numbers in another ABI, which a host does not know.
    #[cfg(target_arch = "x86_64")]
    for x32 in [libc::SYS_ptrace, 520, 521] {
        let denied = kernel(x32 | 0x4000_0000, [0; 6]);
        assert_eq!(denied, Err(libc::ENOSYS), "call {x32} of x32");
    }
}

/// Memory may be writable and executable in turn, as a compiler needs it, but not at once.
fn memory() {
    let private = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).into();
    let (write, execute): (i64, i64) = (libc::PROT_WRITE.into(), libc::PROT_EXEC.into());
    let map = |protection| kernel(libc::SYS_mmap, [0, 4096, protection, private, -1, 0]);
    assert_eq!(map(write | execute), Err(libc::EPERM));
    let page = map(write).unwrap();
    let protect = |protection| kernel(libc::SYS_mprotect, [page, 4096, protection, 0, 0, 0]);
    assert_eq!(protect(write | execute), Err(libc::EPERM));
    assert_eq!(protect(execute), Ok(0));
}

/// A system call: its result, or the error number.
fn kernel(call: i64, with: [i64; 6]) -> Result<i64, i32> {
    let [a, b, c, d, e, f] = with;
    // SAFETY: the arguments do not refer to memory that anybody uses.
    let answer = unsafe { libc::syscall(call, a, b, c, d, e, f) };
    match answer {
        -1 => Err(nix::errno::Errno::last_raw()),
        answer => Ok(answer),
    }
}
