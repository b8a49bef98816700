//! What guests may do, hold and hand over, and what their components may be.

use std::time::Duration;

/// What the sends of one callback may add up to, in bytes, and how many sends, closes and changes of
/// timers or framings it may make. Joined sends count once.
pub const MAX_CALLBACK_BYTES: usize = 64 << 20;
/// See [`MAX_CALLBACK_BYTES`].
pub const MAX_CALLBACK_ORDERS: usize = 100_000;

/// The longest reply, and what a session may return of itself when it is asked what to save, in bytes. It is checked
/// before any of it is copied, as all that a guest hands over is.
pub const MAX_HANDED_BYTES: usize = 64 << 20;

/// What a guest may bring along when it calls the host, in bytes, and what its exports may return that are not replies
/// and not what a session saves. The host copies and decodes it on a thread that serves others, too: it takes a
/// millisecond or two. The largest value that a guest may have kept fits, with its key.
pub const MAX_ARGUMENT_BYTES: usize = (1 << 20) + (64 << 10);

/// The same for conversations: what they send at once. Copying it takes less than an [`EPOCH_TICK`](super::EPOCH_TICK).
pub const MAX_SEND_BYTES: usize = 8 << 20;

/// How many pollables a guest may wait for at once.
pub const MAX_POLLABLES: usize = 4096;

/// What a session may save for the next version of its handler, in bytes. One that saves more stays where it is.
pub const MAX_SAVED_BYTES: usize = 16 << 20;

/// Handles that an instance may hold at once: on connections, sessions, timers, streams, files and whatever else it
/// can make.
pub const MAX_HANDLES: usize = 100_000;

/// What the host counts as a guest's memory for each handle of the most that its instance had at once, in bytes, and
/// for each stream of a file or folder, which reads ahead.
pub const HANDLE_BYTES: usize = 256;
/// See [`HANDLE_BYTES`].
pub const FILE_STREAM_BYTES: usize = 64 << 10;

/// Files that an instance may have open at once, with the streams that read and write them, and all instances of the
/// process together. Each is a descriptor.
pub const MAX_OPEN_FILES_OF_INSTANCE: usize = 128;
/// See [`MAX_OPEN_FILES_OF_INSTANCE`].
pub const MAX_OPEN_FILES: usize = 4096;
/// Descriptors that guests never get, beside those for as many connections as there may be.
pub const RESERVED_DESCRIPTORS: usize = 512;

/// What the store of a rehearsal may hold, in bytes.
pub const MAX_SCRATCH_BYTES: usize = 64 << 20;

/// Elements of all of an instance's tables together. Guests that carry an interpreter have some ten thousand
/// functions, each of which is one.
pub const MAX_TABLE_ELEMENTS: usize = 100_000;

/// The longest component in text form, in bytes. What the assembler takes for text grows with the square of its length.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// What compiling a component may take, and compiling one function, and all that is set when an instance of a module
/// is made. A unit is about what a byte of ordinary code takes, a microsecond; the engine's `screening` counts them.
pub const MAX_COMPILE_WORK: u64 = 100_000_000;
/// See [`MAX_COMPILE_WORK`].
pub const MAX_FUNCTION_WORK: u64 = 2_000_000;
/// See [`MAX_COMPILE_WORK`]. More than a function's: the smallest module that Go makes has 27400 segments of data, as
/// it leaves zeros out.
pub const MAX_START_WORK: u64 = 6_000_000;

/// What a host that watches handlers keeps of compiled functions, in bytes: some times what the largest of the usual
/// components has. When it is full it begins anew.
pub const MAX_COMPILED_FUNCTION_BYTES: usize = 128 << 20;

/// What a component may come to, in bytes without its modules, with each component in it counted whenever it is
/// instantiated. What takes the compiler more than its bytes would is counted as more; the engine's `screening` does it.
pub const MAX_EXPANDED_BYTES: u64 = 16 << 20;

/// How deep components may lie in components, and types in types.
pub const MAX_COMPONENT_DEPTH: usize = 100;

/// How many components and modules a component may be made of. What the compiler takes for them grows with the square
/// of their number: 50 MB for so many, and 3 GB for ten times as many.
pub const MAX_COMPONENT_PARTS: usize = 1000;

/// Random bytes that a guest may ask for at once. Making them takes about a millisecond, in which its thread does
/// nothing else.
pub const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// What a guest's clocks count in, unless it is granted exact ones.
pub const CLOCK_GRAIN: Duration = Duration::from_millis(1);

/// The longest key that a guest may have kept, with the name of its bucket, and the longest value, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;
/// See [`MAX_KEY_BYTES`].
pub const MAX_VALUE_BYTES: usize = 1 << 20;
/// How many keys a guest may name at once, or be told, and what all values that it asks for at once may have in bytes.
pub const MAX_BATCH_KEYS: usize = 1000;
/// See [`MAX_BATCH_KEYS`].
pub const MAX_BATCH_VALUE_BYTES: usize = 8 << 20;

/// How long connecting to a store, and a reply from it, may take.
pub const STORE_CONNECT_TIME: Duration = Duration::from_secs(2);
/// See [`STORE_CONNECT_TIME`].
pub const STORE_REPLY_TIME: Duration = Duration::from_secs(2);

/// Connections that an instance may have open to others than its clients, and all instances of the process together.
pub const MAX_OUTGOING_OF_INSTANCE: usize = 16;
/// See [`MAX_OUTGOING_OF_INSTANCE`].
pub const MAX_OUTGOING: usize = 256;

/// How long what a name stands for is taken for true, how many of its addresses guests are told, and how many that they
/// were told count as granted.
pub const LOOKUP_AGE: Duration = Duration::from_secs(5);
/// See [`LOOKUP_AGE`].
pub const MAX_LOOKUP_ADDRESSES: usize = 16;
/// See [`LOOKUP_AGE`].
pub const MAX_LOOKUPS_SEEN: usize = 64;

/// Timers one session may have set at once.
pub const MAX_TIMERS: usize = 1024;

/// How long a handler whose shared instance fails again and again is left alone: twice as long each time,
/// from the first value up to the second. An instance that lived for longer than the third is no sign of
/// trouble.
pub const RESTART_BACK_OFF: (Duration, Duration, Duration) = (
    Duration::from_millis(50),
    Duration::from_secs(5),
    Duration::from_secs(10),
);
