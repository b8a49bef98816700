//! An edit of each handler that `echo-host new` begins, which clients notice.

use anyhow::{Context, Result};

use super::Language;

/// Puts a digit, here `#`, into what a handler answers to a client that sends `ping`.
pub struct Edit {
    /// Where, in the handler's folder.
    pub file: &'static str,
    from: &'static str,
    to: &'static str,
    answer: &'static str,
}

impl Edit {
    /// That of a handler of this tier in this language.
    pub fn of(language: Language, tier: &str) -> Result<Self> {
        let (answer, places) = match tier {
            "responder" => ("#ing", RESPONDERS),
            "framed-responder" => ("gnip#", FRAMED_RESPONDERS),
            "conversation" => ("hell#", CONVERSATIONS),
            _ => ("1# ping", PROGRAMS),
        };
        let mut places = places.iter().filter(|place| place.0 == language);
        let (_, file, from, to) = places.next().context("there is an edit for each handler")?;
        Ok(Edit {
            file,
            from,
            to,
            answer,
        })
    }

    /// The text with this digit, whether it had another one before or none.
    pub fn make(&self, text: &str, digit: u8) -> Result<String> {
        let with = |digit: u8| self.to.replace('#', &digit.to_string());
        let earlier = (0..=9).map(with).find(|earlier| text.contains(earlier));
        let from = earlier.as_deref().unwrap_or(self.from);
        let (before, after) = text
            .split_once(from)
            .with_context(|| format!("there is no {from:?}"))?;
        Ok(format!("{before}{}{after}", with(digit)))
    }

    /// How what is sent to a client begins then.
    pub fn answer(&self, digit: u8) -> String {
        self.answer.replace('#', &digit.to_string())
    }
}

/// A language, a file, and what is replaced there by what.
type Place = (Language, &'static str, &'static str, &'static str);

const RESPONDERS: &[Place] = &[
    (
        Language::Rust,
        "src/lib.rs",
        "    message\n}",
        "    [b\"#\", &message[1..]].concat()\n}",
    ),
    (
        Language::C,
        "src/handler.c",
        "*reply = *message;",
        "*reply = *message, *reply->ptr = '#';",
    ),
    (
        Language::Go,
        "export_wit_world/handler.go",
        "return message",
        "return append([]byte(\"#\"), message[1:]...)",
    ),
    (
        Language::JavaScript,
        "src/handler.js",
        "return message;",
        "return Uint8Array.of(48 + #, ...message.subarray(1));",
    ),
    (
        Language::Python,
        "src/handler.py",
        "return message",
        "return b\"#\" + message[1:]",
    ),
];

const FRAMED_RESPONDERS: &[Place] = &[
    (Language::Rust, "src/lib.rs", "push('\\n')", "push('#')"),
    (Language::C, "src/handler.c", "*to = '\\n'", "*to = '#'"),
    (
        Language::Go,
        "export_wit_world/handler.go",
        "(characters)), '\\n')",
        "(characters)), '#')",
    ),
    (
        Language::JavaScript,
        "src/handler.js",
        "reply[length] = 10;",
        "reply[length] = 48 + #;",
    ),
    (
        Language::Python,
        "src/handler.py",
        "{text[::-1]}\\n",
        "{text[::-1]}#",
    ),
];

const CONVERSATIONS: &[Place] = &[
    (Language::Rust, "src/lib.rs", "send(\"hello", "send(\"hell#"),
    (Language::C, "src/handler.c", "\"hello\\n\"", "\"hell#\\n\""),
    (
        Language::Go,
        "counter/counter.go",
        "\"hello\\n\"",
        "\"hell#\\n\"",
    ),
    (
        Language::JavaScript,
        "src/handler.js",
        "\"hello\\n\"",
        "\"hell#\\n\"",
    ),
    (
        Language::Python,
        "src/conversation.py",
        "\"hello\\n\"",
        "\"hell#\\n\"",
    ),
];

const PROGRAMS: &[Place] = &[
    (
        Language::Rust,
        "src/main.rs",
        "\"{number} {text}\"",
        "\"{number}# {text}\"",
    ),
    (Language::C, "src/handler.c", "\"%llu \"", "\"%llu# \""),
    (Language::Go, "main.go", "\"%d %s\\n\"", "\"%d# %s\\n\""),
    (
        Language::JavaScript,
        "src/lines.js",
        "`${count} `",
        "`${count}# `",
    ),
    (
        Language::Python,
        "src/handler.py",
        "b\"%d %s\\n\"",
        "b\"%d# %s\\n\"",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_can_be_edited() {
        let edit = Edit::of(Language::Rust, "program").unwrap();
        let text = "write!(\"{number} {text}\")";
        let once = edit.make(text, 1).unwrap();
        assert_eq!(once, "write!(\"{number}1 {text}\")");
        assert_eq!(edit.make(&once, 2).unwrap(), "write!(\"{number}2 {text}\")");
        assert_eq!(edit.answer(2), "12 ping");
        edit.make("", 1).unwrap_err();
    }
}
