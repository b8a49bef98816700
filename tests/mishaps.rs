//! Files of a running host that change or vanish, and what a killed host leaves behind.

use crate::fixture::{Host, guest};
use crate::swap::post::{Folder, Post};
use crate::swap::versions::signer;
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// What may happen to a file.
type Mishap = fn(&Path);

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn empty(path: &Path) {
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(0)
        .unwrap();
}

fn cut_short(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

fn make_a_folder(path: &Path) {
    remove(path);
    fs::create_dir(path).unwrap();
}

/// Opening it as a file would wait for a writer.
fn make_a_pipe(path: &Path) {
    remove(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn make_a_loop(path: &Path) {
    remove(path);
    std::os::unix::fs::symlink(path, path).unwrap();
}

#[test]
fn whatever_becomes_of_the_handlers_file_it_is_served_on() {
    let mishaps: [(Mishap, &str); 6] = [
        (remove, "No such file or directory"),
        (empty, "is empty"),
        (cut_short, "is not a valid component, or is truncated"),
        (make_a_folder, "is a directory"),
        (make_a_pipe, "is not a regular file"),
        (make_a_loop, "symbolic links"),
    ];
    for (mishap, reason) in mishaps {
        let post = Post::serve(fs::read(guest("upper")).unwrap(), &["--watch"]);
        let mut before = post.host.connect();
        assert_eq!(before.ask("a"), "A");
        mishap(Path::new(&post.folder.path("handler")));
        let log = post.host.wait_for_log("swap refused");
        assert!(log.contains(reason), "{reason}: {log}");
        let refused = post.run(&["swap"]);
        assert_eq!(refused.code, Some(65), "{refused:?}");
        assert!(refused.is_one_error(), "{refused:?}");
        assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        assert_eq!(before.ask("b"), "B");
        // An instance for a new client comes from the loaded code, not from the current file.
        assert_eq!(post.host.connect().ask("c"), "C");
        let path = post.folder.path("handler");
        if Path::new(&path).is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        post.put(signer("v2"));
        post.wait_for_generation(2);
    }
}

#[test]
fn a_host_that_was_killed_is_in_nobodys_way() {
    let folder = Folder::new();
    let control = folder.path("host.sock");
    let socket = format!("unix:{}", folder.path("a.sock"));
    let mut tcp = "tcp://127.0.0.1:0".to_owned();
    for _ in 0..2 {
        let args = ["--control", &control, "--listen", &tcp, "--listen", &socket];
        let mut host = Host::serve(&args);
        let mut client = host.connect();
        assert_eq!(client.ask("hello"), "hello");
        tcp = host.uri().to_owned();
        host.process.signal(Signal::KILL);
        host.process.wait();
        client.expect_closed();
        for left_behind in ["host.sock", "a.sock"] {
            assert!(Path::new(&folder.path(left_behind)).exists());
        }
    }
    let args = ["--control", &control, "--listen", &tcp, "--listen", &socket];
    let host = Host::serve(&args);
    assert_eq!(host.uri(), tcp);
    assert_eq!(host.connect().ask("hello"), "hello");
    let status = crate::fixture::echo_host(&["status", "--control", &control]);
    assert_eq!(status.code, Some(0), "{status:?}");
    drop(host);
    assert!(!Path::new(&control).exists() && !Path::new(&folder.path("a.sock")).exists());
}
