//! Why the process is not confined as it should be.

/// Why the process is not confined.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    #[error(
        "the kernel has no Landlock, which the sandbox needs to keep files out of reach (--sandbox)"
    )]
    NoLandlock,
    #[error("the kernel's Landlock can't do all that the sandbox needs (--sandbox): {0}")]
    Landlock(String),
    #[error("the kernel does not let the sandbox filter system calls (--sandbox): {0}")]
    Seccomp(String),
    #[error("there is no sandbox for the process itself on this system (--sandbox): Linux has one")]
    OnlyLinux,
    #[error("cannot give up capabilities (--sandbox): {0}")]
    Capabilities(String),
    #[error("the kernel does not let the process renounce further rights: {0}")]
    NoNewPrivileges(nix::Error),
}

/// A text is nobody whom the host can become.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidIdentity {
    #[error("expected USER or USER:GROUP, by name or number")]
    Empty,
    #[error("there is no user `{0}`")]
    User(String),
    #[error("there is no group `{0}`")]
    Group(String),
    #[error("the system knows no user {0}, and so no group of its: say {0}:GROUP")]
    NoGroup(u32),
    #[error("is root, which is just what is to be given up")]
    Root,
}

/// Why the host does not become somebody else.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("only root can become another user: start as root, or leave --user {0} away")]
    NotRoot(String),
    #[error("cannot become user {user} (--user): {cause}")]
    Refused { user: String, cause: nix::Error },
    #[error("became user {0} (--user), and could still become root again")]
    StillRoot(String),
}
