//! Privileges beyond those of an ordinary user: capabilities(7). They belong to each thread, so they are given up while
//! there is only one.

use super::error::ConfinementError;
use caps::{CapSet, Capability, CapsHashSet, read, set};

/// Ports below 1024 are bound by a reload too; what a process of root's can read and write, in the folders that Landlock
/// leaves, does not depend on whose files they are.
const KEPT: [Capability; 2] = [
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_DAC_OVERRIDE,
];

/// Gives up all capabilities that a host does not need while it serves.
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
