//! Files that take as long to compile as permitted: other clients do not notice.

use crate::configuration::site::Site;
use crate::fixture::{Client, Host, echo_host};
use crate::storms::large_handler;
use crate::swap::post::Folder;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Time limit for a reply. It normally takes microseconds; machines are slow at times.
const IN_TIME: Duration = Duration::from_secs(10);
/// Number of functions that one component calls in another. Each takes the compiler some ten
/// milliseconds.
const FUNCTIONS: usize = 400;

/// The text for each function, with `#` in place of its number.
fn each(text: &str) -> String {
    let numbers = 0..FUNCTIONS;
    let texts = numbers.map(|number| text.replace('#', &number.to_string()));
    texts.collect()
}

/// A component that the host accepts and that takes several seconds to compile. It contains two
/// components; one passes twenty strings to the other in each of many functions. It exports
/// nothing.
pub fn slow() -> String {
    let strings = format!("(type $strings (tuple {}))", "string ".repeat(20));
    let memory = r#"(memory (export "memory") 1) (func (export "realloc")
        (param i32 i32 i32 i32) (result i32) (i32.const 0))"#;
    let callee = format!(
        r#"{strings} (core module $callee {memory} {}) (core instance $callee (instantiate $callee)) {}"#,
        each(r#"(func (export "f#") (param i32))"#),
        each(
            r#"(func (export "f#") (param "it" $strings) (canon lift (core func $callee "f#")
            (memory $callee "memory") (realloc (func $callee "realloc"))))"#
        ),
    );
    let caller = format!(
        r#"{strings} {} (core module $memory {memory}) (core instance $memory (instantiate $memory)) {}
        (core module $caller {}) (core instance (instantiate $caller (with "callee" (instance {}))))"#,
        each(r#"(import "f#" (func $f# (param "it" $strings)))"#),
        each(
            r#"(core func $f# (canon lower (func $f#) string-encoding=utf16
            (memory $memory "memory") (realloc (func $memory "realloc"))))"#
        ),
        each(r#"(import "callee" "f#" (func (param i32)))"#),
        each(r#"(export "f#" (func $f#))"#),
    );
    format!(
        "(component (component $callee {callee}) (component $caller {caller})
        (instance $callee (instantiate $callee)) (instance (instantiate $caller {})))",
        each(r#"(with "f#" (func $callee "f#"))"#)
    )
}

#[cfg(target_os = "linux")]
#[test]
fn what_takes_too_long_to_compile_is_ended_by_the_kernel() {
    let folder = Folder::new();
    let control = folder.path("host.sock");
    // The compiler process must not have more privileges than its parents.
    let mut command = Command::new("prlimit");
    command.args(["--cpu=1", env!("CARGO_BIN_EXE_echo-host"), "serve"]);
    let args = ["--sandbox", "on", "--control", &control, "--cache", "off"];
    let host = Host::start(&mut command, &args);
    let slow = folder.put("slow.wat", slow());
    let refused = echo_host(&["swap", &slow, "--control", &control]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    let reason = "takes more to compile than allowed: 60 s of CPU time and 2048 MiB of memory";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    assert!(refused.stderr.contains("signal 9"), "{refused:?}");
    ask(&mut host.connect());
}

/// CPU time of a process, and of its ended children, in the kernel's ticks.
#[cfg(target_os = "linux")]
pub fn ticks(process: impl std::fmt::Display) -> [u64; 2] {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    [[11, 12], [13, 14]].map(|both| {
        both.map(|at| fields[at].parse::<u64>().unwrap())
            .iter()
            .sum()
    })
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_compiled_elsewhere_is_loaded_from_the_cache() {
    let folder = Folder::new();
    let handler = folder.put("large.wasm", large_handler());
    let (cache, control) = (folder.path("cache"), folder.path("host.sock"));
    let host = Host::serve(&[
        &handler,
        "--sandbox",
        "on",
        "--cache",
        &cache,
        "--control",
        &control,
    ]);
    let children = format!("/proc/{0}/task/{0}/children", host.process.id());
    let helper = std::fs::read_to_string(children).unwrap();
    let ([own, _], [_, compiling]) = (ticks(host.process.id()), ticks(helper.trim()));
    assert!(
        own * 2 < compiling,
        "{own} of the host, {compiling} of the compiler"
    );
    drop(host);
    // The next host finds it in the cache, and compiles nothing.
    let next = Host::serve(&[&handler, "--sandbox", "on", "--cache", &cache]);
    let children = format!("/proc/{0}/task/{0}/children", next.process.id());
    let helper = std::fs::read_to_string(children).unwrap();
    assert_eq!(ticks(helper.trim())[1], 0);
}

/// Sends a message and expects the reply in time.
fn ask(client: &mut Client) {
    let begun = Instant::now();
    client.send("hello\n");
    client.expect("hello\n");
    let waited = begun.elapsed();
    assert!(waited < IN_TIME, "{waited:?}");
}

#[test]
fn others_are_served_in_time_while_a_file_is_compiled() {
    let site = Site::new(
        "
        workers = 1
        [service.steady]
        listen = ['tcp://127.0.0.1:0']
        [service.attacked]
        listen = ['tcp://127.0.0.1:0']
        ",
    );
    site.put("slow.wat", slow());
    let _host = site.serve(2);
    let mut open = site.connect("steady");
    let address = site.addresses("steady")[0];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let there = scope.spawn(|| {
            let mut asked = 0;
            while !over.load(Ordering::Relaxed) {
                ask(&mut open);
                asked += 1;
            }
            asked
        });
        let coming = scope.spawn(|| {
            let mut came = 0;
            while !over.load(Ordering::Relaxed) {
                // Several attempts, because client ports could run out.
                let mut client = Client::connect(address);
                (0..100).for_each(|_| ask(&mut client));
                came += 1;
            }
            came
        });
        let refused = site.run(&["swap", &site.path("slow.wat"), "--service", "attacked"]);
        over.store(true, Ordering::Relaxed);
        assert_eq!(refused.code, Some(65), "{refused:?}");
        // It was compiled: the missing export is found afterwards.
        assert!(
            refused.stderr.contains("does not export `respond`"),
            "{refused:?}"
        );
        assert!(there.join().unwrap() > 10);
        assert!(coming.join().unwrap() > 1);
    });
    let mut attacked = site.connect("attacked");
    attacked.send("hello\n");
    attacked.expect("hello\n");
}
