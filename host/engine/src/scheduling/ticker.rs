//! Lets time pass for guests: epochs are what interrupts one that computes without end.

use super::turns::Turns;
use connection::limits::EPOCH_TICK;
use std::io;
use std::sync::Arc;
use std::thread;
use wasmtime::Engine;

/// Starts the one thread that advances the epoch. It ends with the engine.
pub fn start(engine: &Engine, turns: &Arc<Turns>) -> io::Result<()> {
    let engine = engine.weak();
    let turns = turns.clone();
    thread::Builder::new().name("epoch".into()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            turns.tick();
            drop(engine);
            thread::sleep(EPOCH_TICK);
        }
    })?;
    Ok(())
}
