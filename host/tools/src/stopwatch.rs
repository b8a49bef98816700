//! Measures the calls of a handler while its exchanges are played.

use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{Event, Handler, Service, Session, SessionError};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The times of calls with a message, and the most memory of a connection's instances.
#[derive(Debug, Default)]
pub struct Stopwatch {
    times: Mutex<Vec<Duration>>,
    memory_bytes: AtomicUsize,
}

impl Stopwatch {
    /// The median time of a call, if there was one.
    pub fn median(&self) -> Option<Duration> {
        let mut times = self.times.lock();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    /// The most memory of a connection's instances; 0 if they had none of their own.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes.load(Ordering::Relaxed)
    }
}

/// A handler whose sessions are measured. Programs are not: they have no calls.
#[derive(Debug)]
pub struct Measured<H> {
    handler: H,
    stopwatch: Arc<Stopwatch>,
}

impl<H> Measured<H> {
    /// This handler, measured by this stopwatch.
    pub fn new(handler: H, stopwatch: &Arc<Stopwatch>) -> Self {
        let stopwatch = stopwatch.clone();
        Measured { handler, stopwatch }
    }
}

impl<H: Handler> Handler for Measured<H> {
    type Session = MeasuredSession<H::Session>;
    type Program = H::Program;

    fn serve(&self, handle: &Arc<ConnectionHandle>) -> Service<Self::Session, Self::Program> {
        match self.handler.serve(handle) {
            Service::Session(session) => Service::Session(MeasuredSession {
                session,
                handle: handle.clone(),
                stopwatch: self.stopwatch.clone(),
            }),
            Service::Program(program) => Service::Program(program),
        }
    }

    fn renewed(&self) -> Self {
        Measured::new(self.handler.renewed(), &self.stopwatch)
    }

    fn converses(&self) -> bool {
        self.handler.converses()
    }

    fn is_shared(&self) -> bool {
        self.handler.is_shared()
    }
}

/// A session that is measured.
#[derive(Debug)]
pub struct MeasuredSession<S> {
    session: S,
    handle: Arc<ConnectionHandle>,
    stopwatch: Arc<Stopwatch>,
}

impl<S: Session> Session for MeasuredSession<S> {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        if !matches!(event, Event::Message(_)) {
            return self.session.tell(event).await;
        }
        let begun = Instant::now();
        let told = self.session.tell(event).await;
        self.stopwatch.times.lock().push(begun.elapsed());
        let memory_bytes = self.handle.memory_bytes().load(Ordering::Relaxed);
        let most = &self.stopwatch.memory_bytes;
        most.fetch_max(memory_bytes, Ordering::Relaxed);
        told
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        self.session.save().await
    }

    async fn end(self) {
        self.session.end().await;
    }
}
