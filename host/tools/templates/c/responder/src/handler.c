// Replies to each message with the message itself.

#include "responder.h"

// Computes the reply to one message, which is what one read returned. The handler frees the
// message; the bindings free the reply. An echo returns the message as the reply.
void exports_responder_respond(responder_list_u8_t *message, responder_list_u8_t *reply) {
    *reply = *message;
}
