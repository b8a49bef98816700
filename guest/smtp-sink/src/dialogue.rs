//! The order of commands and replies (RFC 5321, sections 3 and 4.1.4; RFC 3207 for STARTTLS).

use crate::command::Command;
use crate::lines::has_stray_end;
use crate::message::{MAX_SIZE, Message};
use std::mem;

/// The greeting.
pub const BANNER: &str = "220 smtp-sink ESMTP, mail is discarded\r\n";
/// The reply when the server must stop.
pub const STOPPING: &str = "421 4.3.2 smtp-sink is stopping\r\n";

/// The reply to a line that is too long to continue.
pub const LINE_TOO_LONG: &str = "500 5.5.2 The line is too long\r\n";

const MAX_RECIPIENTS: usize = 100;

const GREET_FIRST: &str = "503 5.5.1 HELO or EHLO required first";
const MAIL_FIRST: &str = "503 5.5.1 MAIL required first";
const RCPT_FIRST: &str = "503 5.5.1 RCPT required first";
const ONE_AT_A_TIME: &str = "503 5.5.1 MAIL was already given";
const STRAY_END: &str = "500 5.5.2 Lines must end with CR LF, without lone CR or LF";
const STRAY_END_IN_MAIL: &str = "550 5.6.0 Lines must end with CR LF, without lone CR or LF";
const TOO_LONG: &str = "552 5.3.4 The mail is too long";
const NO_TLS: &str = "502 5.5.1 STARTTLS is not offered";
const TOO_MANY: &str = "452 4.5.3 Too many recipients";

/// The state of one conversation.
#[derive(Default)]
pub struct Dialogue {
    /// Whether TLS can be started.
    offers_tls: bool,
    has_greeted: bool,
    mail: Option<Mail>,
    /// The mail's text, while it arrives.
    message: Option<Message>,
}

#[derive(Default)]
struct Mail {
    from: String,
    to: Vec<String>,
}

/// What to do after a line.
#[derive(Debug, PartialEq)]
pub enum Next {
    Listen,
    Reply(String),
    /// Reply, and log that a mail has arrived.
    Accept(String, String),
    /// Reply, then shake hands for TLS.
    StartTls(String),
    /// Reply, then close.
    Close(String),
}

impl Dialogue {
    /// The start of a conversation.
    pub fn new(offers_tls: bool) -> Self {
        Dialogue {
            offers_tls,
            ..Dialogue::default()
        }
    }

    pub fn hear(&mut self, line: &[u8]) -> Next {
        if let Some(mut message) = self.message.take() {
            if message.add(line) {
                return self.accept(&message);
            }
            self.message = Some(message);
            return Next::Listen;
        }
        let reply = match Command::read(line) {
            _ if has_stray_end(line) => STRAY_END.to_owned(),
            Ok(Command::Quit) => return Next::Close("221 2.0.0 Goodbye\r\n".to_owned()),
            Ok(Command::StartTls) if self.offers_tls => {
                return Next::StartTls("220 2.0.0 Go on with TLS\r\n".to_owned());
            }
            Ok(command) => self.obey(command),
            Err(refusal) => refusal.to_owned(),
        };
        Next::Reply(reply + "\r\n")
    }

