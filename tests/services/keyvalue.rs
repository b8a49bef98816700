//! `wasi:keyvalue`: in memory, and in a real Redis that hosts share.

use super::redis::Redis;
use crate::configuration::site::Site;
use crate::fixture::{Client, Host, echo_host, guest};
use crate::swap::post::Post;
use std::fs;
use std::process::Command;
use std::thread;
use tempfile::tempdir;

/// All lines of the answer to an empty line.
fn all(client: &mut Client) -> Vec<String> {
    client.send("\n");
    let mut lines = Vec::new();
    loop {
        match client.line() {
            end if end == "." => return lines,
            line => lines.push(line),
        }
    }
}

/// The behaviour of every store.
fn assert_keeps(host: &Host) {
    let mut client = host.connect();
    assert_eq!(client.ask("apples"), "apples 1");
    assert_eq!(client.ask("apples"), "apples 2");
    assert_eq!(client.ask("pears >7"), "pears 7");
    assert_eq!(client.ask("pears >5"), "pears 7");
    // Another connection, and with it another instance.
    let mut other = host.connect();
    assert_eq!(other.ask("apples"), "apples 3");
    assert_eq!(all(&mut other), ["apples 3", "pears 7"]);
    assert_eq!(other.ask("pears -"), "pears is forgotten");
    assert_eq!(other.ask("pears -"), "pears was not there");
    assert_eq!(all(&mut client), ["apples 3"]);
    let name = "n".repeat(250);
    assert_eq!(client.ask(&name), format!("{name} 1"));
}

#[test]
fn values_outlive_instances_and_versions() {
    let tally = fs::read(guest("tally")).unwrap();
    let post = Post::serve(&tally, &["--allow-import", "wasi:keyvalue"]);
    assert_keeps(&post.host);
    post.swap_to(fs::read(guest("upper")).unwrap());
    assert_eq!(post.host.connect().ask("apples"), "APPLES");
    post.swap_to(&tally);
    assert_eq!(post.host.connect().ask("apples"), "apples 4");
}

#[test]
fn a_reload_leaves_the_store_alone_unless_it_is_about_it() {
    let handler = guest("tally");
    let text = |more: &str| {
        format!("[service.tally]\nhandler = '{handler}'\nlisten = ['tcp://127.0.0.1:0']\n{more}")
    };
    let site = Site::new(&text(""));
    let _host = site.serve(1);
    for (more, answer) in [
        ("", "apples 1"),
        ("call-timeout = '4s'", "apples 2"),
        ("max-keyvalue = '1MiB'", "apples 1"),
    ] {
        site.write(&text(more));
        site.reload().unwrap();
        assert_eq!(site.connect("tally").ask("apples"), answer, "{more}");
    }
}

#[test]
fn every_page_of_keys_is_told() {
    let host = Host::serve(&[&guest("tally")]);
    let mut client = host.connect();
    let names: Vec<_> = (0..2500).map(|it| format!("name-{it:04}")).collect();
    client.send(names.join("\n") + "\n");
    for name in &names {
        client.expect(format!("{name} 1\n"));
    }
    assert_eq!(all(&mut client).len(), names.len());
}

#[test]
fn a_full_store_says_so_and_serves_on() {
    let host = Host::serve(&[&guest("tally"), "--max-keyvalue", "1KiB"]);
    let mut client = host.connect();
    let full = "error: the store is full: it holds at most 1024 bytes (--max-keyvalue)";
    let answers: Vec<_> = (0..20).map(|name| client.ask(&name.to_string())).collect();
    assert_eq!(answers[0], "0 1");
    assert_eq!(answers[19], full);
    assert_eq!(client.ask("0"), "0 2");
    assert_eq!(client.ask("0 -"), "0 is forgotten");
    assert_eq!(client.ask("0"), "0 1");
    host.wait_for_log("the store is full");
    let reached = host.status()["limits_reached"]["max-keyvalue"].as_u64();
    assert!(reached.unwrap() >= 1, "{reached:?}");
}

#[test]
fn each_service_has_a_store_of_its_own_and_rehearsals_have_another() {
    let folder = tempdir().unwrap();
    let probe = folder.path().join("tally.exchange");
    fs::write(
        &probe,
        "== counting\n> apples\n< apples 1\n> apples\n< apples 2\n",
    )
    .unwrap();
    let tally = guest("tally");
    let tested = echo_host(&["test", &tally, probe.to_str().unwrap()]);
    assert_eq!(tested.code, Some(0), "{tested:?}");
    let host = Host::serve(&[&tally, "--probe", probe.to_str().unwrap()]);
    assert_eq!(host.connect().ask("apples"), "apples 1");
}

