//! Tests of truncated, damaged and hostile components: each is refused in one line, or runs.

use crate::{Capacity, Engine, Grants, HandlerSource};
use connection::limits::GuestLimits;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use screening::{Unfit, Weight, screen};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use system::trust::Trust;
use tokio::runtime::Runtime;

/// Loads components.
struct Loader {
    engine: Engine,
    runtime: Runtime,
    file: tempfile::NamedTempFile,
}

impl Loader {
    fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Loader {
            engine: Engine::new(Capacity::of(1), None).unwrap(),
            runtime: runtime.enable_all().build().unwrap(),
            file: tempfile::NamedTempFile::new().unwrap(),
        }
    }

    /// Whether it can be served. If not, the error is one line.
    fn loads(&self, component: &[u8]) -> bool {
        fs::write(self.file.path(), component).unwrap();
        let limits = GuestLimits {
            max_memory_bytes: 64 << 20,
            call_timeout: Duration::from_secs(1),
        };
        let source = HandlerSource::from(self.file.path().to_owned());
        let (trust, grants) = (Trust::default(), Grants::default());
        let loading = self.engine.load(&source, &trust, &grants, limits);
        match self.runtime.block_on(loading) {
            Ok(_) => true,
            Err(error) => {
                let line = error.fault.to_string();
                assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
                false
            }
        }
    }
}

fn echo() -> Vec<u8> {
    wat::parse_str(include_str!("../../../../../guest/echo.wat")).unwrap()
}

fn built(name: &str) -> Vec<u8> {
    let guests: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    fs::read(guests.join(name)).unwrap()
}

/// Loads a component truncated at every `step` bytes. Without the custom sections at its end it is
/// still whole.
fn cut(whole: &[u8], step: usize) {
    let loader = Loader::new();
    let lengths = (0..whole.len()).step_by(step);
    let served = lengths.filter(|length| loader.loads(&whole[..*length]));
    let served: Vec<_> = served.collect();
    assert!(served.len() < 10, "{served:?}");
    assert!(loader.loads(whole), "it took harm");
}

#[test]
fn a_truncated_component_is_refused_or_runs() {
    cut(&echo(), 1);
    cut(&built("echo.wasm"), 13);
    cut(&built("calc.wasm"), 997);
}

/// Loads a component with up to four bytes changed, this many times.
fn damage(component: &[u8], times: u32) {
    let loader = Loader::new();
    let change = (0..component.len(), any::<u8>());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(times)
    };
    // A failure prints its changes.
    let changes = prop::collection::vec(change, 1..=4);
    TestRunner::new(config)
        .run(&changes, |changes| {
            let mut damaged = component.to_vec();
            for (index, byte) in changes {
                damaged[index] = byte;
            }
            loader.loads(&damaged);
            Ok(())
        })
        .unwrap();
    assert!(loader.loads(component), "it took harm");
}

#[test]
fn a_damaged_component_is_refused_or_runs() {
    damage(&echo(), 5000);
    damage(&built("echo.wasm"), 300);
}

fn screened(text: &str) -> Result<Weight, Unfit> {
    screen(&wat::parse_str(text).unwrap())
}

/// Components that each instantiate the one before this many times.
fn laughs(depth: usize, times: usize) -> String {
    let mut text = "(component (component $c0)".to_owned();
    for level in 1..=depth {
        let before = level - 1;
        let instances = "(instance (instantiate $c))".repeat(times);
        text +=
            &format!("(component $c{level} (alias outer 1 $c{before} (component $c)) {instances})");
    }
    text + &format!("(instance (instantiate $c{depth})))")
}

#[test]
fn components_that_multiply_are_refused() {
    screened(&laughs(1, 20)).unwrap();
    for (depth, times) in [(1, 200), (2, 10), (10, 10), (60, 2)] {
        let refused = screened(&laughs(depth, times));
        assert!(matches!(refused, Err(Unfit::Expansion)), "{refused:?}");
    }
    let foreign = r#"(component (import "c" (component $c)) (instance (instantiate $c)))"#;
    assert!(matches!(screened(foreign), Err(Unfit::ForeignComponent)));
}

/// A number in LEB128.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 128 {
        bytes.push((number % 128) as u8 | 128);
        number /= 128;
    }
    bytes.push(number as u8);
    bytes
}

/// A component in binary form, with one section.
fn with_section(id: u8, content: &[u8]) -> Vec<u8> {
    [
        &b"\0asm\x0d\0\x01\0"[..],
        &[id],
        &leb(content.len()),
        content,
    ]
    .concat()
}

#[test]
fn nested_components_have_a_depth_limit() {
    let nested = |depth| {
        let mut component = wat::parse_str("(component)").unwrap();
        for _ in 0..depth {
            component = with_section(4, &component);
        }
        screen(&component)
    };
    nested(90).unwrap();
    assert!(matches!(nested(150), Err(Unfit::Depth)));
    assert!(matches!(nested(20_000), Err(Unfit::Depth)));
}

