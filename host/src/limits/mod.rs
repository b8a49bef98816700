//! Every bound the operator can set, and every bound that is fixed, with its unit in its name.

mod helper;
mod reached;

pub use helper::{
    COMPILE_TIME, HELPER_REPLY_TIME, MAX_COMPILE_CPU, MAX_COMPILE_DATA_BYTES, MAX_COMPILERS,
    MAX_HELPER_LINE_BYTES,
};
pub use reached::Limit;

use std::time::Duration;

/// Bytes asked of the kernel in one read: a page more than 64 KiB, so that a message of that size does not
/// fill it. After a read that was not filled nothing is left to read, which saves asking once more.
pub const READ_BYTES: usize = 68 << 10;

/// Unsent bytes of one connection from which on its client's messages wait: the high-water mark.
pub const HIGH_WATER_BYTES: usize = 256 << 10;

/// Bytes that are on their way between a connection and a program, in each direction.
pub const PIPE_BYTES: usize = 64 << 10;

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

/// The same for conversations: what they send at once. Copying it takes less than an [`EPOCH_TICK`].
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

/// How long, and how many bytes, a closing connection goes on discarding what its client still sends
/// (RFC 9112, section 9.6, asks the same of HTTP servers).
pub const LINGER_TIME: Duration = Duration::from_secs(1);
/// See [`LINGER_TIME`].
pub const LINGER_BYTES: usize = 1 << 20;

/// How long one step of a probe may take, in which a new version of a handler is asked something.
pub const PROBE_STEP_TIME: Duration = Duration::from_secs(10);

/// The longest guest log line, in bytes; the rest is cut off.
pub const MAX_LOG_LINE_BYTES: usize = 4096;

/// What a guest may print in one call, in bytes: what it is permitted whenever it asks.
pub const MAX_LOG_WRITE_BYTES: usize = 64 << 10;

/// Guest log lines of one instance within one second, and of all instances of a handler together; the rest are
/// counted, not shown.
pub const MAX_LOG_LINES_PER_SECOND: u32 = 100;
/// See [`MAX_LOG_LINES_PER_SECOND`].
pub const MAX_HANDLER_LOG_LINES_PER_SECOND: u32 = 1000;

/// Bytes of log lines that wait until standard error takes them; further lines are dropped and counted.
pub const MAX_LOG_QUEUE_BYTES: usize = 1 << 20;

/// How long a process that ends waits until its log was written.
pub const LOG_FLUSH_TIME: Duration = Duration::from_secs(1);

/// How long a host waits until its addresses were printed on standard output.
pub const STDOUT_TIME: Duration = Duration::from_secs(1);

/// How long a guest that computes without end is set aside at each [`EPOCH_TICK`].
pub const BREATHER: Duration = Duration::from_millis(1);

/// How often a guest that computes without end lets others run, and the grain of epoch deadlines.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Threads that wait for the disk, mostly for guests that were granted a directory. Further operations wait for one.
pub const MAX_BLOCKING_THREADS: usize = 32;

/// Handshaken connections that the kernel holds for us until they are accepted.
pub const LISTEN_BACKLOG: i32 = 1024;

/// The first and the longest wait after accepting, or receiving, failed for want of a resource.
pub const ACCEPT_BACK_OFF: (Duration, Duration) =
    (Duration::from_millis(5), Duration::from_secs(1));

/// Datagrams that are received, or sent to one peer, in one call of the kernel.
pub const DATAGRAM_BATCH: usize = 32;

/// Room for one received datagram: a power of two that the longest one fits in.
pub const DATAGRAM_SLOT_BYTES: usize = 64 << 10;

/// The most that a datagram can carry: what the 16 bits for a length in the headers of IPv4 and of UDP leave
/// (RFC 791, RFC 768).
pub const MAX_DATAGRAM_BYTES_IPV4: usize = 65_507;
/// The same with IPv6, whose own header does not count (RFC 8200).
pub const MAX_DATAGRAM_BYTES_IPV6: usize = 65_527;

/// What the kernel is asked to hold of a UDP listener's datagrams until they are received.
pub const DATAGRAM_RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Datagrams of one sender that wait until those before them are answered, in number and in bytes. Further ones
/// are dropped.
pub const MAX_WAITING_DATAGRAMS: usize = 1024;
/// See [`MAX_WAITING_DATAGRAMS`].
pub const MAX_WAITING_DATAGRAM_BYTES: usize = 256 << 10;

