//! Directories that are replaced, as releases, orchestrators and builds do it, under a confined
//! host: files are found wherever their names lead.

use crate::configuration::site::Site;
use crate::fixture::{Host, echo_host};
use crate::swap::versions::signer;
use crate::transports::certificates::Authority;
use crate::transports::connect;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A directory with releases, one of which is current.
struct Releases(TempDir);

impl Releases {
    fn new() -> Self {
        let releases = Releases(tempfile::tempdir().unwrap());
        releases.make("1");
        releases.point("current", "1");
        releases
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A release in a directory of its own.
    fn make(&self, name: &str) {
        fs::create_dir(self.path(name)).unwrap();
        fs::write(self.path(name).join("handler"), signer(&format!("v{name}"))).unwrap();
    }

    /// Replaces a link atomically.
    fn point(&self, link: &str, target: &str) {
        symlink(target, self.path("new")).unwrap();
        fs::rename(self.path("new"), self.path(link)).unwrap();
    }

    fn serve(&self, args: &[&str]) -> Host {
        let (handler, control) = (self.text("current/handler"), self.text("host.sock"));
        let own = [&handler, "--control", &control, "--framing", "lines"];
        Host::serve(&[&own[..], &["--sandbox", "on"], args].concat())
    }

    fn order(&self, order: &str) {
        let done = echo_host(&[order, "--control", &self.text("host.sock")]);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}

#[test]
fn a_link_to_the_current_release_is_followed_wherever_it_leads() {
    let releases = Releases::new();
    let host = releases.serve(&[]);
    assert_eq!(host.connect().ask("x"), "v1 x");
    for (number, order) in [("2", "swap"), ("3", "reload")] {
        releases.make(number);
        releases.point("current", number);
        releases.order(order);
        assert_eq!(host.connect().ask("x"), format!("v{number} x"));
    }
    releases.make("4");
    releases.point("current", "4");
    host.process.signal(Signal::HUP);
    host.wait_for_log("generation 4 replaces generation 3");
    assert_eq!(host.connect().ask("x"), "v4 x");
}

#[test]
fn a_file_that_could_not_be_taken_in_for_want_of_descriptors_is_asked_for_again() {
    let releases = Releases::new();
    let handler = releases.text("current/handler");
    let command = "ulimit -n 48; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", command, env!("CARGO_BIN_EXE_echo-host"), "serve"]);
    let args = [&handler, "--framing", "lines", "--sandbox", "on"];
    let host = Host::start(&mut shell, &args);
    let crowd: Vec<_> = (0..60).map(|_| host.connect()).collect();
    host.wait_for_log("cannot accept, waiting");
    releases.make("2");
    releases.point("current", "2");
    host.process.signal(Signal::HUP);
    host.wait_for_log("descriptors were lost");
    drop(crowd);
    assert_eq!(host.connect().ask("x"), "v1 x");
    host.process.signal(Signal::HUP);
    host.wait_for_log("generation 2 replaces generation 1");
}

#[test]
fn a_watched_name_is_watched_where_it_leads_by_then() {
    let releases = Releases::new();
    let host = releases.serve(&["--watch"]);
    assert_eq!(host.connect().ask("x"), "v1 x");
    let wait = |generation: u32| {
        host.wait_for_log(&format!("generation {generation} replaces"));
    };
    // Another release, and then a file in it.
    releases.make("2");
    releases.point("current", "2");
    wait(2);
    fs::write(releases.path("beside"), signer("v3")).unwrap();
    fs::rename(releases.path("beside"), releases.path("2/handler")).unwrap();
    wait(3);
    // A link to a link, as in volumes of Kubernetes.
    releases.make("4");
    releases.point("..data", "4");
    releases.point("current", "..data");
    wait(4);
    releases.make("5");
    releases.point("..data", "5");
    wait(5);
    // A directory that is renamed away, and one that is removed and rebuilt.
    fs::remove_file(releases.path("current")).unwrap();
    releases.make("6");
    fs::rename(releases.path("6"), releases.path("current")).unwrap();
    wait(6);
    fs::remove_dir_all(releases.path("current")).unwrap();
    releases.make("7");
    fs::rename(releases.path("7"), releases.path("current")).unwrap();
    wait(7);
    assert_eq!(host.connect().ask("x"), "v7 x");
    let log = host.stop();
    assert!(!log.contains("cannot watch"), "{log}");
}

