//! A guest gets its grants, and nothing else of the machine.

use crate::configuration::site::Site;
use crate::fixture::{Host, echo_host, guest, run};
use std::process::Command;

fn probe(args: &[&str]) -> Host {
    Host::serve(&[&[guest("probe").as_str()][..], args].concat())
}

#[test]
fn nothing_is_granted_by_default() {
    let host = probe(&[]);
    let mut client = host.connect();
    assert_eq!(client.ask("env PATH"), "environment variable not found");
    for refused in ["list /", "list .", "read /etc/passwd", "write /tmp/x y"] {
        let reply = client.ask(refused);
        assert!(reply.starts_with("error: "), "{refused}: {reply}");
    }
}

#[test]
fn variables_are_granted_by_name() {
    let host = probe(&["--env", "GREETING=Hello, a=b", "--env", "EMPTY="]);
    let mut client = host.connect();
    assert_eq!(client.ask("env GREETING"), "Hello, a=b");
    assert_eq!(client.ask("env EMPTY"), "");
    assert_eq!(client.ask("env PATH"), "environment variable not found");
}

#[test]
fn arguments_are_granted() {
    let host = probe(&["--arg", "--colour=no", "--arg", "two words"]);
    assert_eq!(
        host.connect().ask("args"),
        "probe.wasm --colour=no two words"
    );
}

#[test]
fn directories_are_granted_by_name_and_there_is_no_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let granted = directory.path().join("granted");
    std::fs::create_dir(&granted).unwrap();
    std::fs::write(directory.path().join("secret"), "secret").unwrap();
    std::fs::write(granted.join("note"), "granted").unwrap();
    std::os::unix::fs::symlink("../secret", granted.join("link")).unwrap();

    let host = probe(&["--dir", &format!("{}::/data", granted.display())]);
    let mut client = host.connect();
    assert_eq!(client.ask("list /data"), "link note");
    assert_eq!(client.ask("read /data/note"), "granted");
    assert_eq!(client.ask("write /data/new written"), "done");
    assert_eq!(
        std::fs::read_to_string(granted.join("new")).unwrap(),
        "written"
    );
    for refused in [
        "read /data/../secret",
        "read /data/link",
        "read /etc/passwd",
    ] {
        let reply = client.ask(refused);
        assert!(reply.starts_with("error: "), "{refused}: {reply}");
    }
}

#[test]
fn a_directory_is_opened_once_whatever_takes_its_path() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    let (granted, secret) = (base.join("granted"), base.join("secret"));
    for (folder, text) in [(&granted, "granted"), (&secret, "secret")] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("note"), text).unwrap();
    }
    for sandbox in ["on", "off"] {
        let grant = format!("{}::/data", granted.display());
        let host = probe(&["--sandbox", sandbox, "--dir", &grant]);
        assert_eq!(host.connect().ask("read /data/note"), "granted");
        std::fs::rename(&granted, base.join("moved")).unwrap();
        std::os::unix::fs::symlink(&secret, &granted).unwrap();
        // A new connection is a new instance.
        assert_eq!(host.connect().ask("read /data/note"), "granted");
        std::fs::remove_file(&granted).unwrap();
        std::fs::rename(base.join("moved"), &granted).unwrap();
    }
}

