//! What holds for every text that is an address, or is none.

use super::Endpoint;

/// Checks a text: what is parsed prints as something that means the same.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    match text.parse::<Endpoint>() {
        Ok(endpoint) => assert_eq!(endpoint.to_string().parse(), Ok(endpoint)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
