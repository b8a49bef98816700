// The settings and the store of unit tests, in memory.

#include "host.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { const char *name, *value; } settings[8];
// Values by bucket and key. Bucket 0 is free.
static struct { int32_t bucket; char key[64], value[256]; } values[16];
static char buckets[8][65];
static const char *broken;

void host_configure(const char *name, const char *value) {
    size_t at = 0;
    while (settings[at].name != NULL && strcmp(settings[at].name, name) != 0) {
        assert(++at < 8);
    }
    settings[at].name = name, settings[at].value = value;
}

void host_break_store(const char *reason) {
    broken = reason;
}

bool wasi_config_store_get(handler_string_t *key, handler_option_string_t *value, wasi_config_store_error_t *error) {
    (void)error;
    value->is_some = false;
    for (size_t at = 0; at < 8 && settings[at].name != NULL && !value->is_some; at++) {
        value->is_some = strlen(settings[at].name) == key->len && memcmp(settings[at].name, key->ptr, key->len) == 0;
        if (value->is_some) {
            handler_string_dup(&value->val, settings[at].value);
        }
    }
    return true;
}

static bool store_works(wasi_keyvalue_store_error_t *error) {
    if (broken != NULL) {
        error->tag = WASI_KEYVALUE_STORE_ERROR_OTHER;
        handler_string_dup(&error->val.other, broken);
    }
    return broken == NULL;
}

bool wasi_keyvalue_store_open(handler_string_t *name, wasi_keyvalue_store_own_bucket_t *bucket,
                              wasi_keyvalue_store_error_t *error) {
    if (name->len == 0 || name->len > 64 || memchr(name->ptr, ' ', name->len) != NULL) {
        error->tag = WASI_KEYVALUE_STORE_ERROR_NO_SUCH_STORE;
        return false;
    }
    int at = 0;
    while (buckets[at][0] != '\0' && (strlen(buckets[at]) != name->len || memcmp(buckets[at], name->ptr, name->len))) {
        assert(++at < 8);
    }
    memcpy(buckets[at], name->ptr, name->len);
    bucket->__handle = at + 1;
    return store_works(error);
}

void wasi_keyvalue_store_bucket_drop_own(wasi_keyvalue_store_own_bucket_t bucket) {
    (void)bucket;
}

wasi_keyvalue_store_borrow_bucket_t wasi_keyvalue_store_borrow_bucket(wasi_keyvalue_store_own_bucket_t bucket) {
    return (wasi_keyvalue_store_borrow_bucket_t){bucket.__handle};
}

// The place of a key, or a free one.
static size_t place(int32_t bucket, handler_string_t *key) {
    size_t unused = 16;
    for (size_t at = 0; at < 16; at++) {
        if (values[at].bucket == bucket && strlen(values[at].key) == key->len &&
            memcmp(values[at].key, key->ptr, key->len) == 0) {
            return at;
        }
        unused = values[at].bucket == 0 ? at : unused;
    }
    assert(unused < 16 && key->len < sizeof values->key);
    snprintf(values[unused].key, sizeof values->key, "%.*s", (int)key->len, key->ptr);
    return unused;
}

bool wasi_keyvalue_store_method_bucket_get(wasi_keyvalue_store_borrow_bucket_t self, handler_string_t *key,
                                           handler_option_list_u8_t *value, wasi_keyvalue_store_error_t *error) {
    if (!store_works(error)) {
        return false;
    }
    size_t at = place(self.__handle, key);
    value->is_some = values[at].bucket != 0;
    if (value->is_some) {
        value->val = host_bytes(values[at].value);
    }
    return true;
}

bool wasi_keyvalue_store_method_bucket_set(wasi_keyvalue_store_borrow_bucket_t self, handler_string_t *key,
                                           handler_list_u8_t *value, wasi_keyvalue_store_error_t *error) {
    if (!store_works(error)) {
        return false;
    }
    size_t at = place(self.__handle, key);
    assert(value->len < sizeof values->value);
    values[at].bucket = self.__handle;
    snprintf(values[at].value, sizeof values->value, "%.*s", (int)value->len, value->ptr);
    return true;
}

bool wasi_keyvalue_store_method_bucket_delete(wasi_keyvalue_store_borrow_bucket_t self, handler_string_t *key,
                                              wasi_keyvalue_store_error_t *error) {
    if (!store_works(error)) {
        return false;
    }
    values[place(self.__handle, key)].bucket = 0;
    return true;
}

bool wasi_keyvalue_atomics_increment(wasi_keyvalue_store_borrow_bucket_t self, handler_string_t *key, int64_t delta,
                                     int64_t *sum, wasi_keyvalue_store_error_t *error) {
    if (!store_works(error)) {
        return false;
    }
    size_t at = place(self.__handle, key);
    char *end = "";
    *sum = delta + (values[at].bucket == 0 ? 0 : strtoll(values[at].value, &end, 10));
    if (*end != '\0') {
        error->tag = WASI_KEYVALUE_STORE_ERROR_OTHER;
        handler_string_dup(&error->val.other, "the value is not a whole number");
        return false;
    }
    values[at].bucket = self.__handle;
    snprintf(values[at].value, sizeof values->value, "%lld", (long long)*sum);
    return true;
}
