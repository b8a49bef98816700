//! Instructions that trap, and that compilers of guests would not emit: in text form.

use super::scene::Scene;

/// A message of one byte executes them; longer ones are echoed.
const FAULTS: [(&str, &str); 8] = [
    ("unreachable", "the handler trapped: wasm `unreachable` instruction executed"),
    (
        "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
        "the handler trapped: integer divide by zero",
    ),
    (
        "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        "the handler trapped: integer overflow",
    ),
    (
        "(drop (i32.load (i32.const 0xfffffffc)))",
        "the handler trapped: out of bounds memory access",
    ),
    (
        "(call_indirect $table (i32.const 7))",
        "the handler trapped: undefined element: out of bounds table access",
    ),
    ("(call $recurse)", "the handler trapped: call stack exhausted"),
    (
        "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) unreachable",
        "the handler ran out of its 16777216 bytes of memory (--max-memory)",
    ),
    (
        "(loop $more (br_if $more (i32.ge_s (table.grow $table (ref.null func) (i32.const 64)) (i32.const 0))))
         unreachable",
        "exceeded a limit: its tables have more than 100000 elements",
    ),
];

fn responder(fault: &str) -> String {
    format!(
        r#"(component
          (core module $m
            (memory (export "memory") 1)
            (table $table 1 funcref)
            (func $recurse (call $recurse))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
            (func (export "respond") (param i32 i32) (result i32)
              (if (i32.eq (local.get 1) (i32.const 1)) (then {fault}))
              (i32.store (i32.const 0) (local.get 0))
              (i32.store (i32.const 4) (local.get 1))
              (i32.const 0)))
          (core instance $i (instantiate $m))
          (func (export "respond") (param "message" (list u8)) (result (list u8))
            (canon lift (core func $i "respond") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

#[test]
fn each_has_its_name_in_each_isolation() {
    for isolation in ["connection", "shared", "message"] {
        for (fault, reason) in FAULTS {
            let args = ["--isolation", isolation, "--max-memory", "16MiB"];
            let scene = Scene::serve(responder(fault), &args);
            let mut neighbour = scene.connect();
            let mut says_hello = || {
                neighbour.send("hello");
                neighbour.expect("hello");
            };
            says_hello();
            let mut client = scene.connect();
            client.send("!");
            says_hello();
            scene.expect_failure(client, reason);
            says_hello();
            drop(neighbour);
            scene.expect_nothing_left(0, usize::from(isolation == "shared"));
        }
    }
}
