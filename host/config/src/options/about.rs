//! What is declared of an option besides its type, its default and its help.

/// What an option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Host,
    Service,
    Listener,
}

/// What stands together in help, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    General,
    Sandbox,
    Trust,
    Limits,
    Rates,
    Clients,
    WebSocket,
    Udp,
    Swapping,
    Privileges,
    Control,
    Logs,
}

impl Group {
    /// All of them.
    pub const ALL: [Group; 12] = [
        Group::General,
        Group::Sandbox,
        Group::Trust,
        Group::Limits,
        Group::Rates,
        Group::Clients,
        Group::WebSocket,
        Group::Udp,
        Group::Swapping,
        Group::Privileges,
        Group::Control,
        Group::Logs,
    ];

    /// Its heading in help.
    pub fn title(self) -> Option<&'static str> {
        match self {
            Group::General => None,
            Group::Sandbox => Some("Sandbox"),
            Group::Trust => Some("Trust"),
            Group::Limits => Some("Limits"),
            Group::Rates => Some("Rates"),
            Group::Clients => Some("Clients"),
            Group::WebSocket => Some("WebSocket"),
            Group::Udp => Some("UDP"),
            Group::Swapping => Some("Swapping the handler"),
            Group::Privileges => Some("Privileges"),
            Group::Control => Some("Control"),
            Group::Logs => Some("Logs"),
        }
    }
}

/// How several values stand in one variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// One on each line; an option has one.
    Lines,
    /// Separated by commas; an option has one, commas and all: it may be a path.
    Commas,
    /// Separated by commas, in an option as well.
    CommasEverywhere,
}

/// For which listeners an option means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    /// All but those for datagrams.
    Connections,
    /// Those whose clients the kernel queues.
    Sockets,
    Tls,
    Telnet,
    Udp,
    Unix,
    WebSocket,
}

impl Scope {
    /// The addresses of these listeners.
    pub fn kinds(self) -> &'static str {
        match self {
            Scope::All => "any address",
            Scope::Connections => "tcp://, tls://, telnet://, ws://, wss://, unix: or stdio:",
            Scope::Sockets => "tcp://, tls://, telnet://, ws://, wss:// or unix:",
            Scope::Tls => "tls://, wss://, or tcp:// and unix: where handlers start TLS",
            Scope::Telnet => "telnet://",
            Scope::Udp => "udp://",
            Scope::Unix => "unix:",
            Scope::WebSocket => "ws:// or wss://",
        }
    }
}

/// What happens when a limit is reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// What is counted.
    pub unit: &'static str,
    /// What the client sees.
    pub client: &'static str,
    /// What the log says, where it is counted under the option's name.
    pub log: Option<&'static str>,
}

/// What is declared of an option besides its type, its default and its help.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub group: Group,
    /// The name of its flag, if that is not its key. An upper-case name is that of an argument.
    pub flag: Option<&'static str>,
    /// Whether it is a key of the file only.
    pub is_key_only: bool,
    pub short: Option<char>,
    /// Stands for the value in help, if its type does not say enough.
    pub value: Option<&'static str>,
    pub listed: Listed,
    /// Whether no message may show the value.
    pub is_secret: bool,
    /// Whether the value may begin with a hyphen.
    pub may_have_hyphen: bool,
    /// The key of an option that must be given with it.
    pub requires: Option<&'static str>,
    /// What holds by default, where that is no value; otherwise a restriction of the default.
    pub otherwise: Option<&'static str>,
    /// A value for the example, where there is no default.
    pub sample: Option<&'static str>,
    pub scope: Scope,
    /// Whether a reload does not change it.
    pub is_fixed: bool,
    pub reached: Option<Reached>,
}

impl About {
    /// An option of which nothing special is declared.
    pub const PLAIN: About = About {
        group: Group::General,
        flag: None,
        is_key_only: false,
        short: None,
        value: None,
        listed: Listed::Lines,
        is_secret: false,
        may_have_hyphen: false,
        requires: None,
        otherwise: None,
        sample: None,
        scope: Scope::All,
        is_fixed: false,
        reached: None,
    };
}

/// A limit, which is counted under the name of its option.
pub const fn limit(unit: &'static str, client: &'static str, log: &'static str) -> Option<Reached> {
    Some(Reached {
        unit,
        client,
        log: Some(log),
    })
}

/// A limit that nobody counts.
pub const fn bound(unit: &'static str, client: &'static str) -> Option<Reached> {
    Some(Reached {
        unit,
        client,
        log: None,
    })
}
