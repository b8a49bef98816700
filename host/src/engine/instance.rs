//! One sandbox: an instance of a handler in a store of its own.

use super::contract::RESPOND;
use super::contract::bindings::FramedResponder;
use super::fault;
use super::grants::Grants;
use super::guest::Guest;
use super::manifest::DeclaredAbout;
use crate::handler::CallError;
use crate::limits::GuestLimits;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use wasmtime::component::{Instance as WasmInstance, InstancePre, TypedFunc};
use wasmtime::{Result, Store};

/// Epochs until a running guest lets others run.
const YIELD_AFTER_TICKS: u64 = 1;

/// What the instances of one handler are made from.
pub struct Template {
    pub instance_pre: InstancePre<Guest>,
    pub grants: Grants,
    pub limits: GuestLimits,
    /// The places of the engine's pool, one for each memory.
    pub places: Arc<Semaphore>,
    /// How many of them an instance takes.
    pub memories: u32,
}

/// An instance of a handler, for one call at a time.
///
/// After an error it is dead, as the guest's memory is in an unknown state: it must be dropped.
pub struct Instance {
    // Declared in the order of dropping: the place is free when the store is gone.
    respond: TypedFunc<(Bytes,), (Bytes,)>,
    wasm: WasmInstance,
    store: Store<Guest>,
    call_timeout: Duration,
    _place: OwnedSemaphorePermit,
}

impl Instance {
    /// Makes an instance, as soon as there is a place for it and within the call timeout.
    pub async fn new(template: &Template) -> Result<Self, CallError> {
        let call_timeout = template.limits.call_timeout;
        match timeout(call_timeout, Self::instantiate(template)).await {
            Ok(instance) => instance,
            Err(_) => Err(CallError::Timeout(call_timeout)),
        }
    }

    async fn instantiate(template: &Template) -> Result<Self, CallError> {
        let place = template
            .places
            .clone()
            .acquire_many_owned(template.memories)
            .await;
        let place = place.map_err(|error| CallError::Instantiation(error.to_string()))?;
        let guest = Guest::new(&template.grants, template.limits.max_memory_bytes)?;
        let mut store = Store::new(template.instance_pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(YIELD_AFTER_TICKS);
        store.epoch_deadline_async_yield_and_update(YIELD_AFTER_TICKS);
        let made = async {
            let wasm = template.instance_pre.instantiate_async(&mut store).await?;
            let respond = wasm.get_typed_func(&mut store, RESPOND)?;
            Ok((wasm, respond))
        };
        let made = made.await;
        store.data_mut().log.end_call();
        let (wasm, respond) = made.map_err(|error| fault::of_start(&error, store.data()))?;
        Ok(Instance {
            respond,
            wasm,
            store,
            call_timeout: template.limits.call_timeout,
            _place: place,
        })
    }

    /// Computes the reply to one message, within the call timeout.
    pub async fn respond(&mut self, message: Bytes) -> Result<Bytes, CallError> {
        let respond = self.respond;
        self.call(async move |store| {
            let (reply,) = respond.call_async(store, (message,)).await?;
            Ok(reply)
        })
        .await
    }

    /// Calls into the guest with everything a call needs: a fresh epoch deadline, the timeout, log
    /// lines brought to an end, errors translated.
    async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Store<Guest>) -> Result<T>,
    ) -> Result<T, CallError> {
        self.store.set_epoch_deadline(YIELD_AFTER_TICKS);
        // Around the whole call: epochs do not pass while the guest waits in the host.
        let result = timeout(self.call_timeout, call(&mut self.store)).await;
        let guest = self.store.data_mut();
        guest.log.end_call();
        match result {
            Ok(result) => result.map_err(|error| fault::of_call(&error, guest)),
            Err(_) => Err(CallError::Timeout(self.call_timeout)),
        }
    }

    /// What the handler says about itself, if it is a framed responder.
    pub async fn describe(&mut self) -> Result<DeclaredAbout, CallError> {
        let wasm = self.wasm;
        self.call(async |store| {
            let bindings = FramedResponder::new(&mut *store, &wasm)?;
            bindings
                .echo_host_handler_manifest()
                .call_describe(store)
                .await
        })
        .await
    }
}
