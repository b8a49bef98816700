//! Errors of confinement.

/// Why the process is not confined.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    #[error("the kernel has no Landlock, which the sandbox (--sandbox) needs to restrict files")]
    NoLandlock,
    #[error("the kernel's Landlock lacks features that the sandbox (--sandbox) needs: {0}")]
    Landlock(String),
    #[error("the sandbox (--sandbox) cannot filter system calls: {0}")]
    Seccomp(String),
    #[error("the process sandbox (--sandbox) needs Linux")]
    OnlyLinux,
    #[error("cannot drop capabilities (--sandbox): {0}")]
    Capabilities(String),
    #[error("cannot set no_new_privs: {0}")]
    NoNewPrivileges(nix::Error),
}

/// Why a text is not an identity for the host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidIdentity {
    #[error("expected USER or USER:GROUP, by name or number")]
    Empty,
    #[error("there is no user `{0}`")]
    User(String),
    #[error("there is no group `{0}`")]
    Group(String),
    #[error("there is no user {0} to take the group from; hint: use {0}:GROUP")]
    NoGroup(u32),
    #[error("is root, which --user is meant to give up")]
    Root,
}

/// Why the host cannot change its user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("cannot become user {0} (--user): only root can; hint: start as root, or omit --user")]
    NotRoot(String),
    #[error("cannot become user {user} (--user): {cause}")]
    Refused { user: String, cause: nix::Error },
    #[error("became user {0} (--user), but could still become root again")]
    StillRoot(String),
}
