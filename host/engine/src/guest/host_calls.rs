//! Hooks around each call between host and guest: set the limits of passed bytes, and charge the
//! guest for new handles.

use super::state::Guest;
use wasmtime::{CallHook, Result, Store};

/// Installs the hooks in this store.
pub fn bound(store: &mut Store<Guest>) {
    store.set_hostcall_fuel(store.data().handed.arguments);
    store.call_hook(|mut store, call| {
        let guest = store.data_mut();
        let bytes = match call {
            CallHook::CallingHost => guest.handed.arguments,
            CallHook::ReturningFromWasm => guest.handed.results,
            CallHook::ReturningFromHost => return guest.charge_handles(),
            CallHook::CallingWasm => return Ok(()),
        };
        store.set_hostcall_fuel(bytes);
        Ok(())
    });
}

impl Guest {
    /// Charges the guest for the data behind its handles. Like linear memory, the table only grows;
    /// the charge ends with the guest.
    fn charge_handles(&mut self) -> Result<()> {
        // The table has no length, but a new entry gets the first free index.
        let marker = self.table.push(())?;
        let handles = marker.rep() as usize;
        self.table.delete(marker)?;
        self.memory.charge_handles(handles)?;
        Ok(())
    }
}
