// Answers each message with the message itself.

#include "responder.h"

// Computes the reply to one message, which is whatever one read returned. The message is ours to free, and what is
// returned is freed when it was written: an echo hands it on.
void exports_responder_respond(responder_list_u8_t *message, responder_list_u8_t *reply) {
    *reply = *message;
}
