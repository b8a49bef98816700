use crate::{Unfit, Weight, screen};

fn screened(text: &str) -> Result<Weight, Unfit> {
    screen(&wat::parse_str(text).unwrap())
}

/// A component in which one component passes tuples of strings to another, with this many functions
/// and instances.
fn handing_over(strings: usize, functions: usize, times: usize) -> String {
    let each = |text: &dyn Fn(usize) -> String| (0..functions).map(text).collect::<String>();
    let tuple = format!("(tuple {})", "string ".repeat(strings));
    let core = "(core module $m (memory (export \"m\") 1)
            (func (export \"r\") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export \"f\") (param i32) unreachable))
        (core instance $i (instantiate $m))
        (alias core export $i \"m\" (core memory $m)) (alias core export $i \"r\" (core func $r))
        (alias core export $i \"f\" (core func $f))";
    let lifted = each(&|number| {
        let lift = "canon lift (core func $f) (memory $m) (realloc $r)";
        format!("(func (export \"f{number}\") (param \"p\" {tuple}) ({lift}))")
    });
    let imported =
        each(&|number| format!("(import \"f{number}\" (func $f{number} (param \"p\" {tuple})))"));
    let lowered = each(&|number| {
        format!("(core func (canon lower (func $f{number}) (memory $m) (realloc $r)))")
    });
    let given = each(&|number| format!("(with \"f{number}\" (func $a \"f{number}\"))"));
    let taken = format!("(instance (instantiate $b {given}))").repeat(times);
    format!(
        "(component (component $a {core} {lifted}) (component $b {imported} {core} {lowered})
            (instance $a (instantiate $a)) {taken})"
    )
}

#[test]
fn values_passed_between_components_count_by_size() {
    screened(&handing_over(1, 1000, 1)).unwrap();
    screened(&handing_over(24, 400, 1)).unwrap();
    // More functions, larger types, more instances.
    for (strings, functions, times) in [(1, 7000, 1), (24, 1000, 1), (60, 400, 1), (24, 400, 2)] {
        let refused = screened(&handing_over(strings, functions, times));
        assert!(matches!(refused, Err(Unfit::Expansion)), "{refused:?}");
    }
    // A type of a million parts, in a few bytes.
    let tenfold = |level: usize| {
        format!(
            "(type $t{} (tuple {}))",
            level + 1,
            format!("$t{level} ").repeat(10)
        )
    };
    let types: String = (0..5).map(tenfold).collect();
    let huge = format!(
        "(component (type $t0 (tuple u8 u8 u8 u8)) {types} (import \"f\" (func $f (param \"p\" $t5)))"
    );
    screened(&format!("{huge})")).unwrap();
    let lowered =
        |count| "(core func (canon lower (func $f) (memory $m) (realloc $r)))".repeat(count);
    let core = "(core module $m (memory (export \"m\") 1)
            (func (export \"r\") (param i32 i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m))
        (alias core export $i \"m\" (core memory $m)) (alias core export $i \"r\" (core func $r))";
    screened(&format!("{huge} {core} {})", lowered(2))).unwrap();
    let refused = screened(&format!("{huge} {core} {})", lowered(6)));
    assert!(matches!(refused, Err(Unfit::Expansion)), "{refused:?}");
}

/// A component with an instance type that has a resource, and this many functions that take one.
fn with_resources(functions: usize, rest: &str) -> String {
    let functions: String = (0..functions)
        .map(|number| format!("(export \"f{number}\" (func (param \"p\" $o)))"))
        .collect();
    format!(
        "(component (type $i (instance (export \"r\" (type $r (sub resource))) (type $o (own $r)) {functions})) {rest})"
    )
}

#[test]
fn copied_types_count_by_size() {
    let imports = |functions, count| {
        let imports: String = (0..count)
            .map(|number| format!("(import \"i{number}\" (instance (type $i)))"))
            .collect();
        screened(&with_resources(functions, &imports))
    };
    imports(100, 100).unwrap();
    imports(1000, 100).unwrap();
    let refused = imports(1000, 200);
    assert!(matches!(refused, Err(Unfit::Expansion)), "{refused:?}");
    let in_a_type =
        "(type (instance (alias outer 1 $i (type $i)) (export \"i\" (instance (type $i)))))";
    let refused = screened(&with_resources(1, in_a_type));
    assert!(matches!(refused, Err(Unfit::NestedInstance)), "{refused:?}");
}
