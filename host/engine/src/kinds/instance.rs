//! An instance of a handler in its own store: one sandbox.

use super::fault::{self, BusyTooLong};
use super::running::Running;
use crate::guest::handed_bytes::HandedBytes;
use crate::guest::host_calls;
use crate::guest::state::{Guest, GuestSettings};
use crate::scheduling::shares::Shares;
use crate::scheduling::slots::{Permit, Share};
use crate::scheduling::turns;
use connection::clock::Clock;
use connection::handle::ConnectionHandle;
use connection::handler::CallError;
use connection::limits::{EPOCH_TICK, MAX_ARGUMENT_BYTES, MAX_HANDLES};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::task::yield_now;
use tokio::time::timeout;
use tracing::Span;
use wasmtime::component::{Instance as WasmInstance, InstancePre};
use wasmtime::{AsContext, Result, Store, StoreContextMut, UpdateDeadline, WasmBacktrace};

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
    /// Its service's shares of the engine's slots.
    pub shares: Shares,
    /// Slots per instance: one for each memory.
    pub memories: usize,
    /// Whether the component imports anything. If not, a call cannot reach the host.
    pub calls_host: bool,
}

impl<E: Exports> Template<E> {
    /// Takes slots of a share, within the call timeout.
    pub async fn take(&self, share: &Arc<Share>, slots: usize) -> Result<Permit, CallError> {
        let taking = async { Ok(share.take(slots).await) };
        within(self.settings.limits.call_timeout, taking).await
    }

    /// The computing turns of an instance in these slots.
    fn turns(&self, slots: &Permit) -> &Arc<turns::Share> {
        if self.shares.are_datagrams(slots) {
            &self.settings.datagram_turns
        } else {
            &self.settings.turns
        }
    }
}

impl<E: Exports<Indices: Clone>> Template<E> {
    /// The same with another key-value store and clock.
    pub fn with(&self, store: &keyvalue::Store, clock: &Clock) -> Arc<Self> {
        Arc::new(Template {
            pre: self.pre.clone(),
            indices: self.indices.clone(),
            settings: self.settings.with(store.clone(), clock.clone()),
            shares: self.shares.clone(),
            memories: self.memories,
            calls_host: self.calls_host,
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
    calls_host: bool,
    // Declared last, so dropped last: the slots are free when the store is gone.
    _slots: Permit,
}

impl<E: Exports> Instance<E> {
    /// Starts an instance as soon as `share` has slots for it, within the call timeout. Its output
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
            let slots = share.take(template.memories).await;
            Self::instantiate(template, slots, stdio, span).await
        })
        .await
    }

    /// Starts an instance in these slots, within the call timeout.
    pub async fn in_slots(
        template: &Template<E>,
        slots: Permit,
        span: &Span,
    ) -> Result<Self, CallError> {
        within(
            template.settings.limits.call_timeout,
            Self::instantiate(template, slots, None, span),
        )
        .await
    }

    async fn instantiate(
        template: &Template<E>,
        slots: Permit,
        stdio: Option<DuplexStream>,
        span: &Span,
    ) -> Result<Self, CallError> {
        let handed = HandedBytes::new(E::MAX_ARGUMENT_BYTES);
        let guest = Guest::new(&template.settings, stdio, handed, span)?;
        let mut store = Store::new(template.pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        if template.calls_host {
            host_calls::bound(&mut store);
        }
        store.set_max_component_handles(MAX_HANDLES);
        store.set_epoch_deadline(YIELD_AFTER_TICKS);
        store.epoch_deadline_callback(|store| {
            sample(&store);
            Ok(after_others())
        });
        let turns = template.turns(&slots);
        let made = {
            let mut making = pin!(async {
                let wasm = template.pre.instantiate_async(&mut store).await?;
                E::load(&template.indices, &mut store, &wasm)
            });
            let mut computing = turns.begin();
            poll_fn(|cx| computing.poll(making.as_mut(), cx)).await
        };
        store.data_mut().log.end_call();
        let exports = made.map_err(|error| fault::of_start(&error, store.data()))?;
        Ok(Instance {
            exports,
            store,
            call_timeout: template.settings.limits.call_timeout,
            turns: turns.clone(),
            calls_host: template.calls_host,
            _slots: slots,
        })
    }

    /// Calls the guest, which may return as many bytes as it may pass to the host.
    pub async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        self.call_for(E::MAX_ARGUMENT_BYTES, call).await
    }

    /// The same, for a call that may return this many bytes.
    pub async fn call_for<T>(
        &mut self,
        max_result_bytes: usize,
        call: impl AsyncFnOnce(&E, &mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        let called = {
            let (running, exports, store) = self.begin(max_result_bytes, None);
            let call = pin!(call(exports, store));
            running.poll(call).await
        };
        self.end(called)
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
            sample(&store);
            Ok(after_others())
        });
        let called = {
            let (running, exports, store) = self.begin(E::MAX_ARGUMENT_BYTES, None);
            let call = pin!(call(exports, store));
            running.for_any_time().poll(call).await
        };
        self.end(called)
    }

    /// Begins a call that may return this many bytes, with a new epoch deadline. It may have a
    /// message. The call itself is
    /// made with the exports and the store, pinned, and polled by what runs it; then follows
    /// [`Instance::end`]. A function around them would move the call, which is large.
    #[inline]
    pub fn begin(
        &mut self,
        max_result_bytes: usize,
        message_bytes: Option<usize>,
    ) -> (Running<'_>, &E, &mut Store<Guest>) {
        let store = &mut self.store;
        store.set_epoch_deadline(YIELD_AFTER_TICKS);
        if self.calls_host {
            let guest = store.data_mut();
            guest.memory.forget_refusal();
            guest.handed.results = max_result_bytes;
        } else {
            store.set_hostcall_fuel(max_result_bytes);
        }
        (
            Running::new(&self.turns, self.call_timeout, message_bytes),
            &self.exports,
            store,
        )
    }

    /// Ends the guest's log lines, and translates errors.
    #[inline]
    pub fn end<T>(&mut self, called: Result<Result<T>, CallError>) -> Result<T, CallError> {
        let guest = self.store.data_mut();
        if self.calls_host {
            guest.log.end_call();
        }
        called?.map_err(|error| fault::of_call(&error, guest))
    }

    /// Shows its memory as that of a connection, which has it for itself.
    pub fn show_memory_of(&mut self, connection: &ConnectionHandle) {
        let sum = connection.memory_bytes();
        self.store.data_mut().memory.show_in(sum);
    }

    /// The host's data of this instance.
    pub fn guest(&mut self) -> &mut Guest {
        self.store.data_mut()
    }
}

/// Samples a guest that yields, if its service is profiled.
fn sample(store: &StoreContextMut<'_, Guest>) {
    let settings = &store.data().settings;
    let trace = || WasmBacktrace::force_capture(store.as_context());
    (settings.common.profiled).sample(settings.version, trace);
}

/// Lets a busy guest yield. Tokio's own yield comes back after the thread has polled for events and
/// has run what they woke. Wasmtime's puts the guest at the end of the thread's queue, where it is
/// often alone, and events are polled for only every 61 turns.
fn after_others() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(YIELD_AFTER_TICKS, Box::pin(yield_now()))
}

/// Limits the start of an instance by the clock: epochs do not pass while it waits in the host.
/// Most finish on the first poll and need no timer.
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
