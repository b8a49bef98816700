#include "host.h"
#include "kit.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const kit_connection_t connection = {1};

static void lines_end(void) {
    kit_send_line(connection, "naïve €5", 11);
    kit_printf(connection, "%d of %s\n", 2, "many");
    host_expect("naïve €5\n2 of many\n");
    // Longer text is cut.
    char expected[1024] = "";
    memset(expected, '0', sizeof expected - 1);
    kit_printf(connection, "%02000d", 0);
    host_expect(expected);
}

static bool is_text(const char *text) {
    handler_list_u8_t message = {(uint8_t *)text, strlen(text)};
    kit_failure_t failure;
    bool is = kit_is_text(&message, &failure);
    if (!is) {
        host_expect_failure(&failure, "protocol");
    }
    return is;
}

static void only_utf8_is_text(void) {
    assert(is_text("") && is_text("naïve €5 😀 \xf4\x8f\xbf\xbf"));
    const char *bad[] = {"\xff",     "caf\xe9",      "\x80",         "\xc0\xaf",        "\xe0\x80\xaf",
                         "\xe2\x82", "\xed\xa0\x80", "\xe2\x28\xa1", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80"};
    for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
        assert(!is_text(bad[at]));
    }
}

static void timers_have_names(void) {
    // The same in all languages.
    assert(kit_timer("reminder") == 0xb994c98f);
    assert(kit_timer("") == 0x811c9dc5);
    assert(kit_timer("a") == 0xe40c292c);
    kit_set_timer(connection, "reminder", 1500);
    assert(host_timer(kit_timer("reminder")) == 1500);
    kit_cancel_timer(connection, "reminder");
    assert(host_timer(kit_timer("reminder")) == -1);
}

static void settings_are_those_of_the_test(void) {
    assert(kit_config("greeting") == NULL);
    host_configure("greeting", "hello");
    char *greeting = kit_config("greeting");
    assert(strcmp(greeting, "hello") == 0);
    free(greeting);
}

static void values_are_kept_by_bucket_and_key(void) {
    kit_bucket_t visits, other;
    kit_failure_t failure;
    assert(kit_open("visits", &visits, &failure) && kit_open("other", &other, &failure));
    assert(kit_set(visits, "colour", "blue", &failure) && kit_set(visits, "colour", "red", &failure));
    char *value;
    assert(kit_get(visits, "colour", &value, &failure) && strcmp(value, "red") == 0);
    free(value);
    assert(kit_get(other, "colour", &value, &failure) && value == NULL);
    assert(kit_delete(visits, "colour", &failure));
    assert(kit_get(visits, "colour", &value, &failure) && value == NULL);

    int64_t sum;
    assert(kit_increment(visits, "ada", 1, &sum, &failure) && sum == 1);
    assert(kit_increment(visits, "ada", -3, &sum, &failure) && sum == -2);
    assert(kit_set(visits, "ada", "many", &failure));
    assert(!kit_increment(visits, "ada", 1, &sum, &failure));
    host_expect_failure(&failure, "internal");

    assert(!kit_open("no such name", &other, &failure));
    host_expect_failure(&failure, "internal");
    host_break_store("Redis does not respond");
    assert(!kit_get(visits, "ada", &value, &failure));
    host_expect_failure(&failure, "internal");
    host_break_store(NULL);
    kit_close(visits);
}

int main(void) {
    lines_end();
    only_utf8_is_text();
    timers_have_names();
    settings_are_those_of_the_test();
    values_are_kept_by_bucket_and_key();
    return 0;
}
