/* The second part of gatepost explain: what a session would be answered. */
#pragma once

#include "core/smtp/session.h"
#include "workers/cli/dns.h"
#include "workers/cli/explain/made_up/given.h"

#include <stdio.h>

#define EXPLAIN_RECIPIENTS_MAX 16

struct question {
        const char *configuration;
        struct address client;
        const char *helo, *sender;
        const char *recipients[EXPLAIN_RECIPIENTS_MAX];
        size_t recipient_count;
        char *message; /* NULL: none was given */
        size_t message_length;
        struct endpoint listener; /* port 0: none in particular */
        bool speaks_tls;
        bool wants_no_dns; /* what is not given has failed */
        struct given given;
};

/* Plays a session and prints it to `out`; its line of the log is in host->log then. True when the message would be
 * stored. */
bool explain_dialogue(const struct question *question, const struct snapshot *snapshot,
                      struct session_host *host, struct cli_dns *dns, FILE *out);
