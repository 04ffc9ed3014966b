/* What a mail of the log adds to a report of DMARC: lines for sort(1), of fields with a tab between them. In no field
 * is a tab or the end of a line, and what goes into XML is escaped for it. */
#pragma once

#include "core/base/text.h"

#include <jansson.h>

#define ENTRY_MAX      16384 /* octets of a line */
#define ENTRY_URIS_MAX 8     /* of rua= */

enum entry_result {
        ENTRY_TAKEN,
        ENTRY_WITHOUT_POLICY, /* the domain in From has no record, or there is no such domain */
        ENTRY_UNWANTED,       /* the policy names nobody who gets reports */
        ENTRY_UNFINISHED,     /* neither taken nor refused: it comes again */
        ENTRY_UNTOLD,         /* the log does not have the policy: it is too long, or the log is too old */
        ENTRY_HIDDEN,         /* the client is a pseudonym */
        ENTRY_DAMAGED,        /* something is no value of ours */
        ENTRY_RESULTS,
};

/* The fields of `row`; behind them those of the signatures. */
enum entry_field {
        ENTRY_DOMAIN, /* whose policy it is: the first field of all lines */
        ENTRY_SOURCE,
        ENTRY_DISPOSITION,
        ENTRY_DKIM,
        ENTRY_SPF,
        ENTRY_REASON, /* empty: none */
        ENTRY_COMMENT,
        ENTRY_HEADER_FROM,
        ENTRY_ENVELOPE_FROM,
        ENTRY_SPF_RESULT, /* of the domain before; empty: none */
        ENTRY_FIELDS,
};

/* Of each signature. */
enum entry_signature { ENTRY_D, ENTRY_SELECTOR, ENTRY_RESULT, ENTRY_WHY, ENTRY_SIGNATURE_FIELDS };

/* The fields of `policy`. The second one sorts before all rows, and by time. */
enum entry_policy {
        ENTRY_POLICY_DOMAIN,
        ENTRY_POLICY_TIME, /* behind '!' */
        ENTRY_P,
        ENTRY_SP,
        ENTRY_NP,
        ENTRY_FO,
        ENTRY_ADKIM,
        ENTRY_ASPF,
        ENTRY_TESTING,
        ENTRY_RUA, /* URIs with commas between them, ENTRY_URIS_MAX at most; not escaped */
        ENTRY_POLICY_FIELDS,
};

struct entry {
        struct text policy, row; /* without the end of the line */
        char policy_octets[ENTRY_MAX], row_octets[ENTRY_MAX];
};

/* `session` is a line of the log, and `transaction` is one of its. Sets ret_entry->policy for ENTRY_TAKEN and
 * ENTRY_UNWANTED, and the row for ENTRY_TAKEN. */
enum entry_result entry_read(const json_t *session, const json_t *transaction, struct entry *ret_entry);
/* Cuts the next field off the line. */
struct span entry_field_next(struct span *rest);
