#include "host.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool open(const char *saved) {
    handler_list_u8_t list;
    if (saved != NULL) {
        list = host_bytes(saved);
    }
    exports_echo_host_handler_conversation_own_connection_t connection = {1};
    exports_echo_host_handler_conversation_own_session_t opened;
    echo_host_handler_types_failure_t failure;
    bool good = exports_echo_host_handler_conversation_static_session_open(connection, saved ? &list : NULL, &opened,
                                                                           &failure);
    if (!good) {
        host_expect_failure(&failure, "internal");
    }
    return good;
}

static bool message(const char *text) {
    handler_list_u8_t line = host_bytes(text);
    echo_host_handler_types_failure_t failure;
    bool good = exports_echo_host_handler_conversation_method_session_on_message(host_session, &line, &failure);
    if (!good) {
        host_expect_failure(&failure, "protocol");
    }
    return good;
}

int main(void) {
    assert(open(NULL));
    assert(message("one"));
    assert(message("two"));
    host_expect("hello\n1 one\n2 two\n");
    // A line that is not text ends the session.
    assert(!message("\xff"));
    host_expect("");

    // The next version continues to count.
    handler_list_u8_t saved;
    assert(exports_echo_host_handler_conversation_method_session_save(host_session, &saved));
    assert(saved.len == 1 && saved.ptr[0] == '2');
    free(saved.ptr);
    exports_echo_host_handler_conversation_session_destructor(host_session);
    assert(open("2"));
    assert(message("three"));
    assert(!host_closed);
    assert(message("quit"));
    host_expect("3 three\ngoodbye after 3 lines\n");
    assert(host_closed);
    exports_echo_host_handler_conversation_session_destructor(host_session);
    assert(!open("another's"));
    return 0;
}
