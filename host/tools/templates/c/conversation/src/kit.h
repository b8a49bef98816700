// What most conversations need: lines, text, timers with names, settings, and values that outlive
// an instance. In unit tests, test/host.c stands in for the host.

#ifndef KIT_H
#define KIT_H

#include "handler.h"

typedef echo_host_handler_connections_own_connection_t kit_connection_t;
typedef exports_echo_host_handler_conversation_failure_t kit_failure_t;

// Sends bytes unchanged.
void kit_send(kit_connection_t connection, const void *bytes, size_t length);

// Sends a line: the bytes and a line feed.
void kit_send_line(kit_connection_t connection, const void *line, size_t length);

// Sends formatted text of up to 1023 bytes; longer text is cut.
__attribute__((format(printf, 2, 3))) void kit_printf(kit_connection_t connection, const char *format, ...);

// Fills in why the session ends, and returns false: `return kit_fail(failure, "refused", "busy");`
bool kit_fail(kit_failure_t *failure, const char *kind, const char *reason);

// Whether a message is UTF-8. If not, the client broke the protocol, and the failure says so.
bool kit_is_text(const handler_list_u8_t *message, kit_failure_t *failure);

// The number of the timer with this name, to compare in on_timer: the 32-bit FNV-1a hash of the
// name with the highest bit set, in the kits of all languages. So the next version of a handler
// knows the timers of the previous one.
uint32_t kit_timer(const char *name);

// Requests one on_timer with kit_timer(name), also in the next version of the handler. Replaces the
// timer with this name if it has not fired.
void kit_set_timer(kit_connection_t connection, const char *name, uint32_t delay_ms);

// Cancels the timer with this name, if it is set.
void kit_cancel_timer(kit_connection_t connection, const char *name);

// The value that the operator gave with --config-value NAME=VALUE, or NULL. The caller frees it.
char *kit_config(const char *name);

// A bucket: a set of keys with their values, in the host's memory or in Redis, where other
// instances and versions of the handler find them. Operations take effect at once, also in a
// callback that fails afterwards. Each returns false if it fails, with an `internal` failure.
typedef wasi_keyvalue_store_own_bucket_t kit_bucket_t;

// Opens a bucket. The host has one for each name of up to 64 letters, digits, -, _ and dots.
bool kit_open(const char *name, kit_bucket_t *bucket, kit_failure_t *failure);

// Frees the bucket's handle. Its values stay.
void kit_close(kit_bucket_t bucket);

// Sets *value to the value of a key as a string, or to NULL if it has none. The caller frees it.
bool kit_get(kit_bucket_t bucket, const char *key, char **value, kit_failure_t *failure);

// Sets the value of a key.
bool kit_set(kit_bucket_t bucket, const char *key, const char *value, kit_failure_t *failure);

// Deletes a key and its value. Does nothing if the key has none.
bool kit_delete(kit_bucket_t bucket, const char *key, kit_failure_t *failure);

// Adds to a value that is a decimal number, and sets *sum. A missing value counts as 0. No other
// instance can interfere.
bool kit_increment(kit_bucket_t bucket, const char *key, int64_t by, int64_t *sum, kit_failure_t *failure);

#endif
