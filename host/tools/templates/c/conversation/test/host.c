// The connection of unit tests, and functions of the bindings.

#include "host.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

exports_echo_host_handler_conversation_session_t *host_session;
bool host_closed;

static char sent[4096];
static size_t sent_length;

// Timers by number. 0 is free.
static struct { uint32_t id; int64_t delay; } timers[8];

handler_list_u8_t host_bytes(const char *text) {
    return (handler_list_u8_t){(uint8_t *)strdup(text), strlen(text)};
}

void host_expect(const char *text) {
    assert(sent_length == strlen(text) && memcmp(sent, text, sent_length) == 0);
    sent_length = 0;
}

void host_expect_failure(echo_host_handler_types_failure_t *failure, const char *kind) {
    assert(failure->kind.len == strlen(kind) && memcmp(failure->kind.ptr, kind, strlen(kind)) == 0);
    free(failure->kind.ptr);
    free(failure->reason.ptr);
}

int64_t host_timer(uint32_t id) {
    for (size_t at = 0; at < 8; at++) {
        if (timers[at].id == id) {
            return timers[at].delay;
        }
    }
    return -1;
}

// What the bindings offer.

void handler_string_dup(handler_string_t *string, const char *text) {
    *string = (handler_string_t){(uint8_t *)strdup(text), strlen(text)};
}

void handler_string_free(handler_string_t *string) {
    free(string->ptr);
}

void handler_list_u8_free(handler_list_u8_t *list) {
    free(list->ptr);
}

void handler_option_list_u8_free(handler_option_list_u8_t *option) {
    if (option->is_some) {
        free(option->val.ptr);
    }
}

exports_echo_host_handler_conversation_own_session_t
exports_echo_host_handler_conversation_session_new(exports_echo_host_handler_conversation_session_t *session) {
    host_session = session;
    return (exports_echo_host_handler_conversation_own_session_t){1};
}

// Connections.

echo_host_handler_connections_borrow_connection_t
echo_host_handler_connections_borrow_connection(echo_host_handler_connections_own_connection_t handle) {
    return (echo_host_handler_connections_borrow_connection_t){handle.__handle};
}

void echo_host_handler_connections_connection_drop_own(echo_host_handler_connections_own_connection_t handle) {
    (void)handle;
}

void echo_host_handler_connections_method_connection_send(
    echo_host_handler_connections_borrow_connection_t self, handler_list_u8_t *bytes) {
    (void)self;
    assert(sent_length + bytes->len < sizeof sent);
    memcpy(sent + sent_length, bytes->ptr, bytes->len);
    sent_length += bytes->len;
}

void echo_host_handler_connections_method_connection_close(
    echo_host_handler_connections_borrow_connection_t self) {
    (void)self;
    host_closed = true;
}

void echo_host_handler_connections_method_connection_set_timer(
    echo_host_handler_connections_borrow_connection_t self, uint32_t id, uint32_t delay_ms) {
    (void)self;
    size_t at = 0;
    while (timers[at].id != id && timers[at].id != 0) {
        assert(++at < 8);
    }
    timers[at].id = id, timers[at].delay = delay_ms;
}

void echo_host_handler_connections_method_connection_cancel_timer(
    echo_host_handler_connections_borrow_connection_t self, uint32_t id) {
    echo_host_handler_connections_method_connection_set_timer(self, id, 0);
    for (size_t at = 0; at < 8; at++) {
        timers[at].delay = timers[at].id == id ? -1 : timers[at].delay;
    }
}
