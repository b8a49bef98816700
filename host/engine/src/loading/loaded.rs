//! A handler that can be served.

use super::costs::Costs;
use super::manifest::About;
use super::origin::Origin;
use super::serving::{Serving, Templates};
use super::source::HandlerSource;
use crate::guest::contract::HandlerKind;
use crate::guest::imports::Imports;
use crate::kinds::isolation::Isolation;
use connection::clock::Clock;
use keyvalue::Store;

/// A handler that was compiled, linked and started once.
pub struct LoadedHandler {
    pub(super) templates: Templates,
    pub(super) tier: HandlerKind,
    pub(super) version: Option<String>,
    pub(super) about: Option<About>,
    pub(super) imports: Imports,
    pub(super) costs: Costs,
    pub(super) sha256: String,
    pub(super) source: HandlerSource,
}

impl LoadedHandler {
    /// The world it implements.
    pub fn tier(&self) -> HandlerKind {
        self.tier
    }

    /// The version of the contract that it was built for; `None` if it uses nothing that has one.
    pub fn contract_version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Its manifest, if it has one.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// The interfaces it imports beyond those of a plain program, in order.
    pub fn wants(&self) -> Vec<String> {
        self.imports.beyond_plain()
    }

    /// A known problem of such a handler, built by this tool.
    pub fn known_trap(&self, origin: Origin) -> Option<String> {
        origin.known_trap(self.imports.names(), self.tier)
    }

    /// Its costs before the first reply.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// The SHA-256 of the component in binary form, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Prepares it for serving, with this isolation and key-value store.
    pub fn serving(&self, isolation: Isolation, store: &Store) -> Serving {
        self.serving_by(&Clock::default(), isolation, store)
    }

    /// Prepares it for a rehearsal by this clock, with an empty key-value store.
    pub fn rehearsing(&self, isolation: Isolation, clock: &Clock) -> Serving {
        self.serving_by(clock, isolation, &Store::scratch())
    }

    fn serving_by(&self, clock: &Clock, isolation: Isolation, store: &Store) -> Serving {
        let source = self.source.clone();
        Serving::new(source, self.templates.with(store, clock), isolation)
    }
}