#[test]
fn two_hosts_count_together_in_redis() {
    let redis = Redis::start();
    let uri = redis.uri();
    let serve = || Host::serve(&[&guest("tally"), "--keyvalue", &uri, "--sandbox", "auto"]);
    let hosts = [serve(), serve()];
    assert_keeps(&hosts[0]);
    let mut clients = hosts.each_ref().map(Host::connect);
    assert_eq!(clients[1].ask("apples"), "apples 4");
    assert_eq!(redis.cli(&["GET", "tally:apples"]), "4");

    let eight = || hosts.iter().cycle().take(8).map(Host::connect);
    // All of them count, none is lost: 2 hosts, 4 clients each, 250 times.
    thread::scope(|scope| {
        for mut client in eight() {
            scope.spawn(move || {
                client.send("votes\n".repeat(250));
                (0..250).for_each(|_| assert!(client.line().starts_with("votes ")));
            });
        }
    });
    assert_eq!(clients[0].ask("votes >0"), "votes 2000");
    // Raised concurrently to many values, it is the highest in the end.
    thread::scope(|scope| {
        for (number, mut client) in eight().enumerate() {
            scope.spawn(move || {
                for step in 0..50 {
                    let least = 10_000 + step * 8 + number;
                    let raised = client.ask(&format!("votes >{least}"));
                    let count = raised.strip_prefix("votes ").unwrap();
                    assert!(count.parse::<usize>().unwrap() >= least, "{raised}");
                }
            });
        }
    });
    assert_eq!(clients[1].ask("votes >0"), "votes 10399");
    // A value that is not a number stays unchanged.
    redis.cli(&["SET", "tally:word", "abc"]);
    let answer = clients[0].ask("word");
    assert!(answer.contains("not a whole number"), "{answer}");
    redis.cli(&["LPUSH", "tally:list", "abc"]);
    assert!(
        clients[0]
            .ask("list")
            .starts_with("error: the store refused: ")
    );
    hosts[0].wait_for_log("the store refused");
}

#[test]
fn a_redis_that_is_away_is_an_error_until_it_is_back() {
    let redis = Redis::start();
    let port = redis.port;
    let host = Host::serve(&[&guest("tally"), "--keyvalue", &redis.uri()]);
    let mut client = host.connect();
    assert_eq!(client.ask("apples"), "apples 1");
    drop(redis);
    let answer = client.ask("apples");
    assert!(
        answer.starts_with("error: the store does not respond: "),
        "{answer}"
    );
    host.wait_for_log("the store does not respond");
    let _redis = Redis::start_at(port);
    assert_eq!(client.ask("pears >3"), "pears 3");
    assert_eq!(client.ask("apples"), "apples 1");
}

#[test]
fn a_host_starts_before_its_redis() {
    let redis = Redis::start();
    let (port, uri) = (redis.port, redis.uri());
    drop(redis);
    let host = Host::serve(&[&guest("tally"), "--keyvalue", &uri]);
    let mut client = host.connect();
    assert!(client.ask("apples").contains("does not respond"));
    let _redis = Redis::start_at(port);
    assert_eq!(client.ask("apples"), "apples 1");
}

#[test]
fn a_redis_is_reached_by_tls_if_its_certificate_is_trusted() {
    let folder = tempdir().unwrap();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let cert = folder.path().join("cert.pem");
    fs::write(&cert, signed.cert.pem()).unwrap();
    fs::write(
        folder.path().join("key.pem"),
        signed.signing_key.serialize_pem(),
    )
    .unwrap();
    let redis = Redis::start_with_tls(folder.path());
    let uri = format!("rediss://localhost:{}", redis.port);
    for (trusted, answer) in [
        (true, "apples 1"),
        (false, "error: the store does not respond: "),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        if trusted {
            command.env("SSL_CERT_FILE", &cert);
        }
        let host = Host::start(command.arg("serve"), &[&guest("tally"), "--keyvalue", &uri]);
        let answered = host.connect().ask("apples");
        assert!(answered.starts_with(answer), "{answered}");
    }
}

#[test]
fn what_is_no_store_is_refused() {
    for bad in ["valkey://localhost", "redis://", "redis://localhost/x"] {
        let refused = echo_host(&["serve", "--keyvalue", bad]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused
                .stderr
                .contains("expected memory, redis://HOST:PORT"),
            "{refused:?}"
        );
    }
    let checked = echo_host(&["check", &guest("tally")]);
    let wants = "wasi:keyvalue/store    --keyvalue memory, the default, or redis://HOST:PORT\n";
    assert!(checked.stdout.contains(wants), "{checked:?}");
}
