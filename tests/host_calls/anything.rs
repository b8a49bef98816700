//! Any function of the host, called with any arguments: for a fuzz target, and for a test with its
//! corpus.

use super::caller::{DATA, MESSAGE_BYTES, VALUES, obedient};
use super::offer::Offer;
use super::scene::Scene;
use connection::handler::{Event, Session};
use connection::limits::GuestLimits;
use engine::LoadedHandler;
use keyvalue::Store;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Input bytes per value: its meaning, and four bytes.
const VALUE_BYTES: usize = 5;
/// A data word with this prefix is an offset into the data.
const OFFSET: u8 = 0xaa;
/// Time limit of a call that waits.
const PATIENCE: Duration = Duration::from_millis(50);

/// The components that call functions.
pub struct Anything {
    offer: Offer,
    functions: Vec<(String, String)>,
    scene: Scene,
    loaded: BTreeMap<usize, LoadedHandler>,
}

impl Anything {
    pub fn new() -> Self {
        let scene = Scene::new();
        fs::write(scene.granted().join("b"), "content").unwrap();
        let offer = Offer::read();
        Anything {
            functions: offer.functions(),
            offer,
            scene,
            loaded: BTreeMap::new(),
        }
    }

    /// Calls the function with the arguments from an input. Whatever happens, the host continues,
    /// and an error is one line.
    pub fn call(&mut self, input: &[u8]) {
        let Some((number, rest)) = input.split_first_chunk() else {
            return;
        };
        let number = usize::from(u16::from_le_bytes(*number)) % self.functions.len();
        let message = message(rest);
        self.load(number);
        let store = Store::scratch();
        let mut session = self.scene.session(&self.loaded[&number], &store);
        self.scene.runtime.block_on(async {
            let prepared = session.tell(Event::Message("0".into())).await;
            // Interfaces that no option grants give it no handle.
            if prepared.is_ok()
                && let Err(error) = session.tell(Event::Message(message.into())).await
            {
                let line = error.to_string();
                assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            }
            session.end().await;
        });
    }

    fn load(&mut self, number: usize) {
        if self.loaded.contains_key(&number) {
            return;
        }
        let (interface, name) = &self.functions[number];
        let component = obedient(&self.offer, interface, name);
        let limits = GuestLimits {
            max_memory_bytes: 80 << 20,
            call_timeout: PATIENCE,
        };
        let loaded = self.scene.load(&component, limits);
        self.loaded.insert(number, loaded);
    }
}

/// The input of the guest: its values, and what they point to.
fn message(input: &[u8]) -> Vec<u8> {
    let (said, data) = input.split_at(input.len().min(VALUES * VALUE_BYTES));
    let mut message = Vec::new();
    for at in 0..VALUES {
        let mut one = [0; VALUE_BYTES];
        let rest = said.chunks(VALUE_BYTES).nth(at).unwrap_or_default();
        one[..rest.len()].copy_from_slice(rest);
        let [how, number @ ..] = one;
        let number = u32::from_le_bytes(number);
        let value = match how % 4 {
            0 => u64::from(number % 64),
            1 => u64::from(DATA + number % 512),
            2 => number.into(),
            _ => i64::from(number.cast_signed()).cast_unsigned(),
        };
        message.extend(value.to_le_bytes());
    }
    for word in data.chunks(4) {
        match *word {
            [low, high, _, OFFSET] => {
                let offset = u32::from(u16::from_le_bytes([low, high])) % MESSAGE_BYTES;
                message.extend((DATA + offset).to_le_bytes());
            }
            _ => message.extend(word),
        }
    }
    message.resize(MESSAGE_BYTES as usize, 0);
    message
}
