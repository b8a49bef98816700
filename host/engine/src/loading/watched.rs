//! The functions of WASI that show what a guest reaches for, but for files, which are in `no_files`, and what guests
//! may be granted of the network, which is in `network`.

use crate::guest::denials::Want;
use crate::guest::files;
use crate::guest::network;
use crate::guest::state::Guest;
use crate::guest::streams;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::p2::bindings::{cli, sockets};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView, WasiSocketsView};

/// Has them note it in a linker that offers them. What they do and return stays as it was.
pub fn watch(linker: &mut Linker<Guest>) -> Result<()> {
    linker.allow_shadowing(true);
    cli::environment::add_to_linker::<Guest, Environment>(linker, |guest| Environment(guest))?;
    // Nothing is done by UDP without this, the only function of its interface.
    sockets::udp_create_socket::add_to_linker::<Guest, WasiSockets>(linker, datagrams)?;
    network::offer(linker)?;
    files::offer(linker)?;
    streams::offer(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn datagrams(guest: &mut Guest) -> WasiSocketsCtxView<'_> {
    guest.deny(Want::Datagrams);
    guest.sockets()
}

/// The interface `wasi:cli/environment`.
struct Environment<'a>(&'a mut Guest);

impl HasData for Environment<'static> {
    type Data<'a> = Environment<'a>;
}

impl cli::environment::Host for Environment<'_> {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        self.0.looks_for_variables();
        self.0.cli().get_environment()
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        self.0.cli().get_arguments()
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        self.0.cli().initial_cwd()
    }
}
