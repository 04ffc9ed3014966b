/* DMARC (RFC 9989): whether one that is authenticated has the domain of From, and what its owner asks for if not. */
#pragma once

#include "core/auth/dkim.h"
#include "core/auth/dmarc/author.h"
#include "core/auth/dmarc/walk.h"

struct dmarc_request {
        const struct dmarc_author *author;
        const struct dkim *dkim; /* judged */
        enum auth_result spf;    /* of MAIL FROM alone; HELO counts for nothing here (4.4.2) */
        struct span spf_domain;  /* of MAIL FROM, in any form */
};

struct dmarc_verdict {
        enum auth_result result; /* NONE, PASS, FAIL, TEMPERROR, PERMERROR or WAIT */
        const char *reason;      /* of what is no pass; "" else */
        bool has_record;
        struct dmarc_record record;    /* which lives as long as the memo */
        struct span record_domain;     /* part of the author's domain */
        struct span organisation;      /* the same; empty: nobody had to know */
        enum dmarc_policy published;   /* which of p=, sp=, np= applies */
        enum dmarc_policy policy;      /* the same one lower with t=y */
        enum dmarc_policy disposition; /* what the owner asks for now: that of `policy` for FAIL, else none */
        bool dkim_is_aligned, spf_is_aligned;
};

/* AUTH_WAIT: call again when the memo has an answer. Questions: at most eight for the author's domain, eight for each
 * identifier within its organisation, and three for np=. */
void dmarc_evaluate(const struct dmarc_request *request, struct memo *memo,
                    struct dmarc_verdict *ret_verdict);
