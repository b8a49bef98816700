//! A mail's text as it arrives. It is inspected and not stored, so its size costs no memory.

use crate::lines::has_stray_end;

/// Longest mail, in bytes.
pub const MAX_SIZE: usize = 1 << 20;
/// How much of the subject is stored.
const MAX_SUBJECT: usize = 200;

#[derive(Default)]
pub struct Message {
    size: usize,
    subject: String,
    part: Part,
    has_stray_end: bool,
}

#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Header,
    /// Within the subject, which may continue on the next line.
    Subject,
    Body,
}

impl Message {
    /// Takes a line. Returns true at the end of the mail.
    pub fn add(&mut self, line: &[u8]) -> bool {
        // The client doubles a dot at the start of a line, so a lone dot is the end.
        let line = match line {
            b"." => return true,
            [b'.', rest @ ..] => rest,
            line => line,
        };
        self.has_stray_end |= has_stray_end(line);
        self.size = self.size.saturating_add(line.len() + 2);
        if self.part != Part::Body {
            self.look_at(&String::from_utf8_lossy(line));
        }
        false
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether it has a lone CR or LF, which another server might take for a line ending.
    pub fn has_stray_end(&self) -> bool {
        self.has_stray_end
    }

    pub fn is_too_long(&self) -> bool {
        self.size > MAX_SIZE
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Looks for the subject in a line of the header.
    fn look_at(&mut self, line: &str) {
        const NAME: &str = "Subject:";
        if line.is_empty() {
            self.part = Part::Body;
        } else if line.starts_with([' ', '\t']) {
            if self.part == Part::Subject {
                self.keep(&format!(" {}", line.trim()));
            }
        } else if line
            .get(..NAME.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(NAME))
        {
            self.part = Part::Subject;
            self.keep(line[NAME.len()..].trim());
        } else {
            self.part = Part::Header;
        }
    }

    fn keep(&mut self, text: &str) {
        let room = MAX_SUBJECT.saturating_sub(self.subject.chars().count());
        self.subject.extend(text.chars().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lines: &[&str]) -> Message {
        let mut message = Message::default();
        for line in lines {
            assert!(!message.add(line.as_bytes()), "{line}");
        }
        assert!(message.add(b"."));
        message
    }

    #[test]
    fn a_mail_ends_with_a_dot_alone() {
        let message = message(&["", "one", "..", "..two", ". "]);
        assert_eq!(message.size(), "\r\none\r\n.\r\n.two\r\n \r\n".len());
    }

    #[test]
    fn the_subject_is_found_in_the_header() {
        assert_eq!(
            message(&["To: b", "SUBJECT: hi", "", "Subject: no"]).subject(),
            "hi"
        );
        assert_eq!(
            message(&["Subject: a", "\tb", " c", "X: y", " d"]).subject(),
            "a b c"
        );
        assert_eq!(message(&["", "Subject: no"]).subject(), "");
        assert_eq!(message(&["Subject:", "Sub", "Subjekté: x"]).subject(), "");
    }

    #[test]
    fn a_subject_is_cut_and_a_size_is_counted() {
        let long = "é".repeat(150);
        let message = message(&[&format!("Subject: {long}"), &format!(" {long}")]);
        assert_eq!(message.subject().chars().count(), MAX_SUBJECT);
        assert_eq!(message.subject().chars().nth(150), Some(' '));
        assert!(!message.is_too_long());
    }
}
