//! Forwards each line to another server: connects to it, sends the line, and answers with the line
//! that comes back. The variable `UPSTREAM` names the server, as `HOST:PORT`; the operator grants
//! both:
//! `echo-host serve relay.wasm --env UPSTREAM=db.internal:7777 --allow-connect db.internal:7777`.
//!
//! A call waits for the other server as long as `--call-timeout` allows.

mod upstream;

use std::env;
use upstream::{Upstream, ask};

wit_bindgen::generate!({ path: "wit", world: "relay", generate_all });

echo_host_guest::responder!(respond, framing: "lines");

fn respond(mut line: Vec<u8>) -> Vec<u8> {
    line.push(b'\n');
    let said = env::var("UPSTREAM").unwrap_or_default();
    let answer = match said.parse::<Upstream>() {
        Ok(upstream) => ask(&upstream, &line).map_err(|error| format!("{said}: {error}")),
        Err(expected) => Err(expected),
    };
    answer.unwrap_or_else(|error| format!("error: {error}\n").into_bytes())
}
