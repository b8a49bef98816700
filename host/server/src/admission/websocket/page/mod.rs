//! The page for browsers: a terminal for the WebSocket at its own address. One file without
//! anything from elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub static HTML: LazyLock<String> = LazyLock::new(|| {
    let page = include_str!("page.html");
    page.replace("/*style*/", STYLE)
        .replace("/*script*/", SCRIPT)
});

/// Its header lines. It runs only this style and script, which connect to its own host only; no
/// other page may embed it.
pub static HEADERS: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "Content-Security-Policy: default-src 'none'; style-src {style}; script-src {script}; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'\r\n\
         Referrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\n"
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_needs_nothing_from_elsewhere() {
        assert!(HTML.len() < 30 << 10, "{} bytes", HTML.len());
        assert!(HTML.contains(STYLE) && HTML.contains(SCRIPT));
        for absent in [
            "http://",
            "https://",
            "<img",
            "<iframe",
            "innerHTML",
            "eval(",
            "style=\"",
        ] {
            assert!(!HTML.contains(absent), "{absent}");
        }
        assert!(HEADERS.split("\r\n").all(|line| !line.contains('\n')));
    }
}
