//! The handlers that are measured, and what is needed to talk to them without a socket.

use connection::handle::{ConnectionHandle, Peer};
use connection::handler::{Event, Handler, Service, Session};
use connection::limits::GuestLimits;
use echo_host_engine::{Capacity, Engine, Grants, HandlerSource, LoadedHandler, Serving};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use system::trust::Trust;
use tokio::runtime::{Builder, Runtime};

/// Enough slots for what one batch of measurements holds at once.
const MAX_INSTANCES: usize = 16;

/// One thread, as one connection has.
pub fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime of one thread can be made")
}

/// The built-in echo, and the one written in Rust if `cargo xtask build-guests` has built it.
pub fn load(runtime: &Runtime) -> Vec<(&'static str, LoadedHandler)> {
    let limits = GuestLimits {
        max_memory_bytes: 64 << 20,
        call_timeout: Duration::from_secs(5),
    };
    let engine = Engine::new(Capacity::of(MAX_INSTANCES), None).expect("the engine can be set up");
    let built = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/guests/echo.wasm"
    ));
    let mut sources = vec![(
        "echo.wat",
        HandlerSource::from(std::path::PathBuf::from("echo")),
    )];
    if built.exists() {
        sources.push(("echo.wasm", HandlerSource::from(built)));
    }
    let load = |(name, source)| {
        let loaded =
            runtime.block_on(engine.load(&source, &Trust::default(), &Grants::default(), limits));
        (name, loaded.expect("an echo can be served"))
    };
    sources.into_iter().map(load).collect()
}

/// A session of a responder, and where its replies lie.
pub struct Talk<S> {
    session: S,
    handle: Arc<ConnectionHandle>,
}

/// A new connection's session, told nothing yet.
pub fn talk(serving: &Serving) -> Talk<<Serving as Handler>::Session> {
    let span = tracing::Span::none();
    let handle = Arc::new(ConnectionHandle::new(
        0,
        Peer::unconnected(),
        usize::MAX,
        span,
    ));
    let Service::Session(session) = serving.serve(&handle) else {
        panic!("an echo is no program");
    };
    Talk { session, handle }
}

impl<S: Session> Talk<S> {
    /// Tells the session something, and takes what it sent. Returns how many bytes that was.
    pub async fn tell(&mut self, event: Event) -> usize {
        let told = self.session.tell(event).await;
        let reply = told.expect("an echo does not fail").unwrap_or_default();
        let mut sent = 0;
        self.handle
            .collect(|orders| sent = std::mem::take(&mut orders.bytes).len());
        self.handle.written(sent);
        reply.len() + sent
    }

    /// Ends the session, and with it an instance of its own.
    pub async fn end(self) {
        self.session.end().await;
    }
}
