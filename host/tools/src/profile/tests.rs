//! A profile with hostile names, in all forms.

use super::*;

const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "[u8; 4]",
    "function 12",
    "\"]]>&amp;'",
];

/// Guests in `outer`, which calls the other functions; each is seen as often as its number says.
fn profile() -> Profile {
    let mut profile = Profile::begin(vec!["main".into()]);
    let functions = ["outer"].into_iter().chain(HOSTILE);
    let inner = (1..=HOSTILE.len() as u32).map(|function| (Some(0), function));
    let stacks = [(None, 0)].into_iter().chain(inner).collect();
    let samples = (1..=HOSTILE.len() as u32).flat_map(|stack| {
        (0..stack).map(move |number| Sample {
            at: Duration::from_millis(u64::from(5 * number)),
            stack,
            service: 0,
            generation: Some(u64::from(number % 2)),
        })
    });
    profile.add(functions.map(str::to_owned).collect(), stacks, samples);
    profile
}

#[test]
fn functions_are_counted_by_version_alone_and_with_those_they_called() {
    let rows = profile().rows();
    assert_eq!(rows.iter().map(|it| it.own).sum::<u64>(), 10);
    let outer: Vec<_> = rows.iter().filter(|it| it.function == "outer").collect();
    let counts = outer
        .iter()
        .map(|it| (it.version.generation, it.own, it.total));
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [(Some(0), 0, 6), (Some(1), 0, 4)]
    );
}

#[test]
fn a_function_that_calls_itself_counts_once() {
    let mut profile = Profile::begin(vec!["main".into()]);
    let sample = Sample {
        at: Duration::ZERO,
        stack: 2,
        service: 0,
        generation: None,
    };
    let stacks = vec![(None, 0), (Some(0), 0), (Some(1), 0)];
    profile.add(vec!["again".into()], stacks, [sample]);
    let rows = profile.rows();
    assert_eq!((rows.len(), rows[0].own, rows[0].total), (1, 1, 1));
}

#[test]
fn numbers_that_a_host_made_up_do_no_harm() {
    let mut profile = Profile::begin(Vec::new());
    let sample = |stack| Sample {
        at: Duration::ZERO,
        stack,
        service: 7,
        generation: None,
    };
    let stacks = vec![(Some(1), 9), (Some(1), 0)];
    profile.add(Vec::new(), stacks, [sample(0), sample(1), sample(u32::MAX)]);
    assert_eq!(profile.rows().len(), 1);
    profile.firefox().unwrap();
    profile.flame_graph().unwrap();
}

#[test]
fn a_flame_graph_shows_names_and_nothing_that_they_say() {
    let svg = String::from_utf8(profile().flame_graph().unwrap()).unwrap();
    assert!(!svg.contains("<script>alert"), "{svg}");
    for shown in [
        "&lt;script&gt;alert(1)&lt;/script&gt; (1 samples",
        "[u8,\u{a0}4] (1 samples",
        "function\u{a0}12 (2 samples",
        "main, generation\u{a0}1 (4 samples",
    ] {
        assert!(svg.contains(shown), "{shown}: {svg}");
    }
    // Semicolons separate calls.
    assert!(
        svg.contains("&quot;]]&gt;&amp;amp,&apos; (2 samples"),
        "{svg}"
    );
}

#[test]
fn a_profile_for_firefox_has_a_thread_for_each_version() {
    let json: serde_json::Value = serde_json::from_slice(&profile().firefox().unwrap()).unwrap();
    let threads = json["threads"].as_array().unwrap();
    let names = threads.iter().map(|it| it["name"].as_str().unwrap());
    let names: Vec<_> = names.collect();
    assert_eq!(names, ["main, generation 0", "main, generation 1"]);
    let samples = threads.iter().map(|it| it["samples"]["length"].as_u64());
    assert_eq!(samples.collect::<Vec<_>>(), [Some(6), Some(4)]);
    let text = json.to_string();
    assert!(text.contains("<script>alert(1)</script>") && text.contains("[u8; 4]"));
}