    fn obey(&mut self, command: Command) -> String {
        let reply = match command {
            Command::Helo => {
                self.greet();
                "250 smtp-sink"
            }
            Command::Ehlo => {
                self.greet();
                let starttls = if self.offers_tls {
                    "250-STARTTLS\r\n"
                } else {
                    ""
                };
                return format!(
                    "250-smtp-sink\r\n250-SIZE {MAX_SIZE}\r\n250-8BITMIME\r\n250-PIPELINING\r\n\
                     {starttls}250 ENHANCEDSTATUSCODES"
                );
            }
            Command::Mail { .. } if !self.has_greeted => GREET_FIRST,
            Command::Mail { .. } if self.mail.is_some() => ONE_AT_A_TIME,
            Command::Mail { size, .. } if size > MAX_SIZE => TOO_LONG,
            Command::Mail { from, .. } => {
                let to = Vec::new();
                self.mail = Some(Mail { from, to });
                "250 2.1.0 Go on"
            }
            Command::Rcpt { to } => self.add_recipient(to),
            Command::Data => match &self.mail {
                None => MAIL_FIRST,
                Some(mail) if mail.to.is_empty() => RCPT_FIRST,
                Some(_) => {
                    self.message = Some(Message::default());
                    "354 End the mail with a dot alone on a line"
                }
            },
            Command::Rset => {
                self.mail = None;
                "250 2.0.0 Forgotten"
            }
            Command::Noop => "250 2.0.0 Nothing done",
            Command::Vrfy => "252 2.1.5 All recipients are accepted",
            Command::Help => "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT",
            Command::StartTls => NO_TLS,
            // Handled above.
            Command::Quit => "221 2.0.0 Goodbye",
        };
        reply.to_owned()
    }

    /// A greeting within a session starts over.
    fn greet(&mut self) {
        self.has_greeted = true;
        self.mail = None;
    }

