//! The JSON schema of the configuration file: derived from the settings, and kept beside the sources for editors.

use super::values::{
    FileMode, MemorySize, MessageSize, OptionalNumber, OptionalSize, OptionalTime, Place,
    ServiceName, Size, Time,
};
use super::{HostSettings, SCHEMA};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;
use std::{env, fs};

/// Schemas of values that are written in strings, and of those that may be numbers as well.
macro_rules! written {
    ($($value:ty: $form:tt $pattern:literal,)*) => {
        $(
            impl JsonSchema for $value {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($value).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": $form, "pattern": $pattern })
                }
            }
        )*
    };
}

written! {
    Size: ["string", "integer"] r"^[0-9.]+ *([kKmMgGtT]i?)?[bB]?$",
    MemorySize: ["string", "integer"] r"^[0-9.]+ *([kKmMgG]i?)?[bB]?$",
    MessageSize: ["string", "integer"] r"^[0-9.]+ *([kKmMgG]i?)?[bB]?$",
    Time: "string" r"^([0-9]+ *[a-zA-Zµ]+ *)+$",
    OptionalTime: "string" r"^(off|([0-9]+ *[a-zA-Zµ]+ *)+)$",
    FileMode: "string" r"^[0-7]+$",
    Network: "string" r"^[0-9a-fA-F:.]+(%[^/ ]+)?(/[0-9]+)?$",
    Owner: "string" r"^.+$",
    OptionalNumber: ["string", "integer"] r"^(off|[1-9][0-9]*)$",
    OptionalSize: ["string", "integer"] r"^(off|[0-9.]+ *([kKmMgGtT]i?)?[bB]?)$",
    Place: "string" r"^.+$",
    ServiceName: "string" r"^[a-z0-9-]+$",
    Endpoint: "string" r"^(tcp://|tls://|udp://|unix:|stdio:)",
    Framing: "string" r"^(chunks|lines|length-prefixed:[124]|delimited:([0-9a-fA-F]{2})+|fixed:[0-9]+)$",
    Identity: "string" r"^.+$",
    FileHash: "string" r"^[0-9a-fA-F]{64}$",
    SignerKey: "string" r"^.+$",
    Directory: "string" r"^.+$",
    NetworkAddress: "string" r"^.+:[0-9]+$",
    StoreUri: "string" r"^(memory|rediss?://.+|redis\+unix:.+)$",
}

/// Types of the crates below, which know nothing of schemas: what a file says for each.
macro_rules! below {
    ($($name:ident),*) => {
        $(pub(super) struct $name;)*
    };
}

below!(
    Network,
    Owner,
    Endpoint,
    Framing,
    Identity,
    FileHash,
    SignerKey,
    Directory,
    NetworkAddress,
    StoreUri
);

/// What happens to open connections when another generation becomes current.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema matters")]
pub(super) enum Move {
    /// They stay where they are.
    NewConnections,
    /// Those of responders go on with the new one between two messages.
    NextMessage,
    /// So do those of responders, and sessions are carried over with what they saved.
    Migrate,
}

/// What is kept apart from what.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema matters")]
pub(super) enum Isolation {
    /// Each connection has an instance of its own: what one does can't be seen in another.
    Connection,
    /// One instance serves all connections, one message at a time. If it fails, the connection whose
    /// message it was is closed (with a conversation, all whose sessions it held) and a fresh instance
    /// serves the next.
    Shared,
    /// Each message has an instance of its own: nothing at all is remembered. For responders only.
    Message,
}

/// Whether the process is confined.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema matters")]
pub(super) enum Sandbox {
    /// As far as the kernel can.
    Auto,
    /// Wholly, or the host does not start.
    On,
    /// Not at all.
    Off,
}

/// A certificate and its key, in PEM.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema matters")]
pub(super) struct CertificateFiles {
    /// The server's certificate, and then those that lead to an authority's.
    #[serde(rename = "cert")]
    certificate: String,
    /// Its private key.
    key: String,
}

/// The file may say less than a value in memory holds: TOML has no null.
fn as_in_a_file(schema: &mut Schema) {
    for key in ["default", "format"] {
        schema.remove(key);
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|form| form != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(forms)) = schema.get("anyOf") {
        let is_null = |form: &Value| form["type"] == "null";
        if let [form, null] = &forms[..]
            && is_null(null)
        {
            let form = form.clone();
            schema.remove("anyOf");
            // What stands beside a reference may be overlooked.
            schema.insert("allOf".to_owned(), Value::Array(vec![form]));
        }
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// A listener is an address, or a table.
fn address_or_table(schema: &mut Schema) {
    let table = schema.clone();
    let address = table.get("properties").map(|keys| keys["uri"].clone());
    *schema = json_schema!({ "anyOf": [address, table] });
}

#[test]
fn the_schema_is_that_of_the_settings() {
    // Of this draft all editors know, of later ones not yet all.
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(as_in_a_file));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<HostSettings>();
    schema.insert("title".to_owned(), "The configuration of echo-host".into());
    let listener = schema.pointer_mut("/definitions/ListenerSettings");
    let listener: &mut Schema = listener.unwrap().try_into().unwrap();
    address_or_table(listener);
    let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if env::var_os("WRITE_SCHEMA").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../echo-host.schema.json");
        fs::write(file, &schema).unwrap();
        return;
    }
    assert!(
        schema == SCHEMA,
        "echo-host.schema.json is not up to date: run this test with WRITE_SCHEMA=1"
    );
}
