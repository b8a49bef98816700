// Greets clients and numbers their lines, also across versions of the handler.

#include "kit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The state of one connection.
struct exports_echo_host_handler_conversation_session_t {
    kit_connection_t connection;
    unsigned long long lines;
};

typedef exports_echo_host_handler_conversation_session_t session_t;

// The manifest: messages are lines.
void exports_echo_host_handler_manifest_describe(exports_echo_host_handler_manifest_about_t *about) {
    handler_string_dup(&about->name, "{{name}}");
    handler_string_dup(&about->version, "0.1.0");
    handler_string_dup(&about->framing, "lines");
    about->max_message_bytes = 65536;
}

static void say_goodbye(session_t *session) {
    kit_printf(session->connection, "goodbye after %llu lines\n", session->lines);
}

// Parses saved state. False if it is not a count.
static bool resume(session_t *session, handler_list_u8_t *saved) {
    char text[21] = "";
    if (saved->len == 0 || saved->len >= sizeof text) {
        return false;
    }
    memcpy(text, saved->ptr, saved->len);
    char *end;
    session->lines = strtoull(text, &end, 10);
    return *end == '\0';
}

// A client has connected. True if it is served; `saved` is the state of another version, or null.
bool exports_echo_host_handler_conversation_static_session_open(
    exports_echo_host_handler_conversation_own_connection_t connection, handler_list_u8_t *saved,
    exports_echo_host_handler_conversation_own_session_t *opened, kit_failure_t *failure) {
    session_t *session = malloc(sizeof *session);
    session->connection = connection;
    session->lines = 0;
    if (saved == NULL) {
        kit_send_line(connection, "hello", 5);
    } else {
        bool good = resume(session, saved);
        handler_list_u8_free(saved);
        if (!good) {
            exports_echo_host_handler_conversation_session_destructor(session);
            return kit_fail(failure, "internal", "the saved state is not a count");
        }
    }
    *opened = exports_echo_host_handler_conversation_session_new(session);
    return true;
}

// The client has sent a line. The handler frees it.
bool exports_echo_host_handler_conversation_method_session_on_message(session_t *session,
                                                                     handler_list_u8_t *line,
                                                                     kit_failure_t *failure) {
    bool is_text = kit_is_text(line, failure);
    if (is_text && line->len == 4 && memcmp(line->ptr, "quit", 4) == 0) {
        say_goodbye(session);
        echo_host_handler_connections_method_connection_close(
            echo_host_handler_connections_borrow_connection(session->connection));
    } else if (is_text) {
        kit_printf(session->connection, "%llu ", ++session->lines);
        kit_send_line(session->connection, line->ptr, line->len);
    }
    handler_list_u8_free(line);
    return is_text;
}

bool exports_echo_host_handler_conversation_method_session_on_eof(session_t *session, kit_failure_t *failure) {
    (void)session, (void)failure;
    return true;
}

bool exports_echo_host_handler_conversation_method_session_on_writable(session_t *session, kit_failure_t *failure) {
    (void)session, (void)failure;
    return true;
}

bool exports_echo_host_handler_conversation_method_session_on_timer(session_t *session, uint32_t id,
                                                                   kit_failure_t *failure) {
    (void)session, (void)id, (void)failure;
    return true;
}

bool exports_echo_host_handler_conversation_method_session_on_shutdown(session_t *session, kit_failure_t *failure) {
    (void)failure;
    say_goodbye(session);
    return true;
}

// The state for the next version. True if there is any.
bool exports_echo_host_handler_conversation_method_session_save(session_t *session,
                                                               handler_list_u8_t *saved) {
    char text[24];
    saved->len = snprintf(text, sizeof text, "%llu", session->lines);
    saved->ptr = malloc(saved->len);
    memcpy(saved->ptr, text, saved->len);
    return true;
}

// The connection has ended.
void exports_echo_host_handler_conversation_session_destructor(session_t *session) {
    echo_host_handler_connections_connection_drop_own(session->connection);
    free(session);
}
