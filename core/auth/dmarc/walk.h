/* The DNS Tree Walk (RFC 9989 4.10): from a domain up to its top label, at most eight questions. */
#pragma once

#include "core/auth/dmarc/record.h"
#include "dns/fact.h"

#define DMARC_WALK_MAX                                                                                       \
        8 /* questions; a longer name is asked for itself, and then from its last seven labels on */

/* What a walk has found. Names are ends of the one that it began with. */
struct dmarc_walk {
        struct span organisation; /* the Organizational Domain (4.10.2) */
        bool has_record;
        struct dmarc_record record; /* that of the organisation, or else of the public suffix (4.10.1) */
        struct span record_domain;
};

/* FOUND: the one record there; ABSENT: there is none, or more than one. */
enum fact dmarc_record_ask(struct span domain, struct memo *memo, struct dmarc_record *ret_record);
/* FOUND: *ret_walk is set, whether there were records or not. FAILED: an answer is not to be had on which it
 * depends. */
enum fact dmarc_walk(struct span domain, struct memo *memo, struct dmarc_walk *ret_walk);
