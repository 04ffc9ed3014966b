/* Who wrote a message, for the log: all that reports of DMARC need (RFC 9990), where anybody wanted to know. */
#pragma once

#include "core/smtp/session.h"

void record_put_author(struct text *json, const struct session *session);
/* At the end of the transaction: by what the domain in From wants of a text that has failed. */
void record_count_author(const struct session *session);
