//! The network for guests with a grant to connect: limited TCP sockets, and lookups of granted
//! names.

use super::denials::Want;
use super::reach::Reach;
use super::state::Guest;
use crate::scheduling::fair_share::FairShare;
use connection::limits::{Limit, MAX_OUTGOING, MAX_OUTGOING_OF_INSTANCE};
use std::net::IpAddr;
use std::sync::Arc;
use std::vec;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::sockets::network::{
    ErrorCode, Host as _, IpAddress, IpAddressFamily,
};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::{DynPollable, Network, Pollable, TcpSocket, subscribe};
use wasmtime_wasi::sockets::WasiSocketsView;

/// The version that wasmtime offers.
const CREATION: &str = "wasi:sockets/tcp-create-socket@0.2.12";
const LOOKUP: &str = "wasi:sockets/ip-name-lookup@0.2.12";

/// The sockets of all guests together: each is a descriptor.
pub fn sockets() -> Arc<FairShare> {
    FairShare::of(MAX_OUTGOING)
}

/// Adds it to a linker, replacing wasmtime's functions.
pub fn offer(linker: &mut Linker<Guest>) -> Result<()> {
    let mut creation = linker.instance(CREATION)?;
    creation.func_wrap(
        "create-tcp-socket",
        |mut store, (family,): (IpAddressFamily,)| Ok((store.data_mut().create_socket(family)?,)),
    )?;
    let mut lookup = linker.instance(LOOKUP)?;
    lookup.resource(
        "resolve-address-stream",
        ResourceType::host::<Addresses>(),
        |mut store, address| {
            let addresses = Resource::<Addresses>::new_own(address);
            store.data_mut().table.delete(addresses)?;
            Ok(())
        },
    )?;
    lookup.func_wrap_async(
        "resolve-addresses",
        |mut store, (network, name): (Resource<Network>, String)| {
            Box::new(async move {
                let guest = store.data_mut();
                guest.table.get(&network)?;
                Ok((guest.look_up(&name).await?,))
            })
        },
    )?;
    lookup.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store, (addresses,): (Resource<Addresses>,)| {
            let Addresses(left) = store.data_mut().table.get_mut(&addresses)?;
            Ok((Ok::<_, ErrorCode>(left.next().map(IpAddress::from)),))
        },
    )?;
    lookup.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store, (addresses,): (Resource<Addresses>,)| {
            let ready: Resource<DynPollable> = subscribe(&mut store.data_mut().table, addresses)?;
            Ok((ready,))
        },
    )
}

/// The addresses of a name that the guest has not read yet.
struct Addresses(vec::IntoIter<IpAddr>);

/// Always ready: all addresses are known before the guest gets this.
#[wasmtime_wasi::async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {}
}

impl Guest {
    /// The outer error ends the guest; the inner one is returned to it.
    fn create_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> Result<Result<Resource<TcpSocket>, ErrorCode>> {
        if self.reach().is_empty() {
            self.deny(Want::Network);
        } else if !self.may_have_another_socket() {
            Limit::Outgoing.reached();
            return Ok(Err(ErrorCode::NewSocketLimit));
        }
        let mut sockets = self.sockets();
        match sockets.create_tcp_socket(family) {
            Ok(socket) => Ok(Ok(socket)),
            Err(error) => Ok(Err(sockets.convert_error_code(error)?)),
        }
    }

    /// The outer error ends the guest; the inner one is returned to it.
    async fn look_up(&mut self, name: &str) -> Result<Result<Resource<Addresses>, ErrorCode>> {
        let addresses = match name.parse() {
            Ok(address) => vec![address],
            Err(_) if self.reach().has(name) => self.reach().look_up(name).await,
            Err(_) => {
                self.deny(if self.reach().is_empty() {
                    Want::Network
                } else {
                    Want::Name
                });
                // Not a name that can be looked up.
                return Ok(Err(ErrorCode::PermanentResolverFailure));
            }
        };
        Ok(if addresses.is_empty() {
            Err(ErrorCode::NameUnresolvable)
        } else {
            Ok(self.table.push(Addresses(addresses.into_iter()))?)
        })
    }

    /// Takes a permit for one more socket, if there is one.
    fn may_have_another_socket(&mut self) -> bool {
        let sockets = self.table.iter_mut().filter(|it| it.is::<TcpSocket>());
        let open = sockets.count();
        self.outgoing.take(open, MAX_OUTGOING_OF_INSTANCE)
    }

    fn reach(&self) -> &Reach {
        &self.settings.reach
    }
}
