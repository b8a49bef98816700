//! The last warnings and errors, for `echo-host status`.
//!
//! One is kept for each place in the code and service, with the number of times: a client that
//! causes thousands of one kind displaces none of another. Output of handlers is left out.

use crate::control::WarningStatus;
use parking_lot::Mutex;
use std::fmt::Debug;
use std::time::SystemTime;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The most warnings that are kept, and the most bytes of each.
const MAX_WARNINGS: usize = 16;
const MAX_WARNING_BYTES: usize = 512;

/// The latest is the last.
static RECENT: Mutex<Vec<(Identifier, WarningStatus)>> = Mutex::new(Vec::new());

/// The last warnings, the latest first.
pub fn warnings() -> Vec<WarningStatus> {
    let recent = RECENT.lock();
    let all = recent.iter().rev().map(|(_, warning)| warning.clone());
    all.collect()
}

/// Keeps the events it gets.
pub struct RecentWarnings;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RecentWarnings {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() == "service"
            && let Some(span) = context.span(id)
        {
            let mut name = Text::of("name");
            attributes.record(&mut name);
            span.extensions_mut().insert(name);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut message = Text::of("message");
        event.record(&mut message);
        // A line that belongs to the one before.
        if event.metadata().target() == "guest" || message.text.starts_with(' ') {
            return;
        }
        let mut spans = context.event_scope(event).into_iter().flatten();
        let service = spans.find_map(|span| Some(span.extensions().get::<Text>()?.text.clone()));
        let end = message.text.floor_char_boundary(MAX_WARNING_BYTES);
        message.text.truncate(end);
        let callsite = event.metadata().callsite();
        let mut recent = RECENT.lock();
        let is_same = |(it, warning): &(Identifier, WarningStatus)| {
            *it == callsite && warning.service == service
        };
        let times = match recent.iter().position(is_same) {
            Some(at) => recent.remove(at).1.times,
            None => 0,
        };
        if recent.len() == MAX_WARNINGS {
            recent.remove(0);
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let warning = WarningStatus {
            at_unix_seconds: now.unwrap_or_default().as_secs(),
            level: event.metadata().level().as_str().to_ascii_lowercase(),
            service,
            message: message.text,
            times: times + 1,
        };
        recent.push((callsite, warning));
    }
}

/// One field.
struct Text {
    name: &'static str,
    text: String,
}

impl Text {
    fn of(name: &'static str) -> Self {
        let text = String::new();
        Text { name, text }
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == self.name {
            self.text = format!("{value:?}");
        }
    }
}
