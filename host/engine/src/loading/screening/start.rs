//! How much work it is to compile what happens when an instance of a module is made: its globals get their values,
//! and its memories and tables their contents. The compiler makes a function of that.

use wasmparser::{ElementItems, Payload, Result};

/// What each global, segment and element that is computed takes.
pub(super) const VALUE_WORK: u64 = 100;
/// What each byte takes in which globals are computed.
const GLOBAL_BYTE_WORK: u64 = 5;

/// The work that a section adds, in the units that functions are measured in.
pub(super) fn work(section: &Payload<'_>) -> Result<u64> {
    Ok(match section {
        Payload::DataSection(data) => u64::from(data.count()) * VALUE_WORK,
        Payload::GlobalSection(globals) => {
            u64::from(globals.count()) * VALUE_WORK
                + globals.range().len() as u64 * GLOBAL_BYTE_WORK
        }
        Payload::ElementSection(elements) => {
            let mut values = 0;
            for element in elements.clone() {
                values += 1 + match element?.items {
                    ElementItems::Expressions(_, computed) => u64::from(computed.count()),
                    ElementItems::Functions(_) => 0,
                };
            }
            values * VALUE_WORK
        }
        _ => 0,
    })
}
