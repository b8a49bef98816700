//! What the protocol says of profiles, as JSON. Names of members are part of the protocol.

use serde::{Deserialize, Serialize};

/// A piece of a profile. Rows refer to others by their number, counted from the beginning of the
/// profile, and follow those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilePiece {
    /// The names of functions, as the component has them: escaped and cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// Stacks: the number of the caller's stack, if there is one, and that of the function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacks: Vec<(Option<u32>, u32)>,
    /// Where guests were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<ProfileSample>,
}

/// Where a guest was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSample {
    /// When, since the profile began.
    pub at_microseconds: u64,
    /// The number of its stack.
    pub stack: u32,
    /// The number of its service in the first line.
    pub service: u32,
    /// The generation of its handler; absent if it does not serve, for example while it is loaded.
    pub generation: Option<u64>,
}

/// The last line of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOfProfile {
    /// Samples that are missing, because they were too many.
    pub dropped: u64,
}
