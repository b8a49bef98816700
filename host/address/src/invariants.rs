//! Property of every address text. Used by tests and fuzzing.

use super::Endpoint;

/// Checks a text: a parsed address prints as text with the same meaning.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    match text.parse::<Endpoint>() {
        Ok(endpoint) => assert_eq!(endpoint.to_string().parse(), Ok(endpoint)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
