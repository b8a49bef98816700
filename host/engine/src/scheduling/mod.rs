pub mod capacity;
pub mod fair_share;
pub mod places;
pub mod shares;
pub mod ticker;
pub mod turns;
