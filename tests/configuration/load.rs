//! Reloads under full load: no connection drops, and no reply is lost, duplicated or out of order.

use super::site::{Site, service};
use crate::fixture::{guest, warnings};
use crate::swap::crowd::{Crowd, Manner};
use crate::swap::versions::{counter, signer};
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const RELOADS: u64 = 40;
/// Every Nth reload is bad.
const BAD: u64 = 5;

/// The file at each turn: `steady` stays the same except for a second listener that comes and goes,
/// `changing` has another handler each time, and `visitor` exists every other time.
fn text(turn: u64) -> String {
    let mut text = "
        max-connections = 1000
        [service.steady]
        handler = 'steady'
        framing = 'lines'
        "
    .to_owned();
    text += match turn % 3 {
        0 => "listen = ['tcp://127.0.0.1:0']",
        _ => "listen = ['tcp://127.0.0.1:0', { uri = 'tcp://127.0.0.1:0' }]",
    };
    text += &format!(
        "
        [service.changing]
        handler = 'v{turn}'
        listen = ['tcp://127.0.0.1:0']
        framing = 'lines'
        swap = 'next-message'
        "
    );
    if turn % 2 == 1 {
        text += &format!(
            "
            [service.visitor]
            handler = '{}'
            listen = ['tcp://127.0.0.1:0']
            ",
            guest("upper")
        );
    }
    text
}

#[test]
fn no_reply_is_lost() {
    let site = Site::new(&text(0));
    site.put("steady", counter("v0"));
    site.put("v0", signer("v0"));
    let host = site.serve(2);
    let newest: Arc<AtomicU64> = Arc::default();
    let [steady, changing] = ["steady", "changing"].map(|name| site.addresses(name)[0]);
    let crowds = [
        Crowd::at(steady, Manner::Stays, &newest),
        Crowd::at(changing, Manner::Moves, &newest),
    ];
    for turn in 1..=RELOADS {
        newest.store(turn, Ordering::Relaxed);
        site.put(&format!("v{turn}"), signer(&format!("v{turn}")));
        if turn % BAD == 0 {
            site.write(&format!("{}\nlissten = []", text(turn)));
            assert!(
                site.reload()
                    .unwrap_err()
                    .contains("did you mean `listen`?")
            );
        }
        site.write(&text(turn));
        if turn % 2 == 0 {
            host.process.signal(Signal::HUP);
            site.wait_until("reloaded", |status| {
                let generations = status["generations"].as_array().unwrap();
                let changing = generations.iter().find(|it| it["service"] == "changing");
                changing.unwrap()["number"] == turn + 1
            });
        } else {
            site.reload().unwrap();
            assert_eq!(site.connect("visitor").ask("hello"), "HELLO");
        }
        crowds.iter().for_each(Crowd::assert_content);
    }
    let [at_steady, at_changing] = crowds.map(Crowd::leave);
    site.wait_until("empty", |status| status["connections"]["open"] == 0);
    let status = site.status();
    for (name, tally) in [("steady", at_steady), ("changing", at_changing)] {
        let service = service(&status, name);
        assert_eq!(service["connections"]["total"], tally.connections, "{name}");
        assert_eq!(service["messages"], tally.lines, "{name}");
    }
    let visitors = RELOADS / 2;
    let lines = at_steady.lines + at_changing.lines + visitors;
    assert_eq!(status["messages"], lines);
    assert_eq!(status["failed_calls"], 0);
    assert_eq!(status["refused_reloads"], RELOADS / BAD);
    let log = host.process.stderr.text();
    assert!(
        warnings(&log).is_empty() && !log.contains("internal error"),
        "{log}"
    );
    assert_eq!(site.addresses("steady")[0], steady);
    eprintln!("{RELOADS} reloads, {at_steady:?}, {at_changing:?}");
}
