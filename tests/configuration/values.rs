//! The values that a handler reads from `wasi:config/store`.

use super::site::Site;
use crate::fixture::{Host, echo_host};

/// A responder that takes each message as a key and answers with its value, or with `none`.
const LOOKUP: &str = r#"(component
  (import "wasi:config/store@0.2.0-rc.1" (instance $store
    (type $failure (variant (case "upstream" string) (case "io" string)))
    (export "error" (type $error (eq $failure)))
    (type $found (option string))
    (type $result (result $found (error $error)))
    (export "get" (func (param "key" string) (result $result)))))
  (core module $heap
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $heap (instantiate $heap))
  (core func $get (canon lower (func $store "get")
    (memory $heap "memory") (realloc (func $heap "realloc"))))
  (core module $main
    (import "heap" "memory" (memory 1))
    (import "store" "get" (func $get (param i32 i32 i32)))
    (data (i32.const 64) "none")
    ;; The result is at 0, its option at 4, and the text of that at 8, where a reply is looked for.
    (func (export "respond") (param $key i32) (param $length i32) (result i32)
      (call $get (local.get $key) (local.get $length) (i32.const 0))
      (if (i32.eqz (i32.load8_u (i32.const 4))) (then
        (i32.store (i32.const 8) (i32.const 64))
        (i32.store (i32.const 12) (i32.const 4))))
      (i32.const 8)))
  (core instance $main (instantiate $main
    (with "heap" (instance $heap))
    (with "store" (instance (export "get" (func $get))))))
  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $main "respond")
      (memory $heap "memory") (realloc (func $heap "realloc")))))
"#;

fn ask(host: &Host, key: &str) -> String {
    let mut client = host.connect();
    client.send(key);
    client.finish();
    String::from_utf8(client.rest()).unwrap()
}

#[test]
fn a_handler_finds_what_it_was_given_and_nothing_else() {
    let site = Site::new(
        "
        [service.lookup]
        handler = 'lookup.wat'
        listen = ['tcp://127.0.0.1:0']
        config = { greeting = 'Hi', name = 'file' }
        ",
    );
    site.put("lookup.wat", LOOKUP);
    let mut command = site.command();
    let host = Host::start_as_it_is(command.args(["--config-value", "name=option"]), 1);
    assert_eq!(ask(&host, "greeting"), "Hi");
    assert_eq!(ask(&host, "name"), "option");
    assert_eq!(ask(&host, "other"), "none");
}

#[test]
fn without_values_the_store_is_there_and_empty() {
    let site = Site::new("");
    site.put("lookup.wat", LOOKUP);
    let lookup = site.path("lookup.wat");
    let called = echo_host(&["call", &lookup, "greeting"]);
    assert_eq!(called.stdout, "none", "{called:?}");
    let called = echo_host(&["call", &lookup, "a", "--config-value", "a=b=c"]);
    assert_eq!(called.stdout, "b=c", "{called:?}");
    let checked = echo_host(&["check", &lookup]);
    let wants = "imports   wasi:config/store  --config-value KEY=VALUE\n";
    assert!(checked.stdout.contains(wants), "{checked:?}");
}
