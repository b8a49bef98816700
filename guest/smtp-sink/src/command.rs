//! Parses the commands of RFC 5321, section 4.1.

/// The request in a line.
#[derive(Debug, PartialEq)]
pub enum Command {
    Helo,
    Ehlo,
    Mail { from: String, size: usize },
    Rcpt { to: String },
    Data,
    Rset,
    Noop,
    Vrfy,
    Help,
    StartTls,
    Quit,
}

/// Longest command line, in bytes, without its ending.
const MAX_LINE: usize = 510;

/// Why a line is not a command: the reply to it.
pub type Refusal = &'static str;

const UNKNOWN: Refusal = "500 5.5.2 Unknown command";
const TOO_LONG: Refusal = "500 5.5.2 The line is too long";
const NO_ARGUMENTS: Refusal = "501 5.5.4 That command takes no argument";
const NO_DOMAIN: Refusal = "501 5.5.4 Domain or address required";
const NO_FROM: Refusal = "501 5.5.4 Syntax: MAIL FROM:<address>";
const NO_TO: Refusal = "501 5.5.4 Syntax: RCPT TO:<address>";
const UNKNOWN_PARAMETER: Refusal = "555 5.5.4 Unknown parameter";

impl Command {
    pub fn read(line: &[u8]) -> Result<Self, Refusal> {
        if line.len() > MAX_LINE {
            return Err(TOO_LONG);
        }
        let line = str::from_utf8(line).map_err(|_| UNKNOWN)?.trim_end();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "HELO" if !rest.is_empty() => Ok(Command::Helo),
            "EHLO" if !rest.is_empty() => Ok(Command::Ehlo),
            "HELO" | "EHLO" => Err(NO_DOMAIN),
            "MAIL" => mail(rest),
            "RCPT" => rcpt(rest),
            // These may have arguments.
            "NOOP" => Ok(Command::Noop),
            "VRFY" => Ok(Command::Vrfy),
            "HELP" => Ok(Command::Help),
            "DATA" | "RSET" | "STARTTLS" | "QUIT" if !rest.is_empty() => Err(NO_ARGUMENTS),
            "DATA" => Ok(Command::Data),
            "RSET" => Ok(Command::Rset),
            "STARTTLS" => Ok(Command::StartTls),
            "QUIT" => Ok(Command::Quit),
            _ => Err(UNKNOWN),
        }
    }
}

fn mail(rest: &str) -> Result<Command, Refusal> {
    let (from, parameters) = path(rest, "FROM:").ok_or(NO_FROM)?;
    let mut size = 0;
    for parameter in parameters.split_whitespace() {
        match parameter.to_ascii_uppercase().split_once('=') {
            Some(("SIZE", digits)) => size = digits.parse().map_err(|_| NO_FROM)?,
            Some(("BODY", "7BIT" | "8BITMIME")) => {}
            _ => return Err(UNKNOWN_PARAMETER),
        }
    }
    Ok(Command::Mail { from, size })
}

fn rcpt(rest: &str) -> Result<Command, Refusal> {
    match path(rest, "TO:") {
        Some((to, _)) if to.is_empty() => Err(NO_TO),
        Some((to, "")) => Ok(Command::Rcpt { to }),
        Some(_) => Err(UNKNOWN_PARAMETER),
        None => Err(NO_TO),
    }
}

/// The address in `FROM:<address>`, and the parameters after it. A bounce message has an empty
/// address.
fn path<'a>(text: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let (found, rest) = text.split_at_checked(keyword.len())?;
    if !found.eq_ignore_ascii_case(keyword) {
        return None;
    }
    // The blank is not allowed, but common.
    let path = rest.trim_start().strip_prefix('<')?;
    let end = closing(path)?;
    let (address, parameters) = (&path[..end], &path[end + 1..]);
    if address.contains(char::is_control) || !(parameters.is_empty() || parameters.starts_with(' '))
    {
        return None;
    }
    // Source routes, as in `<@a,@b:user@c>`, are accepted and ignored.
    let address = match address.split_once(':') {
        Some((route, address)) if route.starts_with('@') => address,
        _ => address,
    };
    Some((address.to_owned(), parameters.trim()))
}

