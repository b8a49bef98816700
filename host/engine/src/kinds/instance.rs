//! An instance of a handler in its own store: one sandbox.

use super::fault::{self, BusyTooLong};
use crate::guest::handed_bytes::HandedBytes;
use crate::guest::host_calls;
use crate::guest::state::{Guest, GuestSettings};
use crate::scheduling::places::{Permit, Share};
use crate::scheduling::shares::Shares;
use crate::scheduling::turns;
use connection::handler::CallError;
use connection::limits::{BREATHER, EPOCH_TICK, MAX_ARGUMENT_BYTES, MAX_HANDLES};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::{sleep, timeout};
use tracing::Span;
use wasmtime::component::{Instance as WasmInstance, InstancePre};
use wasmtime::{Result, Store, UpdateDeadline};

/// Epochs until a running guest yields.
const YIELD_AFTER_TICKS: u64 = 1;

/// The exports of a kind of handler.
pub trait Exports: Sized + Send {
    /// Their indices in the component, looked up once.
    type Indices: Send + Sync;

    /// The most bytes a guest may pass to a host function.
    const MAX_ARGUMENT_BYTES: usize = MAX_ARGUMENT_BYTES;

    /// Looks up and checks the exports.
    fn indices(pre: &InstancePre<Guest>) -> Result<Self::Indices>;

    /// Loads the exports of an instance.
    fn load(indices: &Self::Indices, store: &mut Store<Guest>, wasm: &WasmInstance)
    -> Result<Self>;
}

/// The template of a handler's instances.
pub struct Template<E: Exports> {
    pub pre: InstancePre<Guest>,
    pub indices: E::Indices,
    pub settings: Arc<GuestSettings>,
    /// Its service's shares of the engine's places.
    pub shares: Shares,
    /// Places per instance: one for each memory.
    pub memories: usize,
}

impl<E: Exports> Template<E> {
    /// Takes places of a share, within the call timeout.
    pub async fn take(&self, share: &Arc<Share>, places: usize) -> Result<Permit, CallError> {
        let taking = async { Ok(share.take(places).await) };
        within(self.settings.limits.call_timeout, taking).await
    }

    /// The computing turns of an instance in these places.
    fn turns(&self, places: &Permit) -> &Arc<turns::Share> {
        if self.shares.are_datagrams(places) {
            &self.settings.datagram_turns
        } else {
            &self.settings.turns
        }
    }
}

impl<E: Exports<Indices: Clone>> Template<E> {
    /// The same with another key-value store.
    pub fn with_store(&self, store: &keyvalue::Store) -> Arc<Self> {
        Arc::new(Template {
            pre: self.pre.clone(),
            indices: self.indices.clone(),
            settings: self.settings.with_store(store.clone()),
            shares: self.shares.clone(),
            memories: self.memories,
        })
    }
}

/// An instance of a handler, for one call at a time.
///
/// After an error it must be dropped: the guest's memory is in an unknown state.
pub struct Instance<E> {
    exports: E,
    store: Store<Guest>,
    call_timeout: Duration,
    /// The computing turns of its handler, held here so that calls need no reference count.
    turns: Arc<turns::Share>,
    // Declared last, so dropped last: the places are free when the store is gone.
    _places: Permit,
}

impl<E: Exports> Instance<E> {
    /// Starts an instance as soon as `share` has places for it, within the call timeout. Its output
    /// is logged in `span`.
    pub async fn new(
        template: &Template<E>,
        share: &Arc<Share>,
        span: &Span,
    ) -> Result<Self, CallError> {
        Self::with_stdio(template, share, None, span).await
    }

    /// Starts an instance with `stdio` as standard input and output.
    pub async fn with_stdio(
        template: &Template<E>,
        share: &Arc<Share>,
        stdio: Option<DuplexStream>,
        span: &Span,
    ) -> Result<Self, CallError> {
        within(template.settings.limits.call_timeout, async {
            let places = share.take(template.memories).await;
            Self::instantiate(template, places, stdio, span).await
        })
        .await
    }

    /// Starts an instance in these places, within the call timeout.
    pub async fn in_places(
        template: &Template<E>,
        places: Permit,
        span: &Span,
    ) -> Result<Self, CallError> {
        within(
            template.settings.limits.call_timeout,
            Self::instantiate(template, places, None, span),
        )
        .await
    }

    async fn instantiate(
        template: &Template<E>,
        places: Permit,
        stdio: Option<DuplexStream>,
        span: &Span,
    ) -> Result<Self, CallError> {
        let handed = HandedBytes::new(E::MAX_ARGUMENT_BYTES);
        let guest = Guest::new(&template.settings, stdio, handed, span)?;
        let mut store = Store::new(template.pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        host_calls::bound(&mut store);
        store.set_max_component_handles(MAX_HANDLES);
        store.set_epoch_deadline(YIELD_AFTER_TICKS);
        store.epoch_deadline_callback(|_| Ok(take_a_breath()));
        let made = async {
            let wasm = template.pre.instantiate_async(&mut store).await?;
            E::load(&template.indices, &mut store, &wasm)
        };
        let turns = template.turns(&places);
        let made = turns.compute(pin!(made)).await;
        store.data_mut().log.end_call();
        let exports = made.map_err(|error| fault::of_start(&error, store.data()))?;
        Ok(Instance {
            exports,
            store,
            call_timeout: template.settings.limits.call_timeout,
            turns: turns.clone(),
            _places: places,
        })
    }

    /// Calls the guest with a new epoch deadline and the timeout, ends its log lines, and
    /// translates errors.
    pub async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        within(self.call_timeout, self.call_for_as_long(call)).await
    }

    /// The same, for a call that may return this many bytes.
    pub async fn call_for<T>(
        &mut self,
        max_result_bytes: usize,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        self.guest().handed.results = max_result_bytes;
        let result = self.call(call).await;
        self.guest().handed.results = E::MAX_ARGUMENT_BYTES;
        result
    }

    /// Calls a guest that may wait for any time, but may compute at most the call timeout between
    /// two moves of bytes.
    pub async fn call_while_it_talks<T>(
        &mut self,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        let limit = self.call_timeout;
        self.store.epoch_deadline_callback(move |store| {
            // Called once per tick of computing; no tick passes while the guest waits.
            if EPOCH_TICK * store.data().busy_ticks.count_one() > limit {
                return Err(BusyTooLong(limit).into());
            }
            Ok(take_a_breath())
        });
        self.call_for_as_long(call).await
    }

    async fn call_for_as_long<T>(
        &mut self,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        self.store.set_epoch_deadline(YIELD_AFTER_TICKS);
        self.store.data_mut().memory.forget_refusal();
        let result = self
            .turns
            .compute(pin!(call(&self.exports, &mut self.store)))
            .await;
        let guest = self.store.data_mut();
        guest.log.end_call();
        result.map_err(|error| fault::of_call(&error, guest))
    }

    /// The host's data of this instance.
    pub fn guest(&mut self) -> &mut Guest {
        self.store.data_mut()
    }
}

/// Lets a busy guest yield, and its thread poll the network. A plain yield would put it at the end
/// of the thread's queue, where it is often alone, and tokio polls for events only every 61 turns,
/// which take 10 ms each here.
fn take_a_breath() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(YIELD_AFTER_TICKS, Box::pin(sleep(BREATHER)))
}

/// Limits a call or the start of an instance by the clock: epochs do not pass while a guest waits
/// in the host. Most calls finish on the first poll and need no timer.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let mut call = pin!(call);
    match poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
        Poll::Ready(result) => result,
        Poll::Pending => match timeout(limit, call).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Timeout(limit)),
        },
    }
}
