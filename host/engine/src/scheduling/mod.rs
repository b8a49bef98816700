//! Shares processor time, slots and other resources fairly among services.

pub mod call_meter;
pub mod capacity;
pub mod fair_share;
pub mod shares;
pub mod slots;
pub mod ticker;
pub mod turns;
pub mod wiping;
