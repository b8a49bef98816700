//! Giving up root. Without root, these tests check that the user cannot be changed.

use super::assert_all;
use crate::fixture::{Finished, Host, echo_host, guest, run};
use crate::swap::post::Folder;
use nix::unistd::{Uid, User};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user with few privileges that every system has.
const NOBODY: &str = "nobody";

fn nobody() -> User {
    User::from_name(NOBODY).unwrap().unwrap()
}

fn serve_as(user: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["serve", "--listen", "tcp://127.0.0.1:0", "--user", user]);
    command
}

#[track_caller]
fn assert_only_root_can(finished: &Finished) {
    assert_eq!(finished.code, Some(78), "{finished:?}");
    let reason = "only root can\nhint: start as root, or omit --user";
    assert!(finished.stderr.contains(reason), "{finished:?}");
    assert_eq!(finished.stdout, "");
}

#[test]
fn only_root_can_become_another_user() {
    let mut command = serve_as("4242:4242");
    if Uid::current().is_root() {
        let nobody = nobody();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    assert_only_root_can(&run(&mut command, b""));
    for (name, reason) in [
        ("no-such-user", "there is no user `no-such-user`"),
        ("root", "is root, which --user is meant to give up"),
    ] {
        let refused = run(&mut serve_as(name), b"");
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
}

#[test]
fn a_port_below_1024_is_denied_with_three_ways_to_get_it() {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first.is_ok_and(|first| first.trim().parse::<u16>().is_ok_and(|first| first <= 1023)) {
        // Everybody may, as containers often have it.
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["serve", "--listen", "tcp://127.0.0.1:1023"]);
    if Uid::current().is_root() {
        let nobody = nobody();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    let refused = run(&mut command, b"");
    assert_eq!(refused.code, Some(69), "{refused:?}");
    let denied = "cannot listen on tcp://127.0.0.1:1023: permission denied\n";
    assert!(refused.stderr.contains(denied), "{refused:?}");
    for way in [
        "--user",
        "setcap cap_net_bind_service=+ep",
        "let systemd pass the socket",
    ] {
        assert!(refused.stderr.contains(way), "{refused:?}");
    }
}

#[test]
fn who_is_that_user_already_has_nothing_to_become() {
    let mut command = serve_as(NOBODY);
    if Uid::current().is_root() {
        let nobody = nobody();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(nobody.uid.as_raw()), None).unwrap();
        command.env("XDG_RUNTIME_DIR", folder.path());
        let host = Host::start_as_it_is(&mut command, 1);
        assert_eq!(host.connect().ask("hello"), "hello");
        drop(host);
    } else {
        assert_only_root_can(&run(&mut command, b""));
    }
}

#[test]
fn the_whole_process_becomes_the_user_and_stays_it() {
    if !Uid::current().is_root() {
        return assert_only_root_can(&run(&mut serve_as(NOBODY), b""));
    }
    let (nobody, directory) = (nobody(), Folder::new());
    let [uid, gid] = [nobody.uid.as_raw(), nobody.gid.as_raw()];
    // Others may pass through, as in a directory for services.
    fs::set_permissions(directory.path(""), Permissions::from_mode(0o755)).unwrap();
    let own = directory.path("own");
    fs::create_dir(&own).unwrap();
    chown(&own, Some(uid), Some(gid)).unwrap();
    let [cache, control] = ["cache", "own/host.sock"].map(|name| directory.path(name));
    let sockets = ["own/a.sock", "b.sock"].map(|name| directory.path(name));
    let uris = sockets.each_ref().map(|path| format!("unix:{path}"));
    let upper = guest("upper");
    let args = [
        &upper,
        "--user",
        NOBODY,
        "--cache",
        &cache,
        "--control",
        &control,
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        &uris[0],
        "--listen",
        &uris[1],
    ];
    let host = Host::serve(&args);
    host.wait_for_log("changed to user nobody (--user)");
    assert_eq!(host.connect().ask("hello"), "HELLO");
    let pid = host.process.id();
    assert_all(pid, "Uid", &[uid.to_string().as_str(); 4].join(" "));
    assert_all(pid, "Gid", &[gid.to_string().as_str(); 4].join(" "));
    assert_all(pid, "Groups", &gid.to_string());
    for name in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_all(pid, name, "0000000000000000");
    }
    assert_all(pid, "NoNewPrivs", "1");

    // It owns what it needs: the cache was created for it, and holds what it has compiled.
    assert_eq!(fs::metadata(&cache).unwrap().uid(), uid);
    assert!(fs::read_dir(&cache).unwrap().count() > 0);
    for path in sockets.iter().chain([&control]) {
        assert_eq!(fs::symlink_metadata(path).unwrap().uid(), uid, "{path}");
    }
    let asked = echo_host(&["status", "--control", &control]);
    assert_eq!(asked.code, Some(0), "{asked:?}");
    // Its sockets are removed with it, except the one in a directory that it cannot write to.
    let log = host.stop();
    assert!(log.contains("b.sock: Permission denied"), "{log}");
    let there = [&sockets[0], &sockets[1], &control].map(|path| Path::new(path).exists());
    assert_eq!(there, [false, true, false]);
    let next = Host::serve(&args);
    next.wait_for_log("b.sock, left behind by a host that is gone");
    assert_eq!(next.connect().ask("hello"), "HELLO");
}
