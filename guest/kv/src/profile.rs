//! What a client declares about itself: HELLO and CLIENT.

use crate::arguments::{is, shown, wrong_number};
use crate::integer::parse_integer;
use crate::reply::{Failure, Protocol, Reply};
use crate::server::IMITATED;

/// Longest name of a client, in bytes. It is stored as long as the connection lives.
const MAX_NAME_BYTES: usize = 64;

const BAD_PROTOCOL: Failure =
    Failure::Borrowed("ERR Protocol version is not an integer or out of range");
const BAD_NAME: Failure =
    Failure::Borrowed("ERR Client names cannot contain spaces, newlines or special characters.");
const WRONG_PASSWORD: Failure =
    Failure::Borrowed("WRONGPASS invalid username-password pair or user is disabled.");

#[derive(Debug, Default)]
pub struct Profile {
    pub id: u64,
    pub protocol: Protocol,
    pub name: Vec<u8>,
}

/// `HELLO [2
/// 3 [AUTH user password] [SETNAME name]]`. There are no passwords here. Like a Redis without one,
/// it accepts any for the user `default`.
pub fn hello(profile: &mut Profile, arguments: &[Vec<u8>]) -> Result<Reply, Failure> {
    let mut protocol = profile.protocol;
    let mut name = None;
    if let [version, options @ ..] = arguments {
        protocol = match parse_integer(version) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err("NOPROTO unsupported protocol version".into()),
            None => return Err(BAD_PROTOCOL),
        };
        let mut words = options;
        while let [word, rest @ ..] = words {
            words = match rest {
                [user, _, rest @ ..] if is(word, "auth") => {
                    if user != b"default" {
                        return Err(WRONG_PASSWORD);
                    }
                    rest
                }
                [own, rest @ ..] if is(word, "setname") => {
                    check_name(own)?;
                    name = Some(own.clone());
                    rest
                }
                _ => {
                    return Err(
                        format!("ERR Syntax error in HELLO option '{}'", shown(word)).into(),
                    );
                }
            };
        }
    }
    profile.protocol = protocol;
    if let Some(name) = name {
        profile.name = name;
    }
    let version = match protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    Ok(Reply::Map(vec![
        ("server", Reply::bulk("redis")),
        ("version", Reply::bulk(IMITATED)),
        ("proto", Reply::Integer(version)),
        ("id", id(profile)),
        ("mode", Reply::bulk("standalone")),
        ("role", Reply::bulk("master")),
        ("modules", Reply::Array(Vec::new())),
    ]))
}

/// `CLIENT ID|GETNAME|SETNAME name|SETINFO option value`.
pub fn client(profile: &mut Profile, arguments: &[Vec<u8>]) -> Result<Reply, Failure> {
    let (subcommand, rest) = arguments
        .split_first()
        .ok_or_else(|| wrong_number("client"))?;
    for (name, count) in [("id", 0), ("getname", 0), ("setname", 1), ("setinfo", 2)] {
        if is(subcommand, name) && rest.len() != count {
            return Err(wrong_number(&format!("client|{name}")));
        }
    }
    match rest {
        [] if is(subcommand, "id") => Ok(id(profile)),
        [] if is(subcommand, "getname") => Ok(match &profile.name[..] {
            [] => Reply::Nil,
            name => Reply::bulk(name),
        }),
        [name] if is(subcommand, "setname") => {
            check_name(name)?;
            profile.name.clone_from(name);
            Ok(Reply::OK)
        }
        // Checked and dropped: nothing here asks for it.
        [option, value] if is(subcommand, "setinfo") => {
            if !is(option, "lib-name") && !is(option, "lib-ver") {
                return Err(format!("ERR Unrecognized option '{}'", shown(option)).into());
            }
            if value.iter().all(u8::is_ascii_graphic) {
                Ok(Reply::OK)
            } else {
                Err(format!(
                    "ERR {} cannot contain spaces, newlines or special characters.",
                    shown(option).to_ascii_lowercase()
                )
                .into())
            }
        }
        _ => {
            let subcommand = shown(subcommand);
            Err(format!("ERR unknown subcommand '{subcommand}'. Try CLIENT HELP.").into())
        }
    }
}

fn id(profile: &Profile) -> Reply {
    Reply::Integer(i64::try_from(profile.id).unwrap_or(i64::MAX))
}

fn check_name(name: &[u8]) -> Result<(), Failure> {
    if name.len() > MAX_NAME_BYTES {
        return Err(format!("ERR Client names have at most {MAX_NAME_BYTES} bytes").into());
    }
    let is_plain = name.iter().all(u8::is_ascii_graphic);
    is_plain.then_some(()).ok_or(BAD_NAME)
}
