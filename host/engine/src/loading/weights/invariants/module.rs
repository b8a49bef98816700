//! Generates components of one module, whose functions repeat what is hard to compile.

use super::choices::Choices;

/// Code repeated in a function.
const PIECES: [&str; 16] = [
    "(loop (br_if 0 (local.get $i)))",
    "(block (br_if 0 (local.get $i)))",
    "(if (local.get $i) (then (local.set $i (i32.const 1))))",
    "(if (local.get $i) (then (local.set $l (i64.const 1))) (else (local.set $l (i64.const 2))))",
    "(local.set $i (i32.mul (local.get $i) (i32.const 7)))",
    "(local.set $l (i64.div_s (local.get $l) (i64.const 7)))",
    "(local.set $d (f64.add (local.get $d) (f64.const 1)))",
    "(local.set $l (i64.trunc_f64_s (local.get $d)))",
    "(i32.store (local.get $i) (i32.load offset=8 (local.get $i)))",
    "(memory.fill (local.get $i) (i32.const 0) (i32.const 9))",
    "(global.set $g (i32.add (global.get $g) (i32.const 1)))",
    "(table.set $t (local.get $i) (table.get $t (i32.const 0)))",
    "(call $wide (WIDE))",
    "(call_indirect $t (param i32) (local.get $i) (local.get $i))",
    "(local.set $v (i8x16.swizzle (local.get $v) (local.get $v)))",
    "(drop (memory.grow (i32.const 0)))",
];

/// Code around the rest of a function.
const SHELLS: [(&str, &str); 5] = [
    ("", ""),
    ("(loop ", ")"),
    ("(block ", ")"),
    ("(if (local.get $i) (then ", "))"),
    ("(block (loop ", "))"),
];

fn function(wide: usize, choices: &mut Choices) -> String {
    let locals = ["i32", "i64", "f64", "v128"].map(|ty| (ty, choices.count(3000)));
    let locals: String = locals
        .iter()
        .map(|(ty, count)| format!("(local{})", format!(" {ty}").repeat(*count)))
        .collect();
    let piece = choices.pick(&PIECES);
    let piece = piece.replace("(WIDE)", &"(local.get $i)".repeat(wide));
    let other = choices
        .pick(&PIECES)
        .replace("(WIDE)", &"(local.get $i)".repeat(wide));
    let mut body = piece.repeat(choices.count(3000)) + &other.repeat(choices.count(300));
    for _ in 0..choices.below(3) {
        let (before, after) = choices.pick(&SHELLS);
        let depth = choices.count(400);
        let targets = "0 ".repeat(choices.count(2000));
        let jump = match choices.below(4) {
            0 if !before.is_empty() => format!("(br_table {targets} 0 (local.get $i))"),
            _ => String::new(),
        };
        body = before.repeat(depth) + &body + &jump + &after.repeat(depth);
    }
    format!("(func (local $i i32) (local $l i64) (local $d f64) (local $v v128) {locals} {body})\n")
}

/// A component with one such module.
pub fn component(choices: &mut Choices) -> String {
    let wide = choices.count(200);
    let globals = "(global i32 (i32.const 1))".repeat(choices.count(3000));
    let data = "(data (i32.const 0) \"x\")".repeat(choices.count(3000));
    let elements = "(elem (table $t) (i32.const 0) func $wide)".repeat(choices.count(3000));
    let types = format!("(type (func (param{})))", " i32".repeat(choices.count(900)))
        .repeat(choices.count(500));
    let kinds: Vec<_> = (0..1 + choices.below(3))
        .map(|_| function(wide, choices))
        .collect();
    let functions: String = (0..choices.count(300))
        .map(|at| &*kinds[at % kinds.len()])
        .collect();
    format!(
        "(component (core module {types} (memory 1) (table $t 1 funcref) (global $g (mut i32) (i32.const 0))
           (func $wide (param{})) {globals} {elements} {functions} {data}))",
        " i32".repeat(wide)
    )
}
