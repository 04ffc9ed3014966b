/* The first part of gatepost explain: what each check says of a client and an envelope. */
#pragma once

#include "core/base/domain_name.h"
#include "core/check/memory.h"
#include "core/mail/message.h"
#include "workers/cli/explain/dialogue.h"

enum row_kind {
        ROW_NONE, /* nothing can be said without a session; shown only where it decides */
        ROW_RUN,
        ROW_RULE,   /* about the recipient */
        ROW_LIMITS, /* of client_rate */
        ROW_OFF,
        ROW_NO_RESOLVERS,
        ROW_NO_STORE,
        ROW_NO_MESSAGE,
};

struct row {
        enum row_kind kind;
        struct verdict verdict; /* ROW_RUN */
        double us;
};

/* It is about the last recipient, under the settings of its domain; those before it count as accepted. */
struct table {
        const struct question *question;
        struct arena arena;
        struct memo memo;
        struct sender_memo senders;
        struct check_memory memory;
        struct facts facts;
        struct recipient recipients[EXPLAIN_RECIPIENTS_MAX];
        const struct domain *domain; /* NULL: none of ours */
        bool is_known;
        struct text mailbox;
        char sender_octets[512], domain_octets[DOMAIN_NAME_MAX], mailbox_octets[DOMAIN_NAME_MAX];
        struct row rows[CHECK_COUNT];
};

/* Runs the checks, and waits for all answers that they have asked for. */
void table_run(struct table *table, const struct question *question, const struct snapshot *snapshot,
               struct session_host *host, struct cli_dns *dns);
/* `deciding`: the name of the check whose row is marked, or NULL. */
void table_print(const struct table *table, const char *deciding);
void table_end(struct table *table);
