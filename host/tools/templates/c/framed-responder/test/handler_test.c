#include "framed_responder.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void framed_responder_list_u8_free(framed_responder_list_u8_t *list) {
    free(list->ptr);
}

static void expect(const char *line, const char *expected) {
    framed_responder_list_u8_t message = {(uint8_t *)strdup(line), strlen(line)}, reply;
    exports_framed_responder_respond(&message, &reply);
    assert(reply.len == strlen(expected) && memcmp(reply.ptr, expected, reply.len) == 0);
    free(reply.ptr);
}

int main(void) {
    expect("hello", "olleh\n");
    expect("", "\n");
    expect("naïve €5", "5€ evïan\n");

    exports_echo_host_handler_manifest_about_t about;
    exports_echo_host_handler_manifest_describe(&about);
    assert(about.framing.len == 5 && memcmp(about.framing.ptr, "lines", 5) == 0);
    return 0;
}
