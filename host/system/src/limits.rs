//! Fixed limits of what passes between processes: descriptors, requests to the helper of a confined host, compilers.

use std::time::Duration;

/// The longest line between the host and its helper, in bytes: a path in hexadecimal.
pub const MAX_HELPER_LINE_BYTES: usize = 16 << 10;

/// How long the host waits until its helper has opened a file.
pub const HELPER_REPLY_TIME: Duration = Duration::from_secs(10);

/// Processes that compile at once.
pub const MAX_COMPILERS: usize = 16;

/// CPU time that the process which compiles a component may take: four times what the largest of the usual guests takes on
/// a slow machine.
pub const MAX_COMPILE_CPU: Duration = Duration::from_secs(60);

/// Memory that it may have, in bytes: five times what the largest of the usual guests takes.
pub const MAX_COMPILE_DATA_BYTES: u64 = 2 << 30;

/// How long it may take on a machine that is busy, before it is killed.
pub const COMPILE_TIME: Duration = Duration::from_secs(600);

/// The longest outcome of such a process, in bytes: what is wrong with a component.
pub const MAX_OUTCOME_BYTES: usize = 64 << 10;

/// The largest file of settings, keys or certificates, in bytes. Handlers may be larger.
pub const MAX_NAMED_FILE_BYTES: usize = 16 << 20;

/// Listening sockets that one host can take over from another: Linux passes at most 253 at once.
pub const MAX_CONTROL_LISTENERS: usize = 250;
