//! Guests that go wrong, in every way and wherever they can: only their own connection notices, the log says why,
//! and nothing is left of it.

mod conversations;
mod denials;
mod floods;
mod instructions;
mod programs;
mod responders;
mod saves;
mod scene;
mod secrets;