#[test]
fn no_directory_is_granted_in_another_or_with_what_the_host_trusts() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    for folder in ["a/sub", "cache/inner", "handlers"] {
        std::fs::create_dir_all(base.join(folder)).unwrap();
    }
    std::fs::copy(guest("probe"), base.join("handlers/probe.wasm")).unwrap();
    let handler = base.join("handlers/probe.wasm");
    let at = |name: &str| base.join(name).display().to_string();
    let overlaps = ["--dir", &at("a"), "--dir", &at("a/sub")].map(str::to_owned);
    let above_cache = ["--dir", &at(""), "--cache", &at("cache")].map(str::to_owned);
    let in_cache = ["--dir", &at("cache/inner"), "--cache", &at("cache")].map(str::to_owned);
    let handlers = ["--dir", &at("handlers"), "--cache", "off"].map(str::to_owned);
    let socket = format!("unix:{}", at("a/echo.sock"));
    let sockets = ["--dir", &at("a"), "--listen", &socket].map(str::to_owned);
    let processes = ["--dir", "/proc/self", "--cache", "off"].map(str::to_owned);
    let store = format!("redis+unix://{}", at("a/redis.sock"));
    let stores = ["--dir", &at("a"), "--keyvalue", &store].map(str::to_owned);
    let program = env!("CARGO_BIN_EXE_echo-host").to_owned();
    let programs = program.strip_suffix("/echo-host").unwrap().to_owned();
    let next_start = ["--dir", &programs, "--cache", "off"].map(str::to_owned);
    for (args, names) in [
        (&overlaps, [at("a"), at("a/sub")]),
        (&above_cache, [at(""), at("cache")]),
        (&in_cache, [at("cache/inner"), at("cache")]),
        (&handlers, [at("handlers"), at("handlers/probe.wasm")]),
        (&sockets, [at("a"), at("a/echo.sock")]),
        (&processes, ["/proc/self".to_owned(), "/proc".to_owned()]),
        (&stores, [at("a"), at("a/redis.sock")]),
        (&next_start, [programs, program]),
    ] {
        let mut command = vec!["serve".to_owned(), handler.display().to_string()];
        command.extend_from_slice(args);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let finished = echo_host(&command);
        assert_eq!(finished.code, Some(78), "{args:?}: {finished:?}");
        for name in names {
            assert!(finished.stderr.contains(&name), "{name}: {finished:?}");
        }
    }
}

#[test]
fn what_is_granted_to_read_can_be_read_and_nothing_in_it_be_changed() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("note"), "granted").unwrap();
    // The handler itself may be there.
    let handler = directory.path().join("probe.wasm");
    std::fs::copy(guest("probe"), &handler).unwrap();
    for sandbox in ["on", "off"] {
        let grant = format!("{}::/data", directory.path().display());
        let handler = handler.to_str().unwrap();
        let host = Host::serve(&[handler, "--sandbox", sandbox, "--dir-ro", &grant]);
        let mut client = host.connect();
        assert_eq!(client.ask("read /data/note"), "granted");
        assert_eq!(client.ask("list /data"), "note probe.wasm");
        for refused in ["write /data/new x", "write /data/note x"] {
            let reply = client.ask(refused);
            assert!(reply.starts_with("error: "), "{refused}: {reply}");
        }
        assert_eq!(client.ask("read /data/note"), "granted");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn no_handler_is_served_from_where_a_guest_may_write() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name).display().to_string();
    std::fs::create_dir(at("granted")).unwrap();
    std::fs::copy(guest("upper"), at("granted/upper.wasm")).unwrap();
    std::fs::copy(guest("upper"), at("upper.wasm")).unwrap();
    std::os::unix::fs::symlink("granted/upper.wasm", at("link.wasm")).unwrap();
    let control = at("host.sock");
    let args = ["--dir", &at("granted"), "--control", &control];
    let host = probe(&args);
    for handler in ["granted/upper.wasm", "link.wasm"] {
        let refused = echo_host(&["swap", &at(handler), "--control", &control]);
        assert_eq!(refused.code, Some(65), "{refused:?}");
        let reason = "the handler could reach a handler";
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
    let swapped = echo_host(&["swap", &at("upper.wasm"), "--control", &control]);
    assert_eq!(swapped.code, Some(0), "{swapped:?}");
    assert_eq!(host.connect().ask("hello"), "HELLO");
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_in_a_directory_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("note"), "granted").unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    for option in ["--dir", "--dir-ro"] {
        let grant = format!("{}::/data", directory.path().display());
        let host = Host::serve(&[&guest("probe"), option, &grant]);
        let mut client = host.connect();
        // More often than there are threads for disk access.
        for _ in 0..40 {
            let reply = client.ask("read /data/pipe");
            assert!(reply.starts_with("error: "), "{reply}");
        }
        if option == "--dir" {
            let reply = client.ask("write /data/pipe x");
            assert!(reply.starts_with("error: "), "{reply}");
        }
        assert_eq!(client.ask("read /data/note"), "granted");
    }
}

