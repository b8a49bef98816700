//! What a new handler starts from: a kind in a language, or a template for a purpose.

use engine::{HandlerKind, Language};

/// What a new handler starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// A small handler of a kind, in a language.
    Tier(Language, HandlerKind),
    /// A handler for a purpose, in Rust.
    Template(Template),
}

/// A handler for a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Commands and replies in lines.
    LineProtocol,
    /// One shared instance with all clients.
    ChatRoom,
    /// Frames with a length before them.
    BinaryProtocol,
    /// HTTP/1.1.
    Http,
    /// Values in `wasi:keyvalue`.
    Store,
}

impl Start {
    pub fn language(self) -> Language {
        match self {
            Start::Tier(language, _) => language,
            Start::Template(_) => Language::Rust,
        }
    }

    pub fn tier(self) -> HandlerKind {
        match self {
            Start::Tier(_, tier) => tier,
            Start::Template(template) => template.tier(),
        }
    }

    /// One sentence about the handler, and the language after it.
    pub fn about(self) -> &'static str {
        match self {
            Start::Tier(_, tier) => about(tier),
            Start::Template(template) => template.about(),
        }
    }

    /// The directory with its own templates, and the name of its exchange.
    pub fn folder(self) -> &'static str {
        match self {
            Start::Tier(_, tier) => folder(tier),
            Start::Template(template) => template.folder(),
        }
    }

    /// Whether all its connections need the same instance.
    pub fn is_shared(self) -> bool {
        matches!(self, Start::Template(Template::ChatRoom))
    }

    /// The features of the crate `echo-host-guest` that it needs.
    pub fn features(self) -> &'static str {
        match self {
            Start::Template(Template::Store) => ", features = [\"keyvalue\"]",
            _ => "",
        }
    }
}

impl Template {
    #[cfg(test)]
    pub const ALL: [Self; 5] = [
        Template::LineProtocol,
        Template::ChatRoom,
        Template::BinaryProtocol,
        Template::Http,
        Template::Store,
    ];

    fn tier(self) -> HandlerKind {
        match self {
            Template::LineProtocol | Template::ChatRoom | Template::Http => {
                HandlerKind::Conversation
            }
            Template::BinaryProtocol | Template::Store => HandlerKind::FramedResponder,
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Template::LineProtocol => "line-protocol",
            Template::ChatRoom => "chat-room",
            Template::BinaryProtocol => "binary-protocol",
            Template::Http => "http",
            Template::Store => "store",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Template::LineProtocol => "A protocol of lines: each command of a client has a reply.",
            Template::ChatRoom => "A chat room: everyone hears what one says.",
            Template::BinaryProtocol => {
                "A binary protocol: requests and replies with their length before them."
            }
            Template::Http => "An HTTP server: pages, query parameters and bodies.",
            Template::Store => "A store: its values outlive connections, instances and versions.",
        }
    }
}

fn about(tier: HandlerKind) -> &'static str {
    match tier {
        HandlerKind::Responder => "A responder: a function computes the reply to each message.",
        HandlerKind::FramedResponder => {
            "A responder with lines: a function computes the reply to each line."
        }
        HandlerKind::Conversation => {
            "A conversation: a session for each client, called on every event."
        }
        HandlerKind::Program => {
            "A plain program: its standard input and output are the connection."
        }
    }
}

fn folder(tier: HandlerKind) -> &'static str {
    match tier {
        HandlerKind::Responder => "responder",
        HandlerKind::FramedResponder => "framed-responder",
        HandlerKind::Conversation => "conversation",
        HandlerKind::Program => "program",
    }
}
