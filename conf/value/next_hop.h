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
#define NEXT_HOPS_TEXT_MAX      (NEXT_HOPS_MAX * (NEXT_HOP_TEXT_MAX + 60)) /* with settings and blanks */

enum __attribute__((packed)) hop_protocol { HOP_LMTP, HOP_SMTP };

enum next_hop_kind { NEXT_HOP_AT_ADDRESS, NEXT_HOP_AT_NAME, NEXT_HOP_AT_PATH };

/* What may stand behind a next hop. */
enum next_hop_setting {
        NEXT_HOP_WEIGHT,
        NEXT_HOP_TLS,
        NEXT_HOP_NAMING,
        NEXT_HOP_CONNECTIONS_MAX,
        NEXT_HOP_SETTINGS
};

struct next_hop {
        enum hop_protocol protocol;
        enum next_hop_kind kind;
        struct endpoint endpoint; /* AT_NAME: its port alone */
        const char *name;         /* AT_NAME: A-labels in lower case; AT_PATH: absolute; else NULL */
        uint32_t weight; /* its share among the others; 0: mail goes there only while no other takes any */
        /* Those whose bit is not set in `given` are as the section next_hops says. */
        enum hop_starttls starttls;
        enum hop_naming naming;
        uint32_t connections_max;
        uint32_t given; /* bits, by enum next_hop_setting */
};

struct next_hop_list {
        struct next_hop *hops;
        size_t count;
};

/* The text begins as a next hop does, whatever is wrong with the rest. */
bool next_hops_are_meant(struct span text);
/* Reads "lmtp://HOST:PORT", "smtp://HOST:PORT" and "lmtp:unix:PATH", one or more with blanks between them, where behind
 * each may stand "weight=N", which is 1 otherwise, "tls=", "naming=" and "connections_max=N". HOST is an address, as
 * in other endpoints, or a domain name. A relative PATH begins in `directory`; it has no blanks. On failure the field
 * is as before, and the reason is in *ret_error. */
bool next_hops_set(struct span text, struct next_hop_list *field, struct arena *memory, const char *directory,
                   struct text *ret_error);
static inline bool next_hop_gives(const struct next_hop *hop, enum next_hop_setting setting)
{
        return (hop->given >> setting & 1) != 0;
}
/* What holds for it, where the section says `usual`. What goes to a unix socket no network sees. */
static inline enum hop_starttls next_hop_starttls(const struct next_hop *hop, enum hop_starttls usual)
{
        if (hop->kind == NEXT_HOP_AT_PATH)
                return HOP_STARTTLS_NONE;
        return next_hop_gives(hop, NEXT_HOP_TLS) ? hop->starttls : usual;
}
/* Where the domain's mail may go: first as it says itself, then as is said of single recipients. NULL: there are no
 * more. */
static inline const struct deliver_target *domain_deliver_at(const struct domain *domain, size_t number)
{
        if (number == 0)
                return &domain->deliver;
        bool is_there = domain->sets != NULL && number <= domain->sets->count;
        return is_there ? &domain->sets->sets[number - 1].deliver : NULL;
}
/* The same next hop, and the same is said of it but for its weight. */
bool next_hop_equals(const struct next_hop *left, const struct next_hop *right);
/* The same next hops with the same settings, in the same order. */
bool next_hops_are_same(const struct next_hop_list *left, const struct next_hop_list *right);
/* "lmtp://192.0.2.1:24", without what stands behind it. */
void next_hop_write(struct text *text, const struct next_hop *hop);
/* Writes the same, with a terminator. */
void next_hop_write_string(const struct next_hop *hop, char ret_text[static NEXT_HOP_TEXT_MAX + 1]);
/* The same text, with weights that are not 1. */
void next_hops_write(struct text *text, const struct next_hop_list *list);
