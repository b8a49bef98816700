//! Functions of `wasi:io` that would otherwise do more in one call than a guest may have done.

use super::excess::Excess;
use super::state::Guest;
use connection::limits::MAX_POLLABLES;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource, WasmList};
use wasmtime_wasi::p2::{DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi_io::bindings::wasi::io::poll::Host as _;
use wasmtime_wasi_io::bindings::wasi::io::streams::Host as _;

/// In the version that wasmtime offers.
const POLL: &str = "wasi:io/poll@0.2.12";
const STREAMS: &str = "wasi:io/streams@0.2.12";

/// Offers them, in the place of wasmtime's own, in a linker that lets itself be shadowed.
pub fn offer(linker: &mut Linker<Guest>) -> Result<()> {
    linker.instance(POLL)?.func_wrap_async(
        "poll",
        |mut store, (pollables,): (WasmList<Resource<DynPollable>>,)| {
            Box::new(async move {
                // Before any of them is looked up.
                if pollables.len() > MAX_POLLABLES {
                    return Err(Excess::Pollables.into());
                }
                let pollables: Vec<_> = pollables.iter(&mut store)?.collect::<Result<_>>()?;
                Ok((store.data_mut().table.poll(pollables).await?,))
            })
        },
    )?;
    linker.instance(STREAMS)?.func_wrap(
        "[method]output-stream.write-zeroes",
        |mut store, (stream, bytes): (Resource<DynOutputStream>, u64)| {
            let guest = store.data_mut();
            Ok((match guest.write_zeroes(&stream, bytes) {
                Ok(()) => Ok(()),
                Err(error) => Err(guest.table.convert_stream_error(error)?),
            },))
        },
    )
}

impl Guest {
    /// Most streams would make the zeroes first, and then look whether so many were permitted.
    fn write_zeroes(&mut self, stream: &Resource<DynOutputStream>, bytes: u64) -> StreamResult<()> {
        let stream = self.table.get_mut(stream)?;
        let permitted = stream.check_write()?;
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= permitted => stream.write_zeroes(bytes),
            _ => Err(StreamError::Trap(Excess::Zeroes.into())),
        }
    }
}
