//! Estimates the work to compile the start of a module: its globals, memories and tables are
//! initialized by a function that the compiler generates.

use wasmparser::{ElementItems, Payload, Result};

/// The work of each computed global, segment and element.
pub(crate) const VALUE_WORK: u64 = 100;
/// The work of each byte that computes globals.
const GLOBAL_BYTE_WORK: u64 = 5;

/// The work of a section, in the units of functions.
pub(crate) fn work(section: &Payload<'_>) -> Result<u64> {
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
