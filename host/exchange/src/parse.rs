//! Parses a file of exchanges. Pure: opens and plays nothing.

use super::fault::{Fault, ParseError};
use super::notation::{Text, read_hex, read_text};
use super::pattern::Pattern;
use super::{Action, Exchange, Exchanges, LineEnding, Step, UNTITLED};
use bytes::Bytes;
use std::collections::HashMap;

/// Parses the text of a file.
pub fn parse(file: &[u8]) -> Result<Exchanges, ParseError> {
    let mut parser = Parser::default();
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    for line in file.split(|byte| *byte == b'\n') {
        parser.line_number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let read = utf8(line).and_then(|text| {
            let read = parser.read(text);
            // Columns count characters, not bytes.
            read.map_err(|(offset, fault)| {
                let before = text.get(..offset).unwrap_or(text);
                (before.chars().count(), fault)
            })
        });
        read.map_err(|(column, fault)| parser.error(column, fault))?;
    }
    let ended = parser.end_exchange();
    ended.map_err(|fault| parser.error(0, fault))?;
    if parser.exchanges.exchanges.is_empty() {
        return Err(parser.error(0, Fault::NoExchange));
    }
    Ok(parser.exchanges)
}

/// A syntax error and its offset in the line.
type Wrong = (usize, Fault);

fn utf8(line: &[u8]) -> Result<&str, Wrong> {
    str::from_utf8(line).map_err(|error| {
        let good = String::from_utf8_lossy(&line[..error.valid_up_to()]);
        (good.chars().count(), Fault::NotUtf8)
    })
}

#[derive(Default)]
struct Parser {
    line_number: usize,
    exchanges: Exchanges,
    is_ending_set: bool,
    /// The line of each title.
    titles: HashMap<String, usize>,
    /// The current exchange.
    open: Option<Exchange>,
    /// The line of its `>eof`.
    finished: Option<usize>,
}

impl Parser {
    fn error(&self, column: usize, fault: Fault) -> ParseError {
        ParseError {
            line: self.line_number,
            column: column + 1,
            fault,
        }
    }