/// Log lines about how a service's connections ended, within one second; the rest are counted, not shown.
pub const MAX_CONNECTION_LINES_PER_SECOND: u32 = 100;

/// The same of log lines about clients and datagrams that there was no place for.
pub const MAX_NO_PLACE_LINES_PER_SECOND: u32 = 1;

/// The longest request on the control socket, the longest reply, and how much of a refusal's details goes into
/// one, in bytes.
pub const MAX_CONTROL_REQUEST_BYTES: usize = 64 << 10;
/// See [`MAX_CONTROL_REQUEST_BYTES`].
pub const MAX_CONTROL_REPLY_BYTES: usize = 4 << 20;
/// See [`MAX_CONTROL_REQUEST_BYTES`].
pub const MAX_CONTROL_DETAIL_BYTES: usize = 256 << 10;

/// Clients of the control socket that the kernel holds until they are accepted.
pub const CONTROL_BACKLOG: i32 = 128;

/// Clients of the control socket that are served at once; further ones wait.
pub const MAX_CONTROL_CLIENTS: usize = 64;

/// Listening sockets that one host can take over from another: Linux passes at most 253 at once.
pub const MAX_CONTROL_LISTENERS: usize = 250;

/// Clients of the metrics that are served at once, and how long each may take; further ones wait.
pub const MAX_METRICS_CLIENTS: usize = 16;
/// See [`MAX_METRICS_CLIENTS`].
pub const METRICS_REQUEST_TIME: Duration = Duration::from_secs(5);
/// Files that come along with a request on the control socket: a handler, and its signature.
pub const MAX_CONTROL_FILES: usize = 2;

/// How long a client of the control socket may take to send its request, and to read the reply.
pub const CONTROL_REQUEST_TIME: Duration = Duration::from_secs(5);

/// How long a client waits for a reply that the host has at hand, and for one that comes when a handler has
/// been loaded.
pub const CONTROL_REPLY_TIME: Duration = Duration::from_secs(10);
/// See [`CONTROL_REPLY_TIME`].
pub const CONTROL_SWAP_TIME: Duration = Duration::from_secs(300);

/// How long a successor that has got the listening sockets may take to be ready.
pub const CONTROL_TAKEOVER_TIME: Duration = Duration::from_secs(300);

/// What one connection may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The longest message, in bytes.
    pub max_message_bytes: usize,
    /// A conversation's connection on which more bytes than this wait to be written is closed.
    pub max_unsent_bytes: usize,
    /// A connection on which no byte moves for so long is closed; `None` for never.
    pub idle_timeout: Option<Duration>,
}

/// What one instance of a guest may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestLimits {
    /// All of an instance's linear memories together, in bytes.
    pub max_memory_bytes: usize,
    /// How long one call may take, and how long making an instance may, waiting included.
    pub call_timeout: Duration,
}

/// What the senders of one UDP listener may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramLimits {
    /// The session of a sender that has sent nothing for so long ends.
    pub idle_timeout: Duration,
    /// Sessions at once; datagrams of further senders are dropped.
    pub max_sessions: usize,
    /// How many times what it has sent a sender may be sent, in bytes on the wire; `None` for any number.
    pub amplification: Option<u32>,
}

impl Default for DatagramLimits {
    fn default() -> Self {
        DatagramLimits {
            idle_timeout: Duration::from_secs(60),
            max_sessions: 1000,
            amplification: Some(3),
        }
    }
}

/// Client addresses whose rates are counted, each by itself; further ones are counted together.
pub const MAX_RATED_ADDRESSES: usize = 64 << 10;

/// What the whole server may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections served at once; further clients wait in the kernel's queue.
    pub max_connections: usize,
    /// Connections that clients with one address may have at once, and all of an IPv6 network of 64 bits together;
    /// further ones are closed. `None` for any number.
    pub max_connections_per_ip: Option<usize>,
    /// Connections that one user of this machine may have at once by Unix sockets; further ones are closed. `None` for
    /// any number.
    pub max_connections_per_uid: Option<usize>,
    /// What all guests together may have of memory, in bytes; `None` for any amount.
    pub max_guest_memory_bytes: Option<usize>,
    /// How long open connections may go on after the server was told to stop.
    pub drain_timeout: Duration,
}

/// The longest PROXY header, in bytes: addresses take up to 52 (or a line of 107), the rest is what proxies add
/// about a client's certificate.
pub const MAX_PROXY_HEADER_BYTES: usize = 4096;
