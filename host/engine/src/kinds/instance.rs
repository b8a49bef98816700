//! One sandbox: an instance of a handler in a store of its own.

use super::fault::{self, BusyTooLong};
use crate::guest::handed_bytes::HandedBytes;
use crate::guest::host_calls;
use crate::guest::state::{Guest, GuestTerms};
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

/// Epochs until a running guest lets others run.
const YIELD_AFTER_TICKS: u64 = 1;

/// What a kind of handler exports.
pub trait Exports: Sized + Send {
    /// Where they are in the component, found once.
    type Indices: Send + Sync;

    /// What a guest may bring along when it calls the host, in bytes.
    const MAX_ARGUMENT_BYTES: usize = MAX_ARGUMENT_BYTES;

    /// Finds and checks them.
    fn indices(pre: &InstancePre<Guest>) -> Result<Self::Indices>;

    /// Takes them from an instance.
    fn load(indices: &Self::Indices, store: &mut Store<Guest>, wasm: &WasmInstance)
    -> Result<Self>;
}

/// What the instances of one handler are made from.
pub struct Template<E: Exports> {
    pub pre: InstancePre<Guest>,
    pub indices: E::Indices,
    pub terms: Arc<GuestTerms>,
    /// What its service has of the engine's places.
    pub shares: Shares,
    /// How many of them an instance takes: one for each memory.
    pub memories: usize,
}

impl<E: Exports> Template<E> {
    /// Takes so many places of a share, within the call timeout.
    pub async fn take(&self, share: &Arc<Share>, places: usize) -> Result<Permit, CallError> {
        let taking = async { Ok(share.take(places).await) };
        within(self.terms.limits.call_timeout, taking).await
    }

    /// What an instance in these places has of the turns to compute.
    fn turns(&self, places: &Permit) -> &Arc<turns::Share> {
        match self.shares.are_datagrams(places) {
            true => &self.terms.datagram_turns,
            false => &self.terms.turns,
        }
    }
}

impl<E: Exports<Indices: Clone>> Template<E> {
    /// The same for instances that keep things in `store`.
    pub fn with_store(&self, store: &keyvalue::Store) -> Arc<Self> {
        Arc::new(Template {
            pre: self.pre.clone(),
            indices: self.indices.clone(),
            terms: self.terms.with_store(store.clone()),
            shares: self.shares.clone(),
            memories: self.memories,
        })
    }
}

/// An instance of a handler, for one call at a time.
///
/// After an error it is dead, as the guest's memory is in an unknown state: it must be dropped.
pub struct Instance<E> {
    exports: E,
    store: Store<Guest>,
    call_timeout: Duration,
    /// What it has of the turns to compute: its handler's, held here so that no call counts a reference.
    turns: Arc<turns::Share>,
    // Declared last, so dropped last: the place is free when the store is gone.
    _places: Permit,
}

impl<E: Exports> Instance<E> {
    /// Makes an instance, as soon as there are places for it in `share` and within the call timeout.
    /// What it prints is logged in `span`.
    pub async fn new(
        template: &Template<E>,
        share: &Arc<Share>,
        span: &Span,
    ) -> Result<Self, CallError> {
        Self::with_stdio(template, share, None, span).await
    }

    /// Makes an instance whose standard input and output are `stdio`.
    pub async fn with_stdio(
        template: &Template<E>,
        share: &Arc<Share>,
        stdio: Option<DuplexStream>,
        span: &Span,
    ) -> Result<Self, CallError> {
        within(template.terms.limits.call_timeout, async {
            let places = share.take(template.memories).await;
            Self::instantiate(template, places, stdio, span).await
        })
        .await
    }

    /// Makes an instance in these places, within the call timeout.
    pub async fn in_places(
        template: &Template<E>,
        places: Permit,
        span: &Span,
    ) -> Result<Self, CallError> {
        within(
            template.terms.limits.call_timeout,
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
        let guest = Guest::new(&template.terms, stdio, handed, span)?;
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
            call_timeout: template.terms.limits.call_timeout,
            turns: turns.clone(),
            _places: places,
        })
    }

    /// Calls into the guest with everything a call needs: a fresh epoch deadline, the timeout, log
    /// lines brought to an end, errors translated.
    pub async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        within(self.call_timeout, self.call_for_as_long(call)).await
    }

    /// The same for a call that may return so many bytes.
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

    /// Calls into a guest that may wait for as long as it likes, but compute no longer than the call
    /// timeout between two times that it moves bytes.
    pub async fn call_while_it_talks<T>(
        &mut self,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        let limit = self.call_timeout;
        self.store.epoch_deadline_callback(move |store| {
            // Each time is one tick of computing: no tick passes while it waits.
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

    /// What the host keeps for this instance.
    pub fn guest(&mut self) -> &mut Guest {
        self.store.data_mut()
    }
}

/// Sets a guest that computes on and on aside for a moment, so that its thread looks for what the network has
/// brought. Merely put at the end of the thread's queue, it would often be the only one in it, and tokio looks
/// for events between every 61 turns only, which here take ten milliseconds each.
fn take_a_breath() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(YIELD_AFTER_TICKS, Box::pin(sleep(BREATHER)))
}

/// Bounds a call, or the making of an instance, by the clock: epochs do not pass while a guest waits in
/// the host. Most calls are done when they are first polled, and cost no timer.
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
