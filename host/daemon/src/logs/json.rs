//! Log lines as JSON: one flat object each, in which no key occurs twice.

use super::output::Stderr;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt::Debug;
use std::io::Write;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes each event with the fields of its spans. What names a span has the name of the span: the
/// `name` of a service is `service`, the `id` of a connection is `connection`.
pub struct JsonLines;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        for (name, _) in &mut fields.0 {
            if matches!(*name, "id" | "name") {
                *name = span.name();
            }
        }
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let is_message = |(name, _): &mut (_, _)| *name == "message";
        let message = own.0.extract_if(.., is_message).next();
        let mut line = Fields::default();
        line.add("timestamp", now());
        line.add("level", event.metadata().level().as_str());
        line.add("message", message.map_or(Value::from(""), |it| it.1));
        line.add("target", event.metadata().target());
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.0.extend(fields.0.iter().cloned());
            }
        }
        line.0.extend(own.0);
        line.drop_duplicates();
        if let Ok(mut bytes) = serde_json::to_vec(&line) {
            bytes.push(b'\n');
            // There is nobody to tell.
            let _ = Stderr.write_all(&bytes);
        }
    }
}

fn now() -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// The members of an object, in order.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// Keeps the first of the members with the same name.
    fn drop_duplicates(&mut self) {
        let mut seen = Vec::with_capacity(self.0.len());
        self.0.retain(|(name, _)| {
            let is_new = !seen.contains(name);
            seen.push(*name);
            is_new
        });
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_members_with_the_same_name_the_first_counts() {
        let mut line = Fields::default();
        line.add("level", "INFO");
        line.add("peer", "a");
        line.add("level", 7);
        line.add("peer", true);
        line.drop_duplicates();
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(text, r#"{"level":"INFO","peer":"a"}"#);
    }
}
