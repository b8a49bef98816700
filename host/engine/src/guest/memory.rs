//! The memory budget of a guest, within that of all guests.

use crate::scheduling::fair_share::{FairShare, Held};
use connection::limits::{FILE_STREAM_BYTES, HANDLE_BYTES, Limit, MAX_TABLE_ELEMENTS};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::{ResourceLimiter, Result};

/// Counts the memories, tables and host-side data of an instance, and remembers a refusal: a guest
/// that is denied memory usually traps soon after without saying why. Memory counts from when a
/// guest may write to it; only the kernel knows what was written.
pub struct MemoryBudget {
    limit_bytes: usize,
    /// Its part of the memory of all guests.
    used: Held,
    used_elements: usize,
    /// Its highest number of handles, and of file streams when it last opened one.
    handles: usize,
    file_streams: usize,
    refusal: Option<Refusal>,
    shown: Option<Shown>,
}

/// The memory of a connection's instances as operators see it, with the part of one of them.
struct Shown {
    sum: Arc<AtomicUsize>,
    part: usize,
}

impl Shown {
    fn set(&mut self, bytes: usize) {
        // Wraps, so that less is a number as well.
        self.sum
            .fetch_add(bytes.wrapping_sub(self.part), Ordering::Relaxed);
        self.part = bytes;
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// A guest has no memory left for data that the host keeps for it.
#[derive(Debug, thiserror::Error)]
#[error("no memory for the data behind its handles")]
pub struct NoMemory;

/// What a guest was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Memory,
    /// The memory of all guests together.
    CommonMemory,
    Table,
}

impl MemoryBudget {
    /// The budget of a new guest.
    pub fn new(limit_bytes: usize, common: &Arc<FairShare>) -> Self {
        MemoryBudget {
            limit_bytes,
            used: Held::of(common),
            used_elements: 0,
            handles: 0,
            file_streams: 0,
            refusal: None,
            shown: None,
        }
    }

    /// Shows the memory as part of this sum from now on, as long as the guest lives.
    pub fn show_in(&mut self, sum: &Arc<AtomicUsize>) {
        let mut shown = Shown {
            sum: sum.clone(),
            part: 0,
        };
        shown.set(self.used_bytes());
        self.shown = Some(shown);
    }

    /// Only when memory grows or shrinks, which few messages cause.
    fn show(&mut self) {
        let bytes = self.used_bytes();
        if let Some(shown) = &mut self.shown {
            shown.set(bytes);
        }
    }

    /// The limit of all its memories together, in bytes.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// The bytes of all its memories together.
    pub fn used_bytes(&self) -> usize {
        self.used.amount()
    }

    /// Takes memory for data that the host keeps.
    pub fn take(&mut self, more: usize) -> Result<(), NoMemory> {
        if self.used_bytes().saturating_add(more) > self.limit_bytes {
            self.refusal = Some(Refusal::Memory);
            return Err(NoMemory);
        }
        if !self.used.grow(more) {
            Limit::MaxGuestMemory.reached();
            self.refusal = Some(Refusal::CommonMemory);
            return Err(NoMemory);
        }
        self.show();
        Ok(())
    }

    /// Gives memory back.
    pub fn give_back(&mut self, bytes: usize) {
        self.used.shrink_to(self.used_bytes() - bytes);
        self.show();
    }

    /// Charges for this many handles, if it is a new maximum.
    pub fn charge_handles(&mut self, handles: usize) -> Result<(), NoMemory> {
        if handles > self.handles {
            self.take((handles - self.handles) * HANDLE_BYTES)?;
            self.handles = handles;
        }
        Ok(())
    }

    /// Charges for this many streams of files and folders.
    pub fn charge_file_streams(&mut self, streams: usize) -> Result<(), NoMemory> {
        match streams.checked_sub(self.file_streams) {
            Some(more) => self.take(more * FILE_STREAM_BYTES)?,
            None => self.give_back((self.file_streams - streams) * FILE_STREAM_BYTES),
        }
        self.file_streams = streams;
        Ok(())
    }

    /// Forgets a refusal of an earlier call.
    pub fn forget_refusal(&mut self) {
        self.refusal = None;
    }

    /// What the running call was denied, if anything.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(self.take(desired.saturating_sub(current)).is_ok())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let used_elements = self
            .used_elements
            .saturating_add(desired.saturating_sub(current));
        if used_elements > MAX_TABLE_ELEMENTS {
            self.refusal = Some(Refusal::Table);
            return Ok(false);
        }
        self.used_elements = used_elements;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_memory_is_limited_and_returned() {
        let common = FairShare::of(100);
        let mut one = MemoryBudget::new(80, &common);
        let mut other = MemoryBudget::new(80, &common);
        assert!(one.memory_growing(0, 80, None).unwrap());
        assert!(!one.memory_growing(80, 81, None).unwrap());
        assert_eq!(one.refusal(), Some(Refusal::Memory));
        let shown = Arc::default();
        one.show_in(&shown);
        other.show_in(&shown);
        assert!(other.memory_growing(0, 20, None).unwrap());
        assert_eq!(shown.load(Ordering::Relaxed), 100);
        assert!(!other.memory_growing(20, 21, None).unwrap());
        assert_eq!(other.refusal(), Some(Refusal::CommonMemory));
        drop(one);
        assert_eq!(shown.load(Ordering::Relaxed), 20);
        assert!(other.memory_growing(20, 80, None).unwrap());
        drop(other);
        assert!(Held::of(&common).grow(100));
    }

    #[test]
    fn handles_and_streams_are_memory_too() {
        let common = FairShare::of(usize::MAX);
        let mut guest = MemoryBudget::new(FILE_STREAM_BYTES + 10 * HANDLE_BYTES, &common);
        guest.charge_handles(10).unwrap();
        // Up to the maximum, handles are paid for.
        guest.charge_handles(3).unwrap();
        guest.charge_handles(10).unwrap();
        guest.charge_file_streams(1).unwrap();
        assert!(guest.charge_file_streams(2).is_err());
        assert!(guest.charge_handles(11).is_err());
        assert_eq!(guest.refusal(), Some(Refusal::Memory));
        guest.charge_file_streams(0).unwrap();
        guest.charge_handles(11).unwrap();
        guest.take(FILE_STREAM_BYTES - HANDLE_BYTES).unwrap();
        assert!(!guest.memory_growing(0, 1, None).unwrap());
        guest.give_back(1);
        assert!(guest.memory_growing(0, 1, None).unwrap());
        drop(guest);
        assert!(Held::of(&common).grow(usize::MAX));
    }
}
