//! Drops capabilities(7). They belong to each thread, so this runs while there is only one.

use super::error::ConfinementError;
use caps::{CapSet, Capability, CapsHashSet, read, set};

/// A reload may bind ports below 1024. In the folders that Landlock leaves, a root process may read
/// and write files of any owner.
const KEPT: [Capability; 2] = [
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_DAC_OVERRIDE,
];

/// Drops all capabilities that a host does not need while it serves.
pub fn drop_most() -> Result<(), ConfinementError> {
    let fail = |error: caps::errors::CapsError| ConfinementError::Capabilities(error.to_string());
    let permitted = read(None, CapSet::Permitted).map_err(fail)?;
    let kept: CapsHashSet = KEPT
        .into_iter()
        .filter(|it| permitted.contains(it))
        .collect();
    set(None, CapSet::Inheritable, &CapsHashSet::new()).map_err(fail)?;
    set(None, CapSet::Effective, &kept).map_err(fail)?;
    set(None, CapSet::Permitted, &kept).map_err(fail)
}
