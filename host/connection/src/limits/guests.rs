//! Limits of guests and components.

use std::time::Duration;

/// The most bytes that one callback may send, and the most sends, closes and changes of timers or
/// framings. Joined sends count once.
pub const MAX_CALLBACK_BYTES: usize = 64 << 20;
/// See [`MAX_CALLBACK_BYTES`].
pub const MAX_CALLBACK_ORDERS: usize = 100_000;

/// The longest reply and the longest saved state, in bytes. Checked before anything is copied, like
/// everything a guest passes.
pub const MAX_HANDED_BYTES: usize = 64 << 20;

/// The most bytes that a guest may pass to a host function, and that its exports may return except
/// replies and saved state. The host copies and decodes them on a thread that serves others, in a
/// millisecond or two. The largest stored value with its key fits.
pub const MAX_ARGUMENT_BYTES: usize = (1 << 20) + (64 << 10);

/// The same for conversations, which send. Copying takes less than an
/// [`EPOCH_TICK`](super::EPOCH_TICK).
pub const MAX_SEND_BYTES: usize = 8 << 20;

/// Pollables that a guest may wait for in one call.
pub const MAX_POLLABLES: usize = 4096;

/// The longest saved state of a session, in bytes. A session that saves more does not move.
pub const MAX_SAVED_BYTES: usize = 16 << 20;

/// Handles of an instance: connections, sessions, timers, streams, files and others.
pub const MAX_HANDLES: usize = 100_000;

/// Places where a handler has trapped that are told apart and counted.
pub const MAX_TRAP_SITES: usize = 256;
/// The longest name of a function in the message of a trap, and in a profile.
pub const MAX_FUNCTION_NAME_CHARS: usize = 200;
/// Calls on the stack of a trap that are shown, innermost first.
pub const MAX_TRAP_CALLS: usize = 20;
/// Calls on a stack that wasmtime names for us; a profile shows those.
pub const MAX_STACK_CALLS: usize = 128;

/// The bytes counted as a guest's memory for each handle (of the most it had at once), and for each
/// stream of a file or folder, which reads ahead.
pub const HANDLE_BYTES: usize = 256;
/// See [`HANDLE_BYTES`].
pub const FILE_STREAM_BYTES: usize = 64 << 10;

/// Open files of an instance, with their streams, and of all instances together. Each is a
/// descriptor.
pub const MAX_OPEN_FILES_OF_INSTANCE: usize = 128;
/// See [`MAX_OPEN_FILES_OF_INSTANCE`].
pub const MAX_OPEN_FILES: usize = 4096;
/// Descriptors that guests never get, besides those for connections.
pub const RESERVED_DESCRIPTORS: usize = 512;

/// What the store of a rehearsal may hold, in bytes.
pub const MAX_SCRATCH_BYTES: usize = 64 << 20;

/// Elements of all tables of an instance. Guests with an interpreter have about ten thousand
/// functions, each of which is one.
pub const MAX_TABLE_ELEMENTS: usize = 100_000;

/// The longest component in text form, in bytes. The assembler's time grows with the square of the
/// length.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// The most work to compile a component, one function, and the start of a module. A unit is about
/// the work of a byte of ordinary code, a microsecond; the engine's `screening` counts them.
pub const MAX_COMPILE_WORK: u64 = 100_000_000;
/// See [`MAX_COMPILE_WORK`].
pub const MAX_FUNCTION_WORK: u64 = 2_000_000;
/// See [`MAX_COMPILE_WORK`]. More than a function's: the smallest module of Go has 27400 data
/// segments, because it omits zeros.
pub const MAX_START_WORK: u64 = 6_000_000;

/// The most bytes of compiled functions that a host with watched handlers keeps: several times the
/// largest common component. When full, it is emptied.
pub const MAX_COMPILED_FUNCTION_BYTES: usize = 128 << 20;

/// The largest expanded size of a component, in bytes, without modules and with nested components
/// counted for each instantiation. What costs the compiler more than its bytes counts as more; the
/// engine's `screening` does it.
pub const MAX_EXPANDED_BYTES: u64 = 16 << 20;

/// The deepest nesting of components and of types.
pub const MAX_COMPONENT_DEPTH: usize = 100;

/// The most core instances of a component. The usual tools create three (its module, an adapter and
/// glue code), one memory and one or two tables.
pub const MAX_CORE_INSTANCES: u32 = 32;

/// The most components and modules in a component. The compiler's memory grows with the square: 50
/// MB for this many, 3 GB for ten times as many.
pub const MAX_COMPONENT_PARTS: usize = 1000;

/// Random bytes that a guest may ask for in one call. Generating them takes about a millisecond and
/// blocks the thread.
pub const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// The grain of a guest's clocks, without a grant for precise ones.
pub const CLOCK_GRAIN: Duration = Duration::from_millis(1);

/// The longest key with the name of its bucket, and the longest value, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;
/// See [`MAX_KEY_BYTES`].
pub const MAX_VALUE_BYTES: usize = 1 << 20;
/// The most keys in one call or reply, and the most bytes of all their values.
pub const MAX_BATCH_KEYS: usize = 1000;
/// See [`MAX_BATCH_KEYS`].
pub const MAX_BATCH_VALUE_BYTES: usize = 8 << 20;

/// Time limits to connect to a store, and for a reply.
pub const STORE_CONNECT_TIME: Duration = Duration::from_secs(2);
/// See [`STORE_CONNECT_TIME`].
pub const STORE_REPLY_TIME: Duration = Duration::from_secs(2);

/// Outgoing connections of an instance, and of all instances together.
pub const MAX_OUTGOING_OF_INSTANCE: usize = 16;
/// See [`MAX_OUTGOING_OF_INSTANCE`].
pub const MAX_OUTGOING: usize = 256;

/// How long a lookup is cached, how many of its addresses guests get, and how many of the addresses
/// they got stay granted.
pub const LOOKUP_AGE: Duration = Duration::from_secs(5);
/// See [`LOOKUP_AGE`].
pub const MAX_LOOKUP_ADDRESSES: usize = 16;
/// See [`LOOKUP_AGE`].
pub const MAX_LOOKUPS_SEEN: usize = 64;

/// Timers of a session.
pub const MAX_TIMERS: usize = 1024;

/// The pause after repeated failures of a shared instance: doubled each time, from the first value
/// up to the second. An instance that lived longer than the third does not count as a failure.
pub const RESTART_BACK_OFF: (Duration, Duration, Duration) = (
    Duration::from_millis(50),
    Duration::from_secs(5),
    Duration::from_secs(10),
);
