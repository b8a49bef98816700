// Stands in for the host in unit tests, and for the bindings.

#ifndef HOST_H
#define HOST_H

#include "handler.h"

// The session that was opened last, and whether its connection is closed.
extern exports_echo_host_handler_conversation_session_t *host_session;
extern bool host_closed;

// A list that its receiver frees.
handler_list_u8_t host_bytes(const char *text);

// Asserts what was sent since the last call.
void host_expect(const char *text);

// Asserts the failure's kind, and frees it.
void host_expect_failure(echo_host_handler_types_failure_t *failure, const char *kind);

// The delay in milliseconds of the timer with this number, or -1 if it is not set.
int64_t host_timer(uint32_t id);

// Gives the handler a setting.
void host_configure(const char *name, const char *value);

// Lets every operation of the store fail with this reason, or succeed again if it is NULL.
void host_break_store(const char *reason);

#endif
