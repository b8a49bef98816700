//! The JSON schema of the configuration file, for editors.

use super::options::{HostSettings, ListenerSettings, Opt, Options, ServiceSettings};
use super::value::Value as _;
use serde_json::{Map, Value, json};
use server::tls::CertificateFiles;

/// The schema of the configuration file.
pub fn schema() -> String {
    let mut schema = table::<HostSettings>("A configuration file of echo-host");
    // Of this draft all editors know, of later ones not yet all.
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("The configuration of echo-host");
    let mut listener = table::<ListenerSettings>("A listener with its settings");
    listener["required"] = json!(["uri"]);
    let address = listener["properties"]["uri"].clone();
    schema["definitions"] = json!({
        "CertificateFiles": CertificateFiles::schema(),
        "ListenerSettings": { "anyOf": [address, listener] },
        "ServiceSettings": table::<ServiceSettings>("A service"),
    });
    // Whether maps of this crate are sorted depends on what else is built.
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

fn table<S: Options>(description: &str) -> Value {
    let properties = S::options().iter().map(|(option, _)| {
        let mut schema = (option.schema)();
        schema["description"] = json!(describe(option));
        (option.key.to_owned(), schema)
    });
    let properties: Map<_, _> = properties.collect();
    json!({
        "additionalProperties": false,
        "description": description,
        "properties": properties,
        "type": "object",
    })
}

/// What an option does, and its default.
fn describe(option: &Opt) -> String {
    match option.default_text() {
        Some(default) => format!("{}. Default: {default}.", option.help).replace('`', ""),
        None => format!("{}.", option.help).replace('`', ""),
    }
}

#[test]
fn the_schema_beside_the_sources_is_up_to_date() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../echo-host.schema.json");
    let there = std::fs::read_to_string(file).unwrap();
    assert!(there == schema(), "run `cargo xtask reference`");
}
