// Replies to each line with the line reversed.

#include "framed_responder.h"
#include <stdlib.h>
#include <string.h>

static void set(framed_responder_string_t *string, const char *text) {
    size_t length = strlen(text);
    string->ptr = malloc(length);
    string->len = length;
    memcpy(string->ptr, text, length);
}

// The manifest: messages are lines.
void exports_echo_host_handler_manifest_describe(exports_echo_host_handler_manifest_about_t *about) {
    set(&about->name, "{{name}}");
    set(&about->version, "0.1.0");
    set(&about->framing, "lines");
    about->max_message_bytes = 65536;
}

// The number of UTF-8 bytes after the first byte of a character.
static int continues(uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

// Computes the reply to one line, without its ending. The handler frees the line.
void exports_framed_responder_respond(framed_responder_list_u8_t *line, framed_responder_list_u8_t *reply) {
    reply->len = line->len + 1;
    reply->ptr = malloc(reply->len);
    uint8_t *to = reply->ptr;
    for (size_t end = line->len; end > 0;) {
        size_t start = end - 1;
        while (start > 0 && continues(line->ptr[start])) {
            start--;
        }
        memcpy(to, line->ptr + start, end - start);
        to += end - start;
        end = start;
    }
    *to = '\n';
    framed_responder_list_u8_free(line);
}
