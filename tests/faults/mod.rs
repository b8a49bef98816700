//! Guests that fail, in every way and wherever they can: only their own connection notices, the log
//! says why, and nothing of them stays.

mod conversations;
mod denials;
mod floods;
mod instructions;
mod programs;
mod responders;
mod saves;
mod scene;
mod secrets;