#[test]
fn nested_types_have_a_depth_limit() {
    // A component or instance type that declares another one, and so on.
    let nested = |kind: u8, depth| {
        let types = [kind, 1, 1].repeat(depth);
        screen(&with_section(7, &[&[1], &types[..], &[kind, 0]].concat()))
    };
    for kind in [0x41, 0x42] {
        nested(kind, 90).unwrap();
        assert!(matches!(nested(kind, 150), Err(Unfit::Depth)));
        assert!(matches!(nested(kind, 1_000_000), Err(Unfit::Depth)));
    }
}

#[test]
fn parts_are_counted() {
    let modules = |count| screened(&format!("(component {})", "(core module)".repeat(count)));
    modules(900).unwrap();
    assert!(matches!(modules(1000), Err(Unfit::Parts)));
    let components = format!("(component {})", "(component)".repeat(100)).repeat(10);
    let refused = screened(&format!("(component {components})"));
    assert!(matches!(refused, Err(Unfit::Parts)), "{refused:?}");
}

#[test]
fn declarations_imports_and_calls_count() {
    let lists = |count| [leb(count), b"\x70\x7d".repeat(count)].concat();
    let types = |count| screen(&with_section(7, &lists(count)));
    types(50_000).unwrap();
    assert!(matches!(types(200_000), Err(Unfit::Expansion)));
    let in_a_type = |count| {
        let declared = b"\x01\x70\x7d".repeat(count);
        screen(&with_section(
            7,
            &[&b"\x01\x42"[..], &leb(count), &declared].concat(),
        ))
    };
    in_a_type(50_000).unwrap();
    assert!(matches!(in_a_type(200_000), Err(Unfit::Expansion)));
    let in_components = |count| {
        let ty = r#"(type (component (type $f (func)) (import "f" (func (type $f)))))"#;
        screened(&format!("(component {})", ty.repeat(count)))
    };
    in_components(400).unwrap();
    assert!(matches!(in_components(600), Err(Unfit::Expansion)));
    let calls = |count| {
        let lowered = "(core func (canon lower (func $f)))".repeat(count);
        screened(&format!("(component (import \"f\" (func $f)) {lowered})"))
    };
    calls(5000).unwrap();
    assert!(matches!(calls(9000), Err(Unfit::Expansion)));
}

#[test]
fn instances_of_modules_are_counted() {
    let instances = |count| "(core instance (instantiate $m))".repeat(count);
    let in_components = |each, times| {
        let taken = "(instance (instantiate $c))".repeat(times);
        format!(
            "(component (component $c (core module $m) {}) {taken})",
            instances(each)
        )
    };
    screened(&in_components(4, 8)).unwrap();
    for (each, times) in [(33, 1), (4, 9)] {
        let refused = screened(&in_components(each, times));
        assert!(matches!(refused, Err(Unfit::Instances)), "{refused:?}");
    }
}

/// A component with one function of this body.
fn function(body: &str) -> String {
    format!("(component (core module (func $f {body})))")
}

#[test]
fn functions_that_would_take_too_long_are_refused() {
    let looped = |loops| "(loop ".repeat(loops) + &")".repeat(loops);
    screened(&function(&looped(500))).unwrap();
    let branching = |branches| {
        let locals = " i32".repeat(5000);
        format!(
            "(local{locals}) {}",
            "(if (local.get 0) (then))".repeat(branches)
        )
    };
    screened(&function(&branching(1000))).unwrap();
    for body in [looped(3000), branching(6000), "call $f ".repeat(200_000)] {
        let refused = screened(&function(&body));
        assert!(matches!(refused, Err(Unfit::Function(1))), "{refused:?}");
    }
    let filling = |times| {
        // Its memory is 0, its operands are constants.
        let fill = b"\x41\0\x41\0\x41\0\xfc\x0b\0".repeat(times);
        let body = [b"\0", &fill[..], b"\x0b"].concat();
        let code = [b"\x01", &leb(body.len())[..], &body].concat();
        let code = [b"\x0a", &leb(code.len())[..], &code].concat();
        let head = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01";
        screen(&with_section(1, &[&head[..], &code].concat()))
    };
    filling(20_000).unwrap();
    assert!(matches!(filling(200_000), Err(Unfit::Function(1))));
    let many = "(func)".repeat(250_000);
    let refused = screened(&format!("(component (core module {many}))"));
    assert!(matches!(refused, Err(Unfit::Work)), "{refused:?}");
}

#[test]
fn starts_that_would_take_too_long_are_refused() {
    let data = |segments| {
        let segments = "(data (i32.const 0) \"x\")".repeat(segments);
        screened(&format!("(component (core module (memory 1) {segments}))"))
    };
    // As many as a small program in Go has.
    data(30_000).unwrap();
    assert!(matches!(data(70_000), Err(Unfit::Start)));
    let globals = "(global i32 (i32.const 0))".repeat(70_000);
    let refused = screened(&format!("(component (core module {globals}))"));
    assert!(matches!(refused, Err(Unfit::Start)), "{refused:?}");
}