#[test]
fn certificates_are_renewed_by_links() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let renew = |number: &str| {
        let files = authority.sign(number, &["localhost"], number);
        fs::create_dir(path(number)).unwrap();
        fs::rename(files.certificate, path(number).join("cert")).unwrap();
        fs::rename(files.key, path(number).join("key")).unwrap();
        symlink(number, path("new")).unwrap();
        fs::rename(path("new"), path("live")).unwrap();
    };
    renew("1");
    let files = ["live/cert", "live/key"].map(|name| path(name).to_str().unwrap().to_owned());
    let tls = ["--tls-cert", &files[0], "--tls-key", &files[1]];
    let listen = ["--listen", "tls://127.0.0.1:0", "--sandbox", "on"];
    let host = Host::serve(&[&tls[..], &listen].concat());
    renew("2");
    host.wait_for_log("reloaded certificates");
    let finished = connect(
        &[
            host.uri(),
            "--ca",
            &authority.file(),
            "--server-name",
            "localhost",
        ],
        "hello",
    );
    assert_eq!(finished.stdout, "hello", "{finished:?}");
}

#[test]
fn a_folder_of_handlers_to_come_may_be_replaced_too() {
    let releases = Releases::new();
    releases.make("2");
    fs::create_dir(releases.path("own")).unwrap();
    fs::write(releases.path("own/handler"), signer("v0")).unwrap();
    let config = |release: &str| {
        format!(
            "[service.a]\nlisten = ['tcp://127.0.0.1:0']\nframing = 'lines'\nhandler = '{release}'\n"
        )
    };
    let site = Site::new(&config(&releases.text("own/handler")));
    let mut command = site.command();
    command.args([
        "--sandbox",
        "on",
        "--sandbox-read",
        &releases.text("current"),
    ]);
    let host = Host::start_as_it_is(&mut command, 1);
    for (number, expected) in [("1", "v1 x"), ("2", "v2 x")] {
        releases.point("current", number);
        let swapped = site.run(&["swap", &releases.text("current/handler")]);
        assert_eq!(swapped.code, Some(0), "{swapped:?}");
        assert_eq!(site.run(&["swap"]).code, Some(0));
        assert_eq!(host.connect().ask("x"), expected);
    }
    // The configuration is replaced as well, and names another file.
    fs::create_dir(releases.path("else")).unwrap();
    fs::write(releases.path("else/handler"), signer("v9")).unwrap();
    site.write(&config(&releases.text("else/handler")));
    site.reload().unwrap();
    assert_eq!(site.connect("a").ask("x"), "v9 x");
}

/// The helper of a host: its only child.
fn helper(host: &Host) -> i32 {
    let children = format!("/proc/{0}/task/{0}/children", host.process.id());
    let children = fs::read_to_string(children).unwrap();
    children.trim().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn the_helper_goes_with_its_host_however_that_ends() {
    let releases = Releases::new();
    for signal in [Signal::TERM, Signal::KILL] {
        let mut host = releases.serve(&[]);
        let helper = format!("/proc/{}", helper(&host));
        assert!(Path::new(&helper).exists());
        host.process.signal(signal);
        host.process.wait();
        // The kernel ends it, and it is gone when the process that inherits it has noticed.
        let deadline = std::time::Instant::now() + crate::fixture::DEADLINE;
        while Path::new(&helper).exists() && !is_dead(&helper) {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
    }
}

fn is_dead(process: &str) -> bool {
    let status = fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
    status.contains(") Z ")
}

#[cfg(target_os = "linux")]
#[test]
fn a_host_whose_helper_has_ended_serves_on_and_says_what_it_can_not() {
    let releases = Releases::new();
    let host = releases.serve(&["--cache", "off"]);
    let pid = rustix::process::Pid::from_raw(helper(&host)).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    host.wait_for_log("the helper that opens files ended");
    assert_eq!(host.connect().ask("x"), "v1 x");
    let control = releases.text("host.sock");
    let refused = echo_host(&["swap", "--control", &control]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    let reason = "the helper of the sandbox (--sandbox) has ended";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    // A descriptor that is passed open needs no helper, if its file is known to compile within the
    // limits.
    let first = releases.text("1/handler");
    let swapped = echo_host(&["swap", &first, "--control", &control]);
    assert_eq!(swapped.code, Some(0), "{swapped:?}");
    releases.make("2");
    let other = releases.text("2/handler");
    let refused = echo_host(&["swap", &other, "--control", &control]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains(&format!("cannot be compiled: {reason}")),
        "{refused:?}"
    );
    assert_eq!(host.connect().ask("x"), "v1 x");
}
