/* Our domains, who lives in them, and where their mail goes. */
#pragma once

#include "workers/cli/import/rules/rules.h"

/* In the order in which Postfix asks, whose first one counts for a domain. */
enum domain_class { CLASS_LOCAL, CLASS_ALIAS, CLASS_MAILBOX, CLASS_RELAY, CLASSES };

struct import_person {
        struct import_person *next;
        struct span local, deliver; /* an empty `deliver`: as the domain's */
        struct span path;           /* of virtual_mailbox_maps */
        struct span normal;         /* the local part as mailboxes are compared, when files are written */
        size_t order;
        const struct import_refusal *refusal; /* by an access table; NULL: none */
};

struct import_domain {
        struct import_domain *next, *next_in_bucket;
        struct span name, origin, deliver, deliver_origin;
        enum domain_class class;
        struct import_person *people, **people_end;
        size_t count;
        bool is_unsure;     /* not everybody's name can be read here */
        bool needs_postfix; /* there are aliases that cannot be read */
};

#define DOMAIN_BUCKETS 4096

struct import_domains {
        struct import_domain *first, **end, *buckets[DOMAIN_BUCKETS];
        size_t count[CLASSES];
        struct report_list *report;
};

void domains_translate(struct import *import);
struct import_domain *domains_find(const struct import_domains *domains, struct span name);
/* A row of the report about a setting. */
void domains_tell(struct import *import, struct import_domains *domains, const char *setting,
                  struct span theirs, enum judgement judgement, const char *ours, const char *why);
