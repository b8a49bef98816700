//! One handler behind every kind of socket.

mod access;
pub mod certificates;
mod matrix;
mod proxy;
mod start_tls;
mod stdio;
mod telnet;
mod tls;
mod unix;
pub mod websocket;
mod zones;

use crate::fixture::{Finished, run, tool};
use std::process::Command;

/// The output of `echo-host connect` for this input.
pub fn connect(arguments: &[&str], input: &str) -> Finished {
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    run(connect.arg("connect").args(arguments), input.as_bytes())
}

/// The output of a script in Python.
fn python(script: &str, arguments: &[&str]) -> String {
    let mut python = tool("python3");
    let finished = run(python.args(["-c", script]).args(arguments), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout
}
