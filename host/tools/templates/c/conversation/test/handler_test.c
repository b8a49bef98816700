#include "conversation_handler.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef exports_echo_host_handler_conversation_session_t session_t;
typedef exports_echo_host_handler_conversation_failure_t failure_t;

// Replaces the host: records what was sent and closed.
static char sent[1024];
static size_t sent_length;
static bool closed;
static session_t *opened;

void echo_host_handler_connections_method_connection_send(
    echo_host_handler_connections_borrow_connection_t self, conversation_handler_list_u8_t *bytes) {
    (void)self;
    assert(sent_length + bytes->len < sizeof sent);
    memcpy(sent + sent_length, bytes->ptr, bytes->len);
    sent_length += bytes->len;
}

void echo_host_handler_connections_method_connection_close(
    echo_host_handler_connections_borrow_connection_t self) {
    (void)self;
    closed = true;
}

echo_host_handler_connections_borrow_connection_t
echo_host_handler_connections_borrow_connection(echo_host_handler_connections_own_connection_t handle) {
    return (echo_host_handler_connections_borrow_connection_t){handle.__handle};
}

void echo_host_handler_connections_connection_drop_own(echo_host_handler_connections_own_connection_t handle) {
    (void)handle;
}

exports_echo_host_handler_conversation_own_session_t
exports_echo_host_handler_conversation_session_new(session_t *session) {
    opened = session;
    return (exports_echo_host_handler_conversation_own_session_t){1};
}

void conversation_handler_list_u8_free(conversation_handler_list_u8_t *list) {
    free(list->ptr);
}

static conversation_handler_list_u8_t bytes(const char *text) {
    return (conversation_handler_list_u8_t){(uint8_t *)strdup(text), strlen(text)};
}

static bool open(const char *saved) {
    conversation_handler_list_u8_t list = bytes(saved ? saved : "");
    exports_echo_host_handler_conversation_own_session_t handle;
    failure_t failure;
    bool good = exports_echo_host_handler_conversation_static_session_open(
        (exports_echo_host_handler_conversation_own_connection_t){1}, saved ? &list : NULL, &handle, &failure);
    if (!saved) {
        free(list.ptr);
    }
    return good;
}

static void message(const char *text) {
    conversation_handler_list_u8_t line = bytes(text);
    failure_t failure;
    assert(exports_echo_host_handler_conversation_method_session_on_message(opened, &line, &failure));
}

static void expect(const char *text) {
    assert(sent_length == strlen(text) && memcmp(sent, text, sent_length) == 0);
    sent_length = 0;
}

int main(void) {
    assert(open(NULL));
    message("one");
    message("two");
    expect("hello\n1 one\n2 two\n");

    // The next version continues to count.
    conversation_handler_list_u8_t saved;
    assert(exports_echo_host_handler_conversation_method_session_save(opened, &saved));
    assert(saved.len == 1 && saved.ptr[0] == '2');
    free(saved.ptr);
    exports_echo_host_handler_conversation_session_destructor(opened);
    assert(open("2"));
    message("three");
    assert(!closed);
    message("quit");
    expect("3 three\ngoodbye after 3 lines\n");
    assert(closed);
    exports_echo_host_handler_conversation_session_destructor(opened);
    assert(!open("another's"));
    return 0;
}
