#include "responder.h"
#include <assert.h>

int main(void) {
    uint8_t bytes[] = {0, 255, 128};
    responder_list_u8_t message = {bytes, sizeof bytes}, reply;
    exports_responder_respond(&message, &reply);
    assert(reply.ptr == bytes && reply.len == sizeof bytes);
    return 0;
}
