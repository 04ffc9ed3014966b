/* What filters want changed of an envelope, while they are asked about the text. */
#pragma once

#include "core/smtp/session.h"

/* Why an edit is left out, a constant; NULL: it is done. Addresses have no brackets. */
const char *session_edit_add_recipient(struct session *session, struct span address);
const char *session_edit_delete_recipient(struct session *session, struct span address);
const char *session_edit_sender(struct session *session, struct span address);
