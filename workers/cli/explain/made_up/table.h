/* The first part of what explain tells of a made-up session: what each check says of a client and an envelope. */
#pragma once

#include "core/base/domain_name.h"
#include "core/check/authorship.h"
#include "core/check/memory.h"
#include "core/mail/message.h"
#include "workers/cli/explain/made_up/dialogue.h"
#include "workers/cli/explain/made_up/sight.h"

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
        struct sight sight;     /* the same */
        double us;
};

/* What the tables of all recipients share. */
struct scene {
        const struct question *question;
        const struct snapshot *snapshot;
        struct session_host *host;
        struct cli_dns *dns;
        struct arena arena;
        struct memo memo; /* of all checks */
};

/* It is about one recipient, under the settings of its domain; those before it count as accepted. */
struct table {
        const struct scene *scene;
        const char *recipient; /* NULL: there is none */
        struct sender_memo senders;
        struct check_memory memory;
        struct facts facts;
        struct recipient recipients[EXPLAIN_RECIPIENTS_MAX];
        const struct domain *domain; /* NULL: none of ours */
        const struct recipient_settings *settings;
        struct check_setting checks[CHECK_COUNT]; /* where it has settings of its own */
        bool is_known;
        bool is_unreadable; /* whether it is known could not be found out */
        bool is_postmaster;
        struct text mailbox;
        char sender_octets[512], domain_octets[DOMAIN_NAME_MAX], mailbox_octets[DOMAIN_NAME_MAX];
        struct row rows[CHECK_COUNT];
};

void scene_begin(struct scene *scene, const struct question *question, const struct snapshot *snapshot,
                 struct session_host *host, struct cli_dns *dns);
void scene_end(struct scene *scene);
/* All answers that the checks have asked for, in lines. */
void scene_print(const struct scene *scene);

/* Runs the checks for the recipient with this number, and waits for all answers that they have asked for. The scene
 * outlives the table. */
void table_run(struct table *table, struct scene *scene, size_t recipient);
/* One for each check, of the recipient or of its domain. */
const struct check_setting *table_settings(const struct table *table);
/* Why no check counts for this recipient, in half a sentence about it or the client; NULL: they do. */
const char *table_exemption(const struct table *table);
/* "pass" or the like, and "mark" for a mark of quarantine; "-" for what has not run. */
const char *table_result(const struct table *table, enum check_id check);
/* It is DMARC's, and does not refuse the mail but have it marked, or nothing done about it. */
static inline bool table_leaves(const struct table *table, enum check_id check)
{
        return table->rows[check].kind == ROW_RUN && table->domain != NULL &&
               authorship_leaves(&table->rows[check].verdict, table->domain);
}
/* Appends what is known of a check that has not run, and of the recipient. */
void table_put_note(const struct table *table, enum check_id check, struct text *text);
/* Prints from where the mode is: "(FILE:LINE)", "(default)" or "(a rule)". */
void table_print_place(const struct table *table, enum check_id check);
/* The mode that counts for the check. */
const char *table_mode(const struct table *table, enum check_id check);
/* `deciding`: the name of the check whose row is marked, or NULL. */
void table_print(const struct table *table, const char *deciding);
