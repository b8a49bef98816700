//! How the memory of an instance is wiped for the next one.

use choices::choices;
use wasmtime::{Enabled, PoolingAllocationConfig};

choices! {
    /// What is wiped of the memory that an instance leaves.
    pub enum Wipe {
        /// All of it
        Whole = "whole",
        /// Pages that were written, but not what is swapped out
        ///
        /// wasmtime asks the kernel for written pages that are present. A page that is swapped out
        /// or being migrated at that moment keeps its bytes (wasmtime #14357).
        Scan = "scan",
    }
}

/// The kernel cannot scan.
#[derive(Debug, thiserror::Error)]
#[error(
    "this kernel cannot find the written pages of memory (`wipe = \"scan\"`): it has no \
     PAGEMAP_SCAN; hint: use Linux 6.7 or later with /proc, or `--wipe whole`"
)]
pub struct CannotScan;

impl Wipe {
    /// Opens /proc/self/pagemap for good, which a confined process or another user may not open.
    pub fn prepare(self) -> Result<(), CannotScan> {
        match self {
            Wipe::Scan if !PoolingAllocationConfig::is_pagemap_scan_available() => Err(CannotScan),
            Wipe::Scan | Wipe::Whole => Ok(()),
        }
    }

    pub(crate) fn scans(self) -> Enabled {
        match self {
            Wipe::Whole => Enabled::No,
            Wipe::Scan => Enabled::Yes,
        }
    }
}