#[test]
fn keys_sockets_and_the_cache_are_not_granted_to_be_read_either() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    for folder in ["cache", "a/sub"] {
        std::fs::create_dir_all(base.join(folder)).unwrap();
    }
    let at = |name: &str| base.join(name).display().to_string();
    let socket = format!("unix:{}", at("a/echo.sock"));
    let refused: [(&[&str], &str); 4] = [
        (
            &["--dir-ro", &at(""), "--cache", &at("cache")],
            "the cache of compiled code",
        ),
        (&["--dir-ro", &at("a"), "--listen", &socket], "a socket"),
        (
            &["--dir-ro", &at("a"), "--control", &at("a/sub/host.sock")],
            "the control socket",
        ),
        (
            &["--dir", &at("a"), "--dir-ro", &at("a/sub")],
            "one is inside the other",
        ),
    ];
    for (args, reason) in refused {
        let finished = echo_host(&[&["serve", &guest("probe")], args].concat());
        assert_eq!(finished.code, Some(78), "{args:?}: {finished:?}");
        assert!(finished.stderr.contains(reason), "{args:?}: {finished:?}");
    }
    // Read-only grants may overlap.
    let both = ["--dir-ro", &at("a"), "--dir-ro", &at("a/sub")];
    let called = echo_host(&[&["call", &guest("upper"), "x"][..], &both].concat());
    assert_eq!(called.stdout, "X", "{called:?}");
}

#[test]
fn the_folder_of_control_sockets_is_never_granted_by_any_command() {
    let runtime = tempfile::tempdir().unwrap();
    let granted = runtime.path().to_str().unwrap();
    let handler = guest("upper");
    let exchange = runtime.path().join("a.exchange");
    std::fs::write(&exchange, "== a\n> a\n< A\n").unwrap();
    for command in [
        vec!["serve", &handler],
        vec!["call", &handler, "x"],
        vec!["check", &handler],
        vec!["test", &handler, exchange.to_str().unwrap()],
    ] {
        let mut refused = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        refused.args(&command).args(["--dir", granted]);
        let refused = run(refused.env("XDG_RUNTIME_DIR", runtime.path()), b"");
        assert_eq!(refused.code, Some(78), "{command:?}: {refused:?}");
        let reason = "the handler could reach the folder of control sockets";
        assert!(refused.stderr.contains(reason), "{command:?}: {refused:?}");
    }
}

#[test]
fn a_reload_grants_nothing_in_what_a_running_handler_may_write_to() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("sub")).unwrap();
    let path = data.path().display();
    let config = |dirs: &str| {
        let handler = guest("probe");
        format!(
            "sandbox = 'off'\n[service.a]\nlisten = ['tcp://127.0.0.1:0']\nhandler = '{handler}'\ndirs = [{dirs}]\n"
        )
    };
    let site = Site::new(&config(&format!("'{path}::/data'")));
    let _host = site.serve(1);
    let mut client = site.connect("a");
    assert_eq!(client.ask("list /data"), "sub");
    site.write(&config(&format!("'{path}/sub::/data'")));
    let refused = site.reload().unwrap_err();
    assert!(
        refused.contains("a handler that still runs or can be rolled back to has"),
        "{refused}"
    );
    // The same directory under the same name.
    site.write(&config(&format!("'{path}::/other'")));
    site.reload().unwrap();
    assert_eq!(site.connect("a").ask("list /other"), "sub");
}

#[test]
fn a_guest_that_spins_does_not_stall_its_neighbours() {
    // More spinners than threads; without interruption, nobody else would be served.
    let host = probe(&[
        "--workers",
        "1",
        "--call-timeout",
        "60s",
        "--drain-timeout",
        "1ms",
    ]);
    let mut spinners: Vec<_> = (0..3).map(|_| host.connect()).collect();
    for spinner in &mut spinners {
        spinner.send("spin\n");
    }
    let mut neighbour = host.connect();
    for count in 1..=20 {
        assert_eq!(neighbour.ask("count"), count.to_string());
    }
}

#[test]
fn all_guests_together_have_no_more_memory_than_they_may() {
    let host = probe(&["--max-guest-memory", "48MiB"]);
    let mut one = host.connect();
    assert_eq!(one.ask("allocate 30000000"), "30000000");
    let mut other = host.connect();
    assert_eq!(other.ask("count"), "1");
    other.send("allocate 30000000\n");
    other.expect_closed();
    host.wait_for_log("the memory of all guests is used up (--max-guest-memory)");
    assert_eq!(one.ask("count"), "2");
    drop(one);
    host.wait_for_open(0);
    // It was returned.
    assert_eq!(host.connect().ask("allocate 30000000"), "30000000");
}

#[test]
fn memory_may_be_used_up_to_the_limit() {
    let host = probe(&["--max-memory", "8MiB"]);
    assert_eq!(host.connect().ask("allocate 6000000"), "6000000");
}
