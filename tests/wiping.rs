//! `--wipe scan`: only written pages are wiped for the next instance. That the next connection
//! finds nothing is tested in `faults/secrets.rs`.

use crate::fixture::{Host, guest, run};
use nix::unistd::Uid;
use std::process::Command;

/// The memory of the process after a crowd has left, in KiB above that while it was there.
fn growth_after_a_crowd(wipe: &str) -> i64 {
    let few_slots = ["--max-connections", "100", "--sandbox", "on"];
    let host = Host::serve(&[&[&guest("hello"), "--wipe", wipe], &few_slots[..]].concat());
    let mut crowd: Vec<_> = (0..100).map(|_| host.connect()).collect();
    for client in &mut crowd {
        client.send("x");
        client.expect("Hello, client!");
    }
    let resident = || host.usage().resident_kib as i64;
    let before = resident();
    drop(crowd);
    host.wait_for_open(0);
    resident() - before
}

/// Wiping memory as a whole makes all of it resident, also what an instance never used.
#[test]
fn a_confined_host_can_scan_for_written_pages() {
    let (whole, scan) = (growth_after_a_crowd("whole"), growth_after_a_crowd("scan"));
    assert!(whole > 8 << 10 && scan < 4 << 10, "{whole} KiB, {scan} KiB");
}

#[test]
fn a_host_that_scans_warns_and_shows_it() {
    let host = Host::serve(&["--wipe", "scan"]);
    host.wait_for_log("connections are not kept apart from each other (--wipe scan)");
    let status = host.status();
    assert_eq!(status["wipe"], "scan", "{status}");
    let warnings = status["last_warnings"].to_string();
    assert!(warnings.contains("--wipe scan"), "{status}");
    let status = Host::serve(&[]).status();
    assert_eq!(status["wipe"], "whole", "{status}");
}

#[test]
fn without_the_means_to_scan_a_host_does_not_start() {
    let script = "mount -t tmpfs none /proc && exec \"$0\" serve --wipe \"$1\" --listen stdio:";
    let serve = |wipe| {
        let mut unshare = Command::new("unshare");
        unshare.arg(if Uid::current().is_root() {
            "-m"
        } else {
            "-Urm"
        });
        unshare.args(["sh", "-c", script, env!("CARGO_BIN_EXE_echo-host"), wipe]);
        run(&mut unshare, b"hello\n")
    };
    let refused = serve("scan");
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (
            Some(78),
            "echo-host: this kernel cannot find the written pages of memory (`wipe = \"scan\"`): \
             it has no PAGEMAP_SCAN\n\
             hint: use Linux 6.7 or later with /proc, or `--wipe whole`\n"
        )
    );
    assert_eq!(serve("whole").stdout, "hello\n");
}
