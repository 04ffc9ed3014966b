/* The grammar of SPF records (RFC 7208 4.5, 4.6.1, 5, 6, 12), complete and with bounds. */
#pragma once

#include "core/base/address.h"
#include "core/check/spf/evaluate.h"

#define SPF_RECORD_MAX      4096 /* octets */
#define SPF_TERM_MAX        512  /* octets */
#define SPF_TERM_MACROS_MAX 40

enum spf_term_kind {
        SPF_TERM_ALL,
        SPF_TERM_INCLUDE,
        SPF_TERM_A,
        SPF_TERM_MX,
        SPF_TERM_PTR,
        SPF_TERM_IP4,
        SPF_TERM_IP6,
        SPF_TERM_EXISTS,
        /* modifiers */
        SPF_TERM_REDIRECT,
        SPF_TERM_EXPLANATION,
        SPF_TERM_UNKNOWN,
};

struct spf_term {
        struct span text; /* as written */
        enum spf_term_kind kind;
        enum spf_result qualifier; /* what a match means */
        struct span domain_spec;   /* empty: the current domain */
        struct address network;    /* of ip4 and ip6; host bits as written */
        uint8_t prefix4, prefix6;  /* cidr-lengths, 32 and 128 when absent */
};

/* "v=spf1" and then a space or nothing. */
bool spf_record_is_version1(struct span record);
/* Domain-specs; empty: absent. */
struct spf_modifiers {
        struct span redirect, explanation;
};

/* Of a version 1 record: NULL when it obeys the grammar and the bounds, else what is wrong, with the term at
 * fault. */
const char *spf_record_check(struct span record, struct spf_modifiers *ret_modifiers, struct span *ret_term);
/* The terms, without the version. */
struct span spf_record_terms(struct span record);
/* The next term of a valid record; false at the end. */
bool spf_term_next(struct span *rest, struct spf_term *ret_term);
