/* DMARC Policy Records (RFC 9989 4.7, 4.8). */
#pragma once

#include "core/base/text.h"

#define DMARC_RECORD_MAX 4096 /* octets; a longer one is none */

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };

enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

/* Of fo=, as bits. */
enum dmarc_failures {
        DMARC_FAILURES_ALL = 1,  /* "0" */
        DMARC_FAILURES_ANY = 2,  /* "1" */
        DMARC_FAILURES_DKIM = 4, /* "d" */
        DMARC_FAILURES_SPF = 8,  /* "s" */
};

/* Spans are of the record. */
struct dmarc_record {
        struct span text; /* all of it */
        enum dmarc_policy domain, subdomains,
            nonexistent; /* p=, sp=, np=, each with what stands for it if absent */
        bool has_nonexistent;
        bool dkim_is_strict, spf_is_strict;
        bool is_testing;  /* t=y */
        bool is_unusable; /* 4.10.1: a policy is not valid, and nobody would be told: DMARC does not apply */
        enum dmarc_psd psd;
        uint8_t failures;     /* enum dmarc_failures; 0 without ruf= */
        struct span rua, ruf; /* lists of URIs, as written */
};

/* True for a record: its first tag is "v=DMARC1". Then *ret_record is set; what is wrong in it is passed over. */
bool dmarc_record_read(struct span text, struct dmarc_record *ret_record);
/* Cuts the next URI that is well-formed off a list, without the obsolete size behind "!". False: there is none. */
bool dmarc_uri_next(struct span *list, struct span *ret_uri);
/* "none", "quarantine", "reject". */
const char *dmarc_policy_name(enum dmarc_policy policy);
