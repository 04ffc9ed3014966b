/* What must hold of a session at its end. */
#pragma once

#include "tests/dialogue/harness.h"

struct span script_take_line(struct span *rest);
/* How often `part` is in it. */
unsigned script_count(struct span whole, struct span part);

/* Whole lines of three digits and printable text. */
void session_check_replies(struct span said);
/* Whole lines of JSON. */
void session_check_log(const struct harness *harness);
/* What was answered 250 was stored or discarded, and nothing in it could smuggle. */
void session_check_stored(const struct harness *harness);
/* A handshake begins with 220 and comes to one end at most. */
void session_check_tls(const struct harness *harness);
