/* Who wrote the message of a transaction, for all who want to know: read once, while the text comes, and evaluated
 * once. */
#pragma once

#include "core/auth/dmarc/dmarc.h"
#include "core/auth/reader.h"
#include "core/check/check.h"
#include "core/check/spf/evaluate.h"

struct authorship {
        struct auth_reader reader;
        /* What it came to. */
        bool is_judged;      /* nothing is waited for any more */
        enum spf_result spf; /* of MAIL FROM, or of HELO for the null sender; NONE where it does not count */
        struct dmarc_author author;
        struct dmarc_verdict dmarc;
        struct span
            sealer; /* of ARC, for whose word a failure of DMARC counts for nothing; empty: there is none */
};

/* At DATA, and whether a check of these, a bit mask, needs it: one that judges by DMARC, or SPF that has failed and
 * leaves its refusal to DMARC. */
bool authorship_is_needed(const struct facts *facts, uint64_t checks);
/* What reads the text, from its first octet on, as the client sends it. NULL when memory is out. */
struct auth_reader *authorship_begin(const struct facts *facts);
/* The header has been read: questions go out while the text comes. */
void authorship_ask(const struct facts *facts);
/* At the end of the text, as often as answers come. NULL where nobody has read it. */
const struct authorship *authorship_judge(const struct facts *facts);
/* The same without a question or a look. */
const struct authorship *authorship_find(const struct facts *facts);
/* The failure counts: no sealer speaks against it. */
static inline bool authorship_has_failed(const struct authorship *authorship)
{
        return authorship->dmarc.result == AUTH_FAIL && authorship->sealer.length == 0;
}
/* What the domain in From asks for, as far as it counts. */
static inline enum dmarc_policy authorship_disposition(const struct authorship *authorship)
{
        return authorship_has_failed(authorship) ? authorship->dmarc.disposition : DMARC_POLICY_NONE;
}
/* A verdict on the text that says what DMARC wants in quarantine does not refuse it for this domain. */
static inline bool authorship_leaves(const struct verdict *verdict, const struct domain *domain)
{
        return verdict->is_quarantine && domain->options.dmarc_quarantine != QUARANTINE_REFUSES;
}
/* What was found, in words for people: "From example.com, policy reject; dkim none; spf fail of sender.example". In
 * the facts' arena. */
struct span authorship_evidence(const struct facts *facts, const struct authorship *authorship);