    fn add_recipient(&mut self, to: String) -> &'static str {
        match &mut self.mail {
            None => MAIL_FIRST,
            Some(mail) if mail.to.len() == MAX_RECIPIENTS => TOO_MANY,
            Some(mail) => {
                mail.to.push(to);
                "250 2.1.5 Go on"
            }
        }
    }

    fn accept(&mut self, message: &Message) -> Next {
        let mail = mem::take(&mut self.mail).unwrap_or_default();
        if message.has_stray_end() {
            return Next::Reply(format!("{STRAY_END_IN_MAIL}\r\n"));
        }
        if message.is_too_long() {
            return Next::Reply(format!("{TOO_LONG}\r\n"));
        }
        let to: Vec<_> = mail.to.iter().map(|to| format!("<{to}>")).collect();
        let summary = format!(
            "mail from <{}> to {}: {} bytes, subject {:?}",
            mail.from,
            to.join(" "),
            message.size(),
            message.subject(),
        );
        Next::Accept("250 2.0.0 Accepted and discarded\r\n".to_owned(), summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Lines;
    use proptest::prelude::*;

    /// The complete reply to these bytes.
    fn answers(bytes: &[u8]) -> String {
        let (mut dialogue, mut lines) = (Dialogue::default(), Lines::default());
        let mut all = String::new();
        lines.add(bytes);
        while let Ok(Some(line)) = lines.next() {
            match dialogue.hear(line) {
                Next::Listen => {}
                Next::Reply(reply) | Next::Accept(reply, _) => all += &reply,
                Next::StartTls(reply) | Next::Close(reply) => return all + &reply,
            }
        }
        all
    }

    proptest! {
        /// The replies do not depend on how the input is split.
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            answers(&bytes);
            let mut with_mail = b"EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n".to_vec();
            with_mail.extend(&bytes);
            with_mail.extend(b"\r\n.\r\nQUIT\r\n");
            prop_assert!(answers(&with_mail).ends_with("221 2.0.0 Goodbye\r\n"));
        }

        #[test]
        fn any_words_are_answered(
            words in proptest::collection::vec("(MAIL|RCPT|FROM:|TO:|SIZE=|<|>|@|\"|\\\\|[0-9]{1,30}|é| |DATA|\\.|\r\n){0,20}", 0..20)
        ) {
            let text = format!("EHLO me\r\n{}\r\n", words.concat());
            prop_assert!(answers(text.as_bytes()).lines().count() >= 6);
        }
    }

    /// The first three characters of the reply to each line; empty for no reply.
    fn codes(dialogue: &mut Dialogue, lines: &[&str]) -> Vec<String> {
        let code = |line: &&str| match dialogue.hear(line.as_bytes()) {
            Next::Listen => String::new(),
            Next::Reply(reply)
            | Next::Accept(reply, _)
            | Next::StartTls(reply)
            | Next::Close(reply) => {
                assert!(reply.ends_with("\r\n"), "{reply:?}");
                reply[..3].to_owned()
            }
        };
        lines.iter().map(code).collect()
    }

    #[test]
    fn a_mail_is_taken() {
        let mut dialogue = Dialogue::default();
        let lines = [
            "EHLO me",
            "MAIL FROM:<a@x>",
            "RCPT TO:<b@x>",
            "RCPT TO:<c@x>",
            "DATA",
        ];
        assert_eq!(
            codes(&mut dialogue, &lines),
            ["250", "250", "250", "250", "354"]
        );
        let lines = ["Subject: say \"hi\"", "", "QUIT", "..", "RSET"];
        assert_eq!(codes(&mut dialogue, &lines), ["", "", "", "", ""]);
        let Next::Accept(reply, summary) = dialogue.hear(b".") else {
            panic!("it was not taken");
        };
        assert!(reply.starts_with("250 "));
        assert_eq!(
            summary,
            r#"mail from <a@x> to <b@x> <c@x>: 36 bytes, subject "say \"hi\"""#
        );
        // The next mail starts over.
        let lines = ["DATA", "MAIL FROM:<>", "DATA", "RCPT TO:<b@x>", "DATA", "."];
        assert_eq!(
            codes(&mut dialogue, &lines),
            ["503", "250", "503", "250", "354", "250"]
        );
        assert!(matches!(dialogue.hear(b"QUIT"), Next::Close(_)));
    }

    #[test]
    fn the_order_is_kept() {
        let mut dialogue = Dialogue::default();
        for (line, code) in [
            ("MAIL FROM:<a>", "503"),
            ("NOOP", "250"),
            ("VRFY a", "252"),
            ("HELO me", "250"),
            ("RCPT TO:<b>", "503"),
            ("DATA", "503"),
            ("MAIL FROM:<a>", "250"),
            ("MAIL FROM:<a>", "503"),
            ("DATA", "503"),
            ("RCPT TO:<b>", "250"),
            ("RSET", "250"),
            ("RCPT TO:<b>", "503"),
            ("MAIL FROM:<a>", "250"),
            ("EHLO me", "250"),
            ("RCPT TO:<b>", "503"),
            ("FOO", "500"),
            ("HELP", "214"),
        ] {
            assert_eq!(codes(&mut dialogue, &[line]), [code], "{line}");
        }
    }

    #[test]
    fn tls_is_offered_where_it_can_be_started() {
        let mut plain = Dialogue::new(false);
        assert_eq!(codes(&mut plain, &["EHLO me", "STARTTLS"]), ["250", "502"]);
        let mut dialogue = Dialogue::new(true);
        let Next::Reply(features) = dialogue.hear(b"EHLO me") else {
            panic!("EHLO has a reply");
        };
        assert!(features.contains("\r\n250-STARTTLS\r\n"), "{features}");
        assert!(matches!(dialogue.hear(b"STARTTLS"), Next::StartTls(_)));
    }

    #[test]
    fn too_much_is_refused() {
        let mut dialogue = Dialogue::default();
        let lines = [
            "EHLO me",
            "MAIL FROM:<a> SIZE=1048577",
            "MAIL FROM:<a> SIZE=1048576",
        ];
        assert_eq!(codes(&mut dialogue, &lines), ["250", "552", "250"]);
        let replies = codes(&mut dialogue, &["RCPT TO:<b>"; MAX_RECIPIENTS + 1]);
        assert_eq!(replies[MAX_RECIPIENTS - 1..], ["250", "452"]);
        assert_eq!(codes(&mut dialogue, &["DATA"]), ["354"]);
        let line = "x".repeat(998);
        for _ in 0..=MAX_SIZE / 1000 {
            assert_eq!(dialogue.hear(line.as_bytes()), Next::Listen);
        }
        // The mail is still read to its end.
        assert_eq!(codes(&mut dialogue, &[".", "NOOP"]), ["552", "250"]);
    }
}
