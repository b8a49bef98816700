//! Guests that try what they are not granted: they do not get it, and the log says once how to
//! grant it.

use super::scene::Scene;

const REACHES: [(&str, &str, &str); 8] = [
    ("env PATH", "environment variable not found", "(--env)"),
    ("read /etc/passwd", "error: Permission denied", "(--dir)"),
    ("write /tmp/x y", "error: Permission denied", "(--dir)"),
    ("list /", "error: Permission denied", "(--dir)"),
    ("list .", "error: Permission denied", "(--dir)"),
    ("read ../secret", "error: Permission denied", "(--dir)"),
    (
        "socket",
        "access-denied",
        "network access denied: no host is granted (--allow-connect)",
    ),
    (
        "name localhost",
        "permanent-resolver-failure",
        "network access denied: no host is granted (--allow-connect)",
    ),
];

#[test]
fn it_is_denied_and_the_log_says_once_which_grant_it_would_take() {
    for isolation in ["connection", "shared", "message"] {
        let scene = Scene::of("probe", &["--isolation", isolation]);
        for _ in 0..3 {
            let mut client = scene.connect();
            for (reach, reply, grant) in REACHES {
                let answer = client.ask(reach);
                assert!(answer.contains(reply), "{reach}: {answer}");
                scene.post.host.wait_for_log(grant);
            }
        }
        let log = scene.post.host.stop();
        for (_, _, grant) in REACHES {
            assert_eq!(log.matches(grant).count(), 1, "{grant} in {log}");
        }
    }
}

#[test]
fn a_program_is_denied_the_same() {
    let scene = Scene::of("rogue", &[]);
    let mut client = scene.connect();
    assert!(client.ask("socket").contains("access-denied"));
    scene.expect_reason(
        &client,
        "network access denied: no host is granted (--allow-connect)",
    );
}

#[test]
fn who_reaches_for_nothing_is_not_said_to() {
    let scene = Scene::of("probe", &[]);
    let mut client = scene.connect();
    for harmless in [
        "print hello",
        "complain hello",
        "args",
        "random 8",
        "clocks",
        "stdin",
        "reply 1",
    ] {
        client.ask(harmless);
    }
    let scene_of_program = Scene::of("wordcount", &[]);
    let mut counted = scene_of_program.connect();
    counted.send("one\n");
    counted.finish();
    assert!(!counted.rest().is_empty());
    for log in [scene.post.host.stop(), scene_of_program.post.host.stop()] {
        assert!(
            !log.contains("variables denied") && !log.contains("no directory"),
            "{log}"
        );
        assert!(!log.contains("network"), "{log}");
    }
}

#[test]
fn who_is_granted_something_is_not_told_of_it() {
    let granted = tempfile::tempdir().unwrap();
    let granted = format!("{}::/data", granted.path().display());
    let scene = Scene::of("probe", &["--env", "A=b", "--dir", &granted]);
    let mut client = scene.connect();
    client.ask("env PATH");
    assert!(client.ask("list /data").is_ascii());
    assert!(client.ask("read /etc/passwd").starts_with("error: "));
    let log = scene.post.host.stop();
    assert!(!log.contains("denied:"), "{log}");
}

/// Nanoseconds reveal what others do on the same processor.
#[test]
fn clocks_are_coarse_unless_exact_ones_are_granted() {
    for guest in ["probe", "rogue"] {
        let scene = Scene::of(guest, &[]);
        assert_eq!(scene.connect().ask("clocks"), "1000000 1000000 true");
        let exact = Scene::of(guest, &["--precise-clocks"]);
        let told = exact.connect().ask("clocks");
        let resolution: u64 = told.split(' ').next().unwrap().parse().unwrap();
        assert!(resolution < 1_000_000, "{told}");
    }
}

#[test]
fn waiting_by_a_coarse_clock_is_neither_too_short_nor_busy() {
    let scene = Scene::of("probe", &[]);
    let mut client = scene.connect();
    for nanoseconds in [1, 1_000_000, 2_500_000, 20_000_000, 33_333_333] {
        let told = client.ask(&format!("wait {nanoseconds}"));
        let (waited, woke) = told.split_once(' ').unwrap();
        assert!(waited.parse::<u64>().unwrap() >= nanoseconds, "{told}");
        // The last wait may be for the rest of a step of the clock.
        assert!(woke.parse::<u64>().unwrap() <= 3, "{told}");
    }
}
