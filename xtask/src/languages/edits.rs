//! An edit, visible to clients, of each handler that `echo-host new` creates.

use anyhow::{Context, Result, bail};

use super::Language;

/// Language, kind, file, the old text and the new text. `@` stands for a digit, `⏎` for a line
/// break.
const EDITS: &str = r#"
rust | responder | src/lib.rs | message⏎} | [b"@", &message[1..]].concat()⏎}
c | responder | src/handler.c | *reply = *message; | *reply = *message, *reply->ptr = '@';
go | responder | export_wit_world/handler.go | return message | return append([]byte("@"), message[1:]...)
javascript | responder | src/handler.js | return message; | return Uint8Array.of(48 + @, ...message.subarray(1));
python | responder | src/handler.py | return message | return b"@" + message[1:]
rust | framed-responder | src/lib.rs | push('\n') | push('@')
c | framed-responder | src/handler.c | *to = '\n' | *to = '@'
go | framed-responder | export_wit_world/handler.go | (characters)), '\n') | (characters)), '@')
javascript | framed-responder | src/handler.js | reply[length] = 10; | reply[length] = 48 + @;
python | framed-responder | src/handler.py | {text[::-1]}\n | {text[::-1]}@
rust | conversation | src/lib.rs | send_line("hello | send_line("hell@
c | conversation | src/handler.c | "hello" | "hell@"
go | conversation | counter/counter.go | "hello" | "hell@"
javascript | conversation | src/handler.js | "hello" | "hell@"
python | conversation | src/conversation.py | "hello" | "hell@"
rust | program | src/main.rs | "{number} {text}" | "{number}@ {text}"
c | program | src/handler.c | "%llu " | "%llu@ "
go | program | main.go | "%d %s\n" | "%d@ %s\n"
javascript | program | src/lines.js | `${count} ` | `${count}@ `
python | program | src/handler.py | b"%d %s\n" | b"%d@ %s\n"
"#;

/// Puts a digit into the handler's reply to `ping`.
pub struct Edit {
    /// The file, in the handler's directory.
    pub file: &'static str,
    from: String,
    to: String,
    answer: &'static str,
}

impl Edit {
    /// The edit of a handler of this kind in this language.
    pub fn of(language: Language, kind: &str) -> Result<Self> {
        let mut edits = EDITS
            .lines()
            .map(|line| line.split(" | ").collect::<Vec<_>>());
        let edit = edits.find(|it| it[0] == language.name() && it[1] == kind);
        let Some([_, _, file, from, to]) = edit.as_deref() else {
            bail!("there is no edit of a {kind} in {}", language.title());
        };
        let answer = match kind {
            "responder" => "@ing",
            "framed-responder" => "gnip@",
            "conversation" => "hell@",
            _ => "1@ ping",
        };
        let [from, to] = [from, to].map(|text| text.replace('⏎', "\n"));
        Ok(Edit {
            file,
            from,
            to,
            answer,
        })
    }

    /// The text with this digit, whether or not it had another one.
    pub fn make(&self, text: &str, digit: u8) -> Result<String> {
        let with = |digit: u8| self.to.replace('@', &digit.to_string());
        let earlier = (0..=9).map(with).find(|earlier| text.contains(earlier));
        let from = earlier.as_ref().unwrap_or(&self.from);
        let (before, after) = text
            .split_once(from)
            .with_context(|| format!("there is no {from:?}"))?;
        Ok(format!("{before}{}{after}", with(digit)))
    }

    /// How the reply starts after the edit.
    pub fn answer(&self, digit: u8) -> String {
        self.answer.replace('@', &digit.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::HANDLERS;

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

    #[test]
    fn there_is_one_for_each_handler() {
        for language in Language::ALL {
            for (_, kind) in HANDLERS {
                Edit::of(language, kind).unwrap();
            }
        }
    }
}
