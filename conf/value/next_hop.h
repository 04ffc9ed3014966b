/* Next hops as text: where mail is handed on to. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/domain_name.h"

#define NEXT_HOPS_MAX           16 /* of one list */
#define NEXT_HOP_WEIGHT_MAX     100
#define NEXT_HOP_RECIPIENTS_MAX 1024 /* of one transaction with it */
#define NEXT_HOP_PATH_MAX       107  /* of a unix socket, as the system takes it */
#define NEXT_HOP_TEXT_MAX       (20 + DOMAIN_NAME_MAX)
#define NEXT_HOPS_JOURNAL_MAX   1023 /* octets of a list's text that the journal keeps */
#define NEXT_HOPS_TEXT_MAX      (NEXT_HOPS_MAX * (NEXT_HOP_TEXT_MAX + 12)) /* with weights and blanks */

enum __attribute__((packed)) hop_protocol { HOP_LMTP, HOP_SMTP };

enum next_hop_kind { NEXT_HOP_AT_ADDRESS, NEXT_HOP_AT_NAME, NEXT_HOP_AT_PATH };

struct next_hop {
        enum hop_protocol protocol;
        enum next_hop_kind kind;
        struct endpoint endpoint; /* AT_NAME: its port alone */
        const char *name;         /* AT_NAME: A-labels in lower case; AT_PATH: absolute; else NULL */
        uint32_t weight; /* its share among the others; 0: mail goes there only while no other takes any */
};

struct next_hop_list {
        struct next_hop *hops;
        size_t count;
};

/* The text begins as a next hop does, whatever is wrong with the rest. */
bool next_hops_are_meant(struct span text);
/* Reads "lmtp://HOST:PORT", "smtp://HOST:PORT" and "lmtp:unix:PATH", one or more with blanks between them, where behind
 * each may stand "weight=N"; without that it is 1. HOST is an address, as in other endpoints, or a domain name. A
 * relative PATH begins in `directory`; it has no blanks. On failure the field is as before, and the reason is in
 * *ret_error. */
bool next_hops_set(struct span text, struct next_hop_list *field, struct arena *memory, const char *directory,
                   struct text *ret_error);
/* The same next hops with the same weights, in the same order. */
bool next_hops_are_same(const struct next_hop_list *left, const struct next_hop_list *right);
/* The same text of one, without its weight. */
void next_hop_write(struct text *text, const struct next_hop *hop);
/* The same text, with weights that are not 1. */
void next_hops_write(struct text *text, const struct next_hop_list *list);
