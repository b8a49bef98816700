//! What happens around each call between host and guest: the bounds on what is handed over are set, and the guest is
//! charged for the handles it has got.

use super::state::Guest;
use wasmtime::{CallHook, Result, Store};

/// Has the bounds hold in this store, and its guest's handles counted whenever the host has made some.
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
    /// Charges the guest for what stands behind its handles. As linear memory, a table only ever grows: what it was
    /// charged is given back when the guest is gone.
    fn charge_handles(&mut self) -> Result<()> {
        // The table does not tell its length, but a new entry gets the first free place.
        let marker = self.table.push(())?;
        let handles = marker.rep() as usize;
        self.table.delete(marker)?;
        self.memory.charge_handles(handles)?;
        Ok(())
    }
}
