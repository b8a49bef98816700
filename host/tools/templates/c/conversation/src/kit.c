#include "kit.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A text for the duration of a call.
static handler_string_t lend(const char *text) {
    return (handler_string_t){(uint8_t *)text, strlen(text)};
}

// A copy of bytes as a string.
static char *copy(const uint8_t *bytes, size_t length) {
    char *text = malloc(length + 1);
    memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

void kit_send(kit_connection_t connection, const void *bytes, size_t length) {
    handler_list_u8_t list = {(uint8_t *)bytes, length};
    echo_host_handler_connections_method_connection_send(
        echo_host_handler_connections_borrow_connection(connection), &list);
}

void kit_send_line(kit_connection_t connection, const void *line, size_t length) {
    kit_send(connection, line, length);
    kit_send(connection, "\n", 1);
}

void kit_printf(kit_connection_t connection, const char *format, ...) {
    char text[1024];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    kit_send(connection, text, length < (int)sizeof text ? length : (int)sizeof text - 1);
}

bool kit_fail(kit_failure_t *failure, const char *kind, const char *reason) {
    handler_string_dup(&failure->kind, kind);
    handler_string_dup(&failure->reason, reason);
    return false;
}

// The length of the character of UTF-8 at the start of these bytes, or 0.
static size_t character(const uint8_t *bytes, size_t length) {
    uint8_t first = bytes[0];
    size_t size = first < 0x80   ? 1
                  : first < 0xc2 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf5 ? 4
                                 : 0;
    if (size > length) {
        return 0;
    }
    for (size_t at = 1; at < size; at++) {
        if ((bytes[at] & 0xc0) != 0x80) {
            return 0;
        }
    }
    // Longer forms of shorter characters, surrogates, and what is beyond Unicode.
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] >= 0xa0) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] >= 0x90)) {
        return 0;
    }
    return size;
}

bool kit_is_text(const handler_list_u8_t *message, kit_failure_t *failure) {
    for (size_t at = 0, size; at < message->len; at += size) {
        size = character(message->ptr + at, message->len - at);
        if (size == 0) {
            return kit_fail(failure, "protocol", "the message is not UTF-8");
        }
    }
    return true;
}

uint32_t kit_timer(const char *name) {
    uint32_t number = 0x811c9dc5;
    for (; *name != '\0'; name++) {
        number = (number ^ (uint8_t)*name) * 0x01000193;
    }
    return number | 0x80000000;
}

void kit_set_timer(kit_connection_t connection, const char *name, uint32_t delay_ms) {
    echo_host_handler_connections_method_connection_set_timer(
        echo_host_handler_connections_borrow_connection(connection), kit_timer(name), delay_ms);
}

void kit_cancel_timer(kit_connection_t connection, const char *name) {
    echo_host_handler_connections_method_connection_cancel_timer(
        echo_host_handler_connections_borrow_connection(connection), kit_timer(name));
}

char *kit_config(const char *name) {
    handler_string_t key = lend(name);
    handler_option_string_t value;
    wasi_config_store_error_t error;
    if (!wasi_config_store_get(&key, &value, &error)) {
        // The host has the values in its memory: it can always read them.
        abort();
    }
    if (!value.is_some) {
        return NULL;
    }
    char *text = copy(value.val.ptr, value.val.len);
    handler_string_free(&value.val);
    return text;
}

// Turns an error of the store into a failure.
static bool store_failed(wasi_keyvalue_store_error_t *error, kit_failure_t *failure) {
    if (error->tag != WASI_KEYVALUE_STORE_ERROR_OTHER) {
        return kit_fail(failure, "internal", "there is no such bucket, or no access to it");
    }
    handler_string_dup(&failure->kind, "internal");
    // The reason is the session's now.
    failure->reason = error->val.other;
    return false;
}

bool kit_open(const char *name, kit_bucket_t *bucket, kit_failure_t *failure) {
    handler_string_t identifier = lend(name);
    wasi_keyvalue_store_error_t error;
    return wasi_keyvalue_store_open(&identifier, bucket, &error) || store_failed(&error, failure);
}

void kit_close(kit_bucket_t bucket) {
    wasi_keyvalue_store_bucket_drop_own(bucket);
}

bool kit_get(kit_bucket_t bucket, const char *key, char **value, kit_failure_t *failure) {
    handler_string_t name = lend(key);
    handler_option_list_u8_t found;
    wasi_keyvalue_store_error_t error;
    if (!wasi_keyvalue_store_method_bucket_get(wasi_keyvalue_store_borrow_bucket(bucket), &name, &found, &error)) {
        return store_failed(&error, failure);
    }
    *value = found.is_some ? copy(found.val.ptr, found.val.len) : NULL;
    handler_option_list_u8_free(&found);
    return true;
}

bool kit_set(kit_bucket_t bucket, const char *key, const char *value, kit_failure_t *failure) {
    handler_string_t name = lend(key);
    handler_list_u8_t bytes = {(uint8_t *)value, strlen(value)};
    wasi_keyvalue_store_error_t error;
    return wasi_keyvalue_store_method_bucket_set(wasi_keyvalue_store_borrow_bucket(bucket), &name, &bytes, &error) ||
           store_failed(&error, failure);
}

bool kit_delete(kit_bucket_t bucket, const char *key, kit_failure_t *failure) {
    handler_string_t name = lend(key);
    wasi_keyvalue_store_error_t error;
    return wasi_keyvalue_store_method_bucket_delete(wasi_keyvalue_store_borrow_bucket(bucket), &name, &error) ||
           store_failed(&error, failure);
}

bool kit_increment(kit_bucket_t bucket, const char *key, int64_t by, int64_t *sum, kit_failure_t *failure) {
    handler_string_t name = lend(key);
    wasi_keyvalue_store_error_t error;
    return wasi_keyvalue_atomics_increment(wasi_keyvalue_store_borrow_bucket(bucket), &name, by, sum, &error) ||
           store_failed(&error, failure);
}
