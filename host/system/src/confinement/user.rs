//! Changes the user of the process to one with fewer rights.

use super::error::{InvalidIdentity, UserError};
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, setgid, setuid};
use std::ffi::CString;
use std::fmt;
use std::str::FromStr;

/// A user and group other than root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    uid: Uid,
    gid: Gid,
    /// The name of the user, if it has one.
    name: Option<String>,
}

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        if user.is_empty() || group.is_some_and(str::is_empty) {
            return Err(InvalidIdentity::Empty);
        }
        let known = match user.parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(user),
        };
        let known = known.ok().flatten();
        let uid = known.as_ref().map(|it| it.uid);
        let uid = uid.or_else(|| user.parse().ok().map(Uid::from_raw));
        let uid = uid.ok_or_else(|| InvalidIdentity::User(user.to_owned()))?;
        if uid.is_root() {
            return Err(InvalidIdentity::Root);
        }
        let gid = match (group, &known) {
            (Some(group), _) => group_id(group)?,
            (None, Some(known)) => known.gid,
            (None, None) => return Err(InvalidIdentity::NoGroup(uid.as_raw())),
        };
        Ok(Identity {
            uid,
            gid,
            name: known.map(|it| it.name),
        })
    }
}

fn group_id(group: &str) -> Result<Gid, InvalidIdentity> {
    if let Ok(number) = group.parse() {
        return Ok(Gid::from_raw(number));
    }
    match Group::from_name(group) {
        Ok(Some(known)) => Ok(known.gid),
        Ok(None) | Err(_) => Err(InvalidIdentity::Group(group.to_owned())),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.uid),
        }
    }
}

impl Identity {
    /// By number.
    pub fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// By number.
    pub fn gid(&self) -> u32 {
        self.gid.as_raw()
    }

    /// Whether the process already has this identity.
    fn is_assumed(&self) -> bool {
        geteuid() == self.uid && getegid() == self.gid
    }

    /// Checks that the process is this user, or may become it.
    pub fn check(&self) -> Result<(), UserError> {
        if geteuid().is_root() || self.is_assumed() {
            Ok(())
        } else {
            Err(UserError::NotRoot(self.to_string()))
        }
    }

    /// Gives the process, with all its threads, this identity and its groups. There is no way back.
    pub fn assume(&self) -> Result<(), UserError> {
        if self.is_assumed() && !Uid::current().is_root() {
            return Ok(());
        }
        self.check()?;
        let refused = |cause| UserError::Refused {
            user: self.to_string(),
            cause,
        };
        // In this order: only root can change groups.
        self.set_groups()
            .and_then(|()| setgid(self.gid))
            .and_then(|()| setuid(self.uid))
            .map_err(refused)?;
        // For root, each of these sets the saved id too, so there should be nothing to go back to.
        let back =
            setuid(Uid::from_raw(0)).is_ok() || nix::unistd::seteuid(Uid::from_raw(0)).is_ok();
        if back || !self.is_assumed() || Uid::current() != self.uid {
            Err(UserError::StillRoot(self.to_string()))
        } else {
            Ok(())
        }
    }

    /// Sets the groups of the user; without a name, only the given one.
    #[cfg(not(target_vendor = "apple"))]
    fn set_groups(&self) -> nix::Result<()> {
        match &self.name {
            Some(name) => {
                let name = CString::new(name.as_str()).map_err(|_| nix::Error::EINVAL)?;
                nix::unistd::initgroups(&name, self.gid)
            }
            None => nix::unistd::setgroups(&[self.gid]),
        }
    }

    /// There, a directory service determines the groups of a process.
    #[cfg(target_vendor = "apple")]
    fn set_groups(&self) -> nix::Result<()> {
        Err(nix::Error::ENOTSUP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_or_numbered_and_never_root() {
        let nobody = User::from_name("nobody").unwrap().unwrap();
        let by_name: Identity = "nobody".parse().unwrap();
        assert_eq!(
            (by_name.uid(), by_name.gid()),
            (nobody.uid.as_raw(), nobody.gid.as_raw())
        );
        assert_eq!(nobody.uid.as_raw().to_string().parse(), Ok(by_name));
        let stranger: Identity = "4242001:4242002".parse().unwrap();
        assert_eq!((stranger.uid(), stranger.gid()), (4_242_001, 4_242_002));
        for (text, error) in [
            ("", InvalidIdentity::Empty),
            (":1", InvalidIdentity::Empty),
            ("nobody:", InvalidIdentity::Empty),
            ("no-such", InvalidIdentity::User("no-such".into())),
            ("nobody:no-such", InvalidIdentity::Group("no-such".into())),
            ("4242001", InvalidIdentity::NoGroup(4_242_001)),
            ("root", InvalidIdentity::Root),
            ("0:1", InvalidIdentity::Root),
        ] {
            assert_eq!(text.parse::<Identity>(), Err(error), "{text}");
        }
    }
}
