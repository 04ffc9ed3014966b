/* Lookups in DNS lists (RFC 5782), for the checks that use their answers. */
#pragma once

#include "core/check/check.h"

#include <stdatomic.h>

enum zone_state { ZONE_SILENT, ZONE_LISTS, ZONE_IN_ERROR, ZONE_FAILED, ZONE_PENDING };

#define DNSBL_EVIDENCE_MAX 512

/* The zones that list somebody, added up: those that count, and all, suspended ones too. */
struct dnsbl_tally {
        int64_t score, score_of_all;
        int64_t missing_for,
            missing_against; /* the weights of blocklists and of allowlists that DNS failed */
        bool is_pending;
        const struct dnsbl_zone *first, *first_of_all; /* the first blocklist that lists */
        const struct dnsbl_zone *missing;              /* the first zone that DNS failed */
        struct text evidence;
};

static inline bool zone_is_suspended(const struct dnsbl_zone *zone)
{
        return atomic_load_explicit(&zone->is_suspended, memory_order_relaxed);
}

/* Asks the zone for the subjects, reversed addresses or names, and adds its weight, once, when it lists one
 * of them. */
void dnsbl_count(const struct facts *facts, const struct dnsbl_zone *zone, const struct span *subjects,
                 size_t subject_count, struct dnsbl_tally *tally);
/* REFUSE when the score reaches the threshold. With ACTION_DEFER, DEFER where a zone that DNS failed could
 * have changed that. Where only suspended zones make the score reach it, the verdict only observes. The
 * caller has set the reply of a refusal. */
enum verdict_result dnsbl_judge(const struct facts *facts, const struct dnsbl_tally *tally,
                                enum failure_action on_failure, enum reply_id unsure,
                                struct verdict *verdict);

/* What a zone that lists addresses says of the client. `is_dynamic`: it says that the address is a dynamic
 * one. */
enum zone_state dnsbl_ask_client(const struct facts *facts, const struct dnsbl_zone *zone,
                                 bool *ret_is_dynamic, const struct dns_answer **ret_answer);
/* Adds up what the zones that list addresses say of the client. The tally's evidence is the caller's to
 * give. */
void dnsbl_count_client(const struct facts *facts, struct dnsbl_tally *tally);