    fn read(&mut self, line: &str) -> Result<(), Wrong> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(title) = line.strip_prefix("==") {
            return self.begin_exchange(title);
        }
        if line.starts_with(['>', '<']) {
            let action = self.action(line)?;
            return self.add(action).map_err(|fault| (0, fault));
        }
        match line.split_once(':') {
            Some((name, value)) if name.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                let skipped = value.len() - value.trim_start().len();
                self.set(name, value.trim(), name.len() + 1 + skipped)
            }
            _ => Err((0, Fault::UnknownLine)),
        }
    }

    fn set(&mut self, name: &str, value: &str, offset: usize) -> Result<(), Wrong> {
        let file = &mut self.exchanges;
        let is_set = match name {
            "framing" => file.framing.is_some(),
            "ending" => self.is_ending_set,
            "cuts" => file.cuts.is_some(),
            _ => return Err((0, Fault::UnknownSetting(name.to_owned()))),
        };
        if self.open.is_some() {
            return Err((0, Fault::LateSetting));
        }
        if is_set {
            return Err((0, Fault::SettingTwice));
        }
        match (name, value) {
            ("framing", _) => {
                let framing = value
                    .parse()
                    .map_err(|error| (offset, Fault::Framing(error)))?;
                file.framing = Some(framing);
            }
            ("ending", "lf") => file.ending = LineEnding::Lf,
            ("ending", "crlf") => file.ending = LineEnding::CrLf,
            ("ending", _) => return Err((offset, Fault::LineEnding)),
            (_, "yes") => file.cuts = Some(true),
            (_, "no") => file.cuts = Some(false),
            _ => return Err((offset, Fault::Cuts)),
        }
        self.is_ending_set |= name == "ending";
        Ok(())
    }

    fn begin_exchange(&mut self, title: &str) -> Result<(), Wrong> {
        self.end_exchange().map_err(|fault| (0, fault))?;
        let name = title.trim();
        if name.is_empty() {
            return Err((0, Fault::NoTitle));
        }
        self.open = Some(self.exchange(name).map_err(|fault| (0, fault))?);
        Ok(())
    }

    fn exchange(&mut self, name: &str) -> Result<Exchange, Fault> {
        let line = self.line_number;
        self.finished = None;
        if let Some(other) = self.titles.insert(name.to_owned(), line) {
            return Err(Fault::TitleTwice(other));
        }
        Ok(Exchange {
            name: name.to_owned(),
            line,
            ending: self.exchanges.ending,
            steps: Vec::new(),
        })
    }

    fn end_exchange(&mut self) -> Result<(), Fault> {
        match self.open.take() {
            Some(exchange) if exchange.steps.is_empty() => Err(Fault::NoSteps),
            Some(exchange) => {
                self.exchanges.exchanges.push(exchange);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The action of a line that starts with a sign.
    fn action(&self, line: &str) -> Result<Action, Wrong> {
        let sends = line.starts_with('>');
        let behind = &line[1..];
        if let Some(text) = behind.strip_prefix('~').filter(|_| !sends) {
            return self
                .pattern(text)
                .map_err(|(offset, fault)| (offset + 2, fault));
        }
        let bytes = match behind.split_once([' ', '\t']).unwrap_or((behind, "")) {
            ("eof", rest) if rest.trim().is_empty() => {
                return Ok(if sends {
                    Action::Finish
                } else {
                    Action::Closed
                });
            }
            ("hex", digits) => read_hex(digits)
                .map_err(|offset| (line.len() - digits.len() + offset, Fault::Hex))?,
            _ => {
                let text = text(if sends { ">" } else { "<" }, behind, false);
                let Text {
                    mut parts,
                    is_unended,
                } = text.map_err(|(offset, fault)| (offset + 1, fault))?;
                if !is_unended {
                    parts.push(self.exchanges.ending.as_bytes().to_vec());
                }
                parts.concat()
            }
        };
        match bytes.is_empty() {
            true => Err((0, Fault::NoBytes)),
            false if sends => Ok(Action::Send(bytes.into())),
            false => Ok(Action::Expect(bytes.into())),
        }
    }

    fn pattern(&self, behind: &str) -> Result<Action, Wrong> {
        let Text { parts, is_unended } = text("<~", behind, true)?;
        if is_unended {
            return Err((behind.len() - 1, Fault::UnendedPattern));
        }
        if parts.iter().any(|part| part.contains(&b'\n')) {
            return Err((0, Fault::LongPattern));
        }
        Ok(Action::ExpectLine(Pattern {
            parts: parts.into_iter().map(Bytes::from).collect(),
            ending: self.exchanges.ending.as_bytes(),
        }))
    }

    fn add(&mut self, action: Action) -> Result<(), Fault> {
        let line = self.line_number;
        let mut exchange = match self.open.take() {
            Some(exchange) => exchange,
            None => self.exchange(UNTITLED)?,
        };
        if let Some(Step {
            line,
            action: Action::Closed,
        }) = exchange.steps.last()
        {
            return Err(Fault::AfterClosed(*line));
        }
        if let (Some(line), Action::Send(_) | Action::Finish) = (self.finished, &action) {
            return Err(Fault::AfterFinish(line));
        }
        if action == Action::Finish {
            self.finished = Some(line);
        }
        exchange.steps.push(Step { line, action });
        self.open = Some(exchange);
        Ok(())
    }
}

/// The text after a sign and a space.
fn text(sign: &'static str, behind: &str, gaps: bool) -> Result<Text, Wrong> {
    let text = match behind.strip_prefix(' ') {
        Some(text) => text,
        None if behind.is_empty() => "",
        None => {
            let text = behind.to_owned();
            return Err((0, Fault::NoBlank { sign, text }));
        }
    };
    if text.ends_with([' ', '\t']) {
        return Err((behind.len() - 1, Fault::LastBlank));
    }
    read_text(text, gaps).map_err(|unknown| {
        let offset = behind.len() - text.len() + unknown.offset;
        (offset, Fault::UnknownEscape(unknown.escape))
    })
}

#[cfg(test)]
mod tests;