/// The end of the path. A user's name in quotes may contain anything.
fn closing(path: &str) -> Option<usize> {
    let mut is_quoted = false;
    let mut bytes = path.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => _ = bytes.next(),
            b'>' if !is_quoted => return Some(at),
            b'<' | b' ' if !is_quoted => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(line: &str) -> Result<String, Refusal> {
        match Command::read(line.as_bytes())? {
            Command::Mail { from, .. } => Ok(from),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_are_known_in_any_case() {
        assert_eq!(Command::read(b"ehlo me"), Ok(Command::Ehlo));
        assert_eq!(Command::read(b"Data "), Ok(Command::Data));
        assert_eq!(Command::read(b"NOOP whatever"), Ok(Command::Noop));
        assert_eq!(Command::read(b"EHLO"), Err(NO_DOMAIN));
        assert_eq!(Command::read(b"DATA now"), Err(NO_ARGUMENTS));
        assert_eq!(Command::read(b"starttls"), Ok(Command::StartTls));
        assert_eq!(Command::read(b"STARTTLS x"), Err(NO_ARGUMENTS));
        assert_eq!(Command::read(b"AUTH PLAIN"), Err(UNKNOWN));
        assert_eq!(Command::read(b"\xff"), Err(UNKNOWN));
        assert_eq!(Command::read(&[b'x'; MAX_LINE + 1]), Err(TOO_LONG));
    }

    #[test]
    fn addresses_stand_in_angle_brackets() {
        for (line, address) in [
            ("MAIL FROM:<ann@example.org>", "ann@example.org"),
            ("mail from: <ann@example.org> ", "ann@example.org"),
            ("MAIL FROM:<>", ""),
            ("MAIL FROM:<@a,@b:ann@c>", "ann@c"),
            (r#"MAIL FROM:<"a > \" b"@c>"#, r#""a > \" b"@c"#),
            ("MAIL FROM:<zoë@example.org>", "zoë@example.org"),
        ] {
            assert_eq!(from(line).as_deref(), Ok(address), "{line}");
        }
        for line in [
            "MAIL",
            "MAIL ann",
            "MAIL FROM",
            "MAIL FROM:ann",
            "MAIL FROM:<ann",
            "MAIL FROM:<a b>",
            "MAIL FROM:<a>b",
            "MAIL FROM:<a\x1b>",
            "MAIL TO:<ann>",
            "MAIL €€<ann>",
        ] {
            assert_eq!(from(line), Err(NO_FROM), "{line}");
        }
    }

    #[test]
    fn parameters_are_understood_or_refused() {
        let command = Command::read(b"MAIL FROM:<a> SIZE=123 body=8bitmime");
        let from = "a".to_owned();
        assert_eq!(command, Ok(Command::Mail { from, size: 123 }));
        assert_eq!(from_error("MAIL FROM:<a> SIZE=x"), NO_FROM);
        assert_eq!(from_error("MAIL FROM:<a> RET=FULL"), UNKNOWN_PARAMETER);
        assert_eq!(
            Command::read(b"RCPT TO:<a> NOTIFY=NEVER"),
            Err(UNKNOWN_PARAMETER)
        );
    }

    fn from_error(line: &str) -> Refusal {
        from(line).unwrap_err()
    }

    #[test]
    fn mail_goes_to_somebody() {
        let to = "bob@example.org".to_owned();
        assert_eq!(
            Command::read(b"RCPT TO:<bob@example.org>"),
            Ok(Command::Rcpt { to })
        );
        assert_eq!(Command::read(b"RCPT TO:<>"), Err(NO_TO));
    }
}
