use super::*;

/// A component with these core modules.
fn component(modules: &[&str]) -> Vec<u8> {
    let modules: String = modules
        .iter()
        .map(|it| format!("(core module {it})"))
        .collect();
    wat::parse_str(format!("(component {modules})")).unwrap()
}

/// The adapter that C, Go and Debian's Rust need, as far as it names its makers.
const ADAPTER: &str = r#"(@producers (language "Rust" "") (processed-by "rustc" "1.97.0"))"#;

#[test]
fn producers_are_found_wherever_they_are_named() {
    let go = r#"(@producers (language "Go" "go1.27") (processed-by "wit-component" "1"))"#;
    assert_eq!(Origin::of(&component(&[go])), Some(Origin::Go));
    let engine = r#"(@producers (language "Rust" "") (processed-by "ComponentizeJS" "0.23"))"#;
    let origin = Origin::of(&component(&[engine])).unwrap();
    assert_eq!(origin, Origin::ComponentizeJs);
    assert_eq!(origin.language(), Language::JavaScript);
    assert_eq!(Origin::of(&component(&[""])), None);
    assert_eq!(Origin::of(b"no component"), None);
}

#[test]
fn rust_of_rustup_is_not_taken_for_its_c_library() {
    // With debug information, without it, and a program that binds nothing itself.
    let whole = r#"(@producers
        (language "Rust" "") (language "C11" "")
        (processed-by "rustc" "1.95.0") (processed-by "clang" "21.1.0")
        (processed-by "wit-component" "0.245.0") (processed-by "wit-bindgen-c" "0.46.0"))"#;
    let stripped = r#"(@producers (processed-by "wit-component" "0.245.0")
        (processed-by "wit-bindgen-c" "0.46.0") (processed-by "wit-bindgen-rust" "0.60.0"))"#;
    let program = r#"
        (memory 1)
        (data (i32.const 8) "/rustc/0123456789abcdef/library/std/src/io/stdio.rs")
        (data (i32.const 99) "No error\00Illegal byte sequence\00")
        (@producers (processed-by "wit-bindgen-c" "0.46.0"))"#;
    for module in [whole, stripped, program] {
        assert_eq!(Origin::of(&component(&[module])), Some(Origin::Rust));
    }
}

#[test]
fn an_adapter_says_nothing_of_the_author() {
    let c = r#"(@producers (processed-by "wit-bindgen-c" "0.63.0"))"#;
    let printing = r#"(memory 1) (data (i32.const 8) "-0X+0X 0X-0x+0x 0x\00")"#;
    for module in [c, printing] {
        assert_eq!(Origin::of(&component(&[module, ADAPTER])), Some(Origin::C));
    }
    assert_eq!(Origin::of(&component(&["", ADAPTER])), None);
}

#[test]
fn javascript_in_quickjs_is_not_advised_to_leave_another_engine() {
    let runtime = r#"(import "env" "componentize_qjs_runtime.wasm:memory_base" (global i32))
        (memory 1) (data (i32.const 8) "/rustc/0123/library/std/src/io/mod.rs")"#;
    let origin = Origin::of(&component(&[runtime, ADAPTER])).unwrap();
    assert_eq!(origin, Origin::ComponentizeQjs);
    assert_eq!(origin.language(), Language::JavaScript);
    assert_eq!(origin.known_trap(&[], HandlerKind::Responder), None);
}

#[test]
fn a_python_component_without_wasi_has_no_randomness() {
    let with = ["wasi:random/random@0.2.0".to_owned()];
    assert_eq!(Origin::ComponentizePy.trap(&with), None);
    assert!(Origin::ComponentizePy.trap(&[]).is_some());
}

#[test]
fn only_responders_are_advised_to_use_isolation_message() {
    let advised = |origin: Origin, tier| {
        let advice = origin.known_trap(&[], tier).unwrap();
        advice.contains("--isolation message")
    };
    for origin in [Origin::Go, Origin::ComponentizeJs] {
        assert!(advised(origin, HandlerKind::Responder));
        assert!(advised(origin, HandlerKind::FramedResponder));
        assert!(!advised(origin, HandlerKind::Conversation));
        assert!(!advised(origin, HandlerKind::Program));
    }
}
