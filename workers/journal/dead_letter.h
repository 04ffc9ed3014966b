/* Dead letters: mail that could not be delivered, in a Maildir for people to look at. */
#pragma once

#include "core/mail/message.h"
#include "workers/deliver/maildir.h"
#include "workers/journal/disk/format.h"

/* Writes the message, for those recipients that are dead now and were not `before`, durably; what went wrong stands in
 * fields of its header. It blocks on the disk. False with errno. */
bool dead_letter_write(const char *mailbox, struct mail_namer *namer, struct content_pool *pool,
                       const struct journal_message *message, const struct content *content,
                       const uint8_t *states, const uint8_t *before, const char *reason);
