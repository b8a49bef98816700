//! Texts of configuration files: nearly right, wrong, and cut anywhere.

use super::invariants::check;
use proptest::prelude::*;

/// What files are made of.
const PIECES: &[&str] = &[
    "workers = 0\n",
    "wörkers = '\u{202e}ä'\n",
    "service = 5\n",
    "metrics = 'tcp://127.0.0.1:7'\n",
    "[service]\n",
    "[[service]]\n",
    "[service.a]\n",
    "[service.\"b ä\"]\r\n",
    "[service.c.env]\n",
    "[[service.a.listen]]\n",
    "uri = 'tls://127.0.0.1:7'\n",
    "tls-cert = 'x'\n",
    "tls-more = [{ cert = 1 }, { key = 'x', cert = '' }]\n",
    "listen = ['tcp://0.0.0.0:7', 'ä', { uri = 'udp://127.0.0.1:7', ury = 1, allow = ['x'] }]\n",
    "listen = 'stdio:'\n",
    "listen = { allow = [] }\n",
    "env = { A = 'ä\u{85}', B = 1, C = [[1], 'x'] }\n",
    "config.'ä' = '''\nä\n'''\n",
    "keyvalue = \"redis://:hunter2@x/y/z\"\n",
    "idle-timeout = 10\n",
    "idle-timeout\n",
    "handler = 'none.wasm'\n",
    "dirs = ['none::/data', 'none/in::/x', 5]\n",
    "then = [[[[[1]]]]]\n",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
        1 => "[\\[\\]{}='\", \t\r\n\x1b]{0,4}",
    ]
}

proptest! {
    #[test]
    fn every_text_is_a_configuration_or_its_mistakes_are_shown(
        pieces in prop::collection::vec(piece(), 0..8),
        cut in 0..400_usize,
    ) {
        let text = pieces.concat();
        check(text.as_bytes());
        check(&text.as_bytes()[..text.floor_char_boundary(cut)]);
    }
}
