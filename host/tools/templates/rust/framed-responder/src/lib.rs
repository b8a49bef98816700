//! Replies to each line with the line reversed.

echo_host_guest::responder!(respond, framing: "lines", max_message_bytes: 65_536);

/// Computes the reply to one line, without its ending.
fn respond(line: Vec<u8>) -> String {
    let text = String::from_utf8_lossy(&line);
    let mut reply: String = text.chars().rev().collect();
    reply.push('\n');
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_the_line_reversed_and_ended() {
        assert_eq!(respond(b"hello".to_vec()), "olleh\n");
        assert_eq!(respond(b"".to_vec()), "\n");
    }

    #[test]
    fn characters_stay_whole() {
        assert_eq!(respond("naïve €5".into()), "5€ evïan\n");
    }
}
