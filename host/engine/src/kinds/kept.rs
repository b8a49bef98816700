//! Where an instance stays between calls.

use super::instance::Instance;
use connection::handler::{CallError, SessionError};

/// An instance that is kept as long as its calls succeed. A failed or cancelled call leaves the
/// guest's memory in an unknown state, so it also ends the instance.
pub struct Kept<E>(Option<Instance<E>>);

impl<E> Kept<E> {
    /// No instance yet.
    pub fn none() -> Self {
        Kept(None)
    }

    /// An instance that was just started.
    pub fn new(instance: Instance<E>) -> Self {
        Kept(Some(instance))
    }

    /// Whether there is no instance, or none any more.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Lends the instance for a call, where it lies.
    pub fn lend(&mut self) -> Result<Lent<'_, E>, CallError> {
        if self.0.is_none() {
            return Err(CallError::Gone);
        }
        Ok(Lent {
            instance: &mut self.0,
            survived: false,
        })
    }

    /// Calls the instance. It survives answers of the handler that are errors.
    pub async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Instance<E>) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let mut lent = self.lend()?;
        let called = call(lent.instance()?).await;
        lent.note(&called);
        called
    }
}

/// An instance during a call. Dropping this early, as a cancelled call does, drops the instance.
pub struct Lent<'a, E> {
    instance: &'a mut Option<Instance<E>>,
    survived: bool,
}

impl<E> Lent<'_, E> {
    /// The instance.
    pub fn instance(&mut self) -> Result<&mut Instance<E>, CallError> {
        self.instance.as_mut().ok_or(CallError::Gone)
    }

    /// The result of the call: the instance stays unless the call itself failed.
    pub fn note<T>(&mut self, called: &Result<T, SessionError>) {
        self.survived = !matches!(called, Err(SessionError::Call(_)));
    }
}

impl<E> Drop for Lent<'_, E> {
    fn drop(&mut self) {
        if !self.survived {
            *self.instance = None;
        }
    }
}
