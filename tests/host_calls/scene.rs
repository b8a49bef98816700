//! Loads and serves components that call the host, in this process, on one thread.

use connection::handle::{ConnectionHandle, Peer};
use connection::handler::{Event, Handler, Service, Session};
use connection::limits::GuestLimits;
use engine::{Capacity, Directory, Engine, Grants, HandlerSource, Isolation, LoadedHandler};
use keyvalue::Store;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use system::trust::Trust;
use tokio::runtime::Runtime;

pub struct Scene {
    pub runtime: Runtime,
    engine: Engine,
    folder: tempfile::TempDir,
}

impl Scene {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("granted")).unwrap();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Scene {
            runtime: runtime.enable_all().build().unwrap(),
            engine: Engine::new(Capacity::of(1), None).unwrap(),
            folder,
        }
    }

    /// The directory that guests are granted.
    pub fn granted(&self) -> PathBuf {
        self.folder.path().join("granted")
    }

    pub fn load(&self, component: &[u8], limits: GuestLimits) -> LoadedHandler {
        let file = self.folder.path().join("caller.wasm");
        fs::write(&file, component).unwrap();
        let (source, trust) = (HandlerSource::from(file), Trust::default());
        let grants = grants(&self.granted());
        let loading = self.engine.load(&source, &trust, &grants, limits);
        self.runtime.block_on(loading).unwrap()
    }

    /// An open session of a conversation.
    pub fn session(&self, loaded: &LoadedHandler, store: &Store) -> impl Session + use<> {
        let serving = loaded.serving(Isolation::Connection, store);
        let span = tracing::Span::none();
        let handle = Arc::new(ConnectionHandle::new(
            0,
            Peer::unconnected(),
            usize::MAX,
            span,
        ));
        let Service::Session(mut session) = serving.serve(&handle) else {
            panic!("a conversation is no program");
        };
        let opened = self.runtime.block_on(session.tell(Event::Open(None)));
        opened.unwrap();
        session
    }
}

/// This directory, and an address where nobody listens.
fn grants(granted: &Path) -> Grants {
    Grants {
        directories: vec![Directory {
            host: granted.to_owned(),
            guest: "/".to_owned(),
            is_writable: true,
        }],
        connect: vec!["127.0.0.1:9".parse().unwrap()],
        ..Grants::default()
    }
}
