//! What guests have of memory: each by itself, and all of them together.

use crate::limits::{FILE_STREAM_BYTES, HANDLE_BYTES, Limit, MAX_TABLE_ELEMENTS};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::{ResourceLimiter, Result};

/// The memory of all guests of an engine. It counts as used from when a guest may write to it: how much of it a guest
/// has written to, only the kernel knows.
#[derive(Debug)]
pub struct CommonMemory {
    limit_bytes: usize,
    used_bytes: AtomicUsize,
}

impl CommonMemory {
    /// Nothing is used yet. `None` is no limit.
    pub fn new(limit_bytes: Option<usize>) -> Arc<Self> {
        Arc::new(CommonMemory {
            limit_bytes: limit_bytes.unwrap_or(usize::MAX),
            used_bytes: AtomicUsize::new(0),
        })
    }

    /// Whether there was so much left, which is taken then.
    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| {
            used.checked_add(bytes)
                .filter(|sum| *sum <= self.limit_bytes)
        };
        let taken = self
            .used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok()
    }
}

/// Counts an instance's memories and tables and what the host keeps for it, and remembers a refusal: a guest that is denied memory seldom says
/// so, it runs into a trap soon after. What it had of the memory of all is given back when it is dropped.
pub struct MemoryBudget {
    limit_bytes: usize,
    used_bytes: usize,
    used_elements: usize,
    /// The most handles that it had at once, and the streams of files when it last opened one.
    handles: usize,
    file_streams: usize,
    common: Arc<CommonMemory>,
    refusal: Option<Refusal>,
}

/// A guest has no memory left for what the host is to keep for it.
#[derive(Debug, thiserror::Error)]
#[error("there is none for what stands behind its handles")]
pub struct NoMemory;

/// What a guest was refused more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Memory,
    /// Of what all guests have together.
    CommonMemory,
    Table,
}

impl MemoryBudget {
    /// A guest that has nothing yet.
    pub fn new(limit_bytes: usize, common: Arc<CommonMemory>) -> Self {
        MemoryBudget {
            limit_bytes,
            used_bytes: 0,
            used_elements: 0,
            handles: 0,
            file_streams: 0,
            common,
            refusal: None,
        }
    }

    /// The most bytes all its memories may have together.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// What all its memories have together.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// Takes memory for something that the host keeps.
    pub fn take(&mut self, more: usize) -> Result<(), NoMemory> {
        let used_bytes = self.used_bytes.saturating_add(more);
        if used_bytes > self.limit_bytes {
            self.refusal = Some(Refusal::Memory);
            return Err(NoMemory);
        }
        if !self.common.take(more) {
            Limit::MaxGuestMemory.reached();
            self.refusal = Some(Refusal::CommonMemory);
            return Err(NoMemory);
        }
        self.used_bytes = used_bytes;
        Ok(())
    }

    /// Gives memory back that was taken.
    pub fn give_back(&mut self, bytes: usize) {
        self.used_bytes -= bytes;
        self.common.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes what so many handles need, if it never had so many before.
    pub fn charge_handles(&mut self, handles: usize) -> Result<(), NoMemory> {
        if handles > self.handles {
            self.take((handles - self.handles) * HANDLE_BYTES)?;
            self.handles = handles;
        }
        Ok(())
    }

    /// Takes, or gives back, what is needed for so many streams of files and folders.
    pub fn charge_file_streams(&mut self, streams: usize) -> Result<(), NoMemory> {
        match streams.checked_sub(self.file_streams) {
            Some(more) => self.take(more * FILE_STREAM_BYTES)?,
            None => self.give_back((self.file_streams - streams) * FILE_STREAM_BYTES),
        }
        self.file_streams = streams;
        Ok(())
    }

    /// A call begins, and what an earlier one was refused has nothing to do with it.
    pub fn forget_refusal(&mut self) {
        self.refusal = None;
    }

    /// What the running call asked for more of than there is, if it did.
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

impl Drop for MemoryBudget {
    fn drop(&mut self) {
        let used = &self.common.used_bytes;
        used.fetch_sub(self.used_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_have_is_bounded_and_given_back() {
        let common = CommonMemory::new(Some(100));
        let mut one = MemoryBudget::new(80, common.clone());
        let mut other = MemoryBudget::new(80, common.clone());
        assert!(one.memory_growing(0, 80, None).unwrap());
        assert!(!one.memory_growing(80, 81, None).unwrap());
        assert_eq!(one.refusal(), Some(Refusal::Memory));
        assert!(other.memory_growing(0, 20, None).unwrap());
        assert!(!other.memory_growing(20, 21, None).unwrap());
        assert_eq!(other.refusal(), Some(Refusal::CommonMemory));
        drop(one);
        assert!(other.memory_growing(20, 80, None).unwrap());
        drop(other);
        assert_eq!(common.used_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn handles_and_streams_are_memory_too() {
        let common = CommonMemory::new(None);
        let mut guest = MemoryBudget::new(FILE_STREAM_BYTES + 10 * HANDLE_BYTES, common.clone());
        guest.charge_handles(10).unwrap();
        // Fewer, and as many again, are paid for.
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
        assert_eq!(common.used_bytes.load(Ordering::Relaxed), 0);
    }
}
