//! A profile in the format of Firefox's profiler, where each version of a handler is a thread.

use super::Profile;
use connection::limits::EPOCH_TICK;
use fxprof_processed_profile::{
    CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, Profile as FirefoxProfile, Timestamp,
};
use std::collections::HashMap;
use std::time::Duration;

impl Profile {
    /// As JSON for <https://profiler.firefox.com>.
    pub fn firefox(&self) -> serde_json::Result<Vec<u8>> {
        let mut made = FirefoxProfile::new("echo-host", self.begun.into(), EPOCH_TICK.into());
        let end = self.samples.iter().map(|it| it.at).max();
        let process = made.add_process("echo-host", 1, timestamp(Duration::ZERO));
        made.set_process_end_time(process, timestamp(end.unwrap_or_default()));
        let mut threads = HashMap::new();
        let mut stacks = HashMap::new();
        for sample in &self.samples {
            let version = (sample.service, sample.generation);
            let number = threads.len() as u32 + 1;
            let thread = *threads.entry(version).or_insert_with(|| {
                // A main thread is shown with the name of its process.
                let thread = made.add_thread(process, number, timestamp(Duration::ZERO), false);
                made.set_thread_name(thread, &self.version(sample).to_string());
                thread
            });
            let stack = *stacks.entry((thread, sample.stack)).or_insert_with(|| {
                let calls = self.calls(sample.stack);
                let frames: Vec<_> = (calls.into_iter())
                    .map(|name| FrameInfo {
                        frame: Frame::Label(made.intern_string(name)),
                        category_pair: CategoryHandle::OTHER.into(),
                        flags: FrameFlags::empty(),
                    })
                    .collect();
                made.intern_stack_frames(thread, frames.into_iter())
            });
            made.add_sample(thread, timestamp(sample.at), stack, CpuDelta::ZERO, 1);
        }
        serde_json::to_vec(&made)
    }
}

fn timestamp(since: Duration) -> Timestamp {
    Timestamp::from_nanos_since_reference(since.as_nanos() as u64)
}
