/* Where reports of a policy domain go: what its rua= names, as far as whoever gets them there agrees (RFC 9990). */
#pragma once

#include "conf/snapshot.h"
#include "workers/cli/dmarc_report/entry.h"
#include "workers/cli/dns.h"

#define DESTINATION_LOCAL_MAX 64 /* octets: RFC 5321 4.5.3.1.1 */
#define DESTINATION_MAX       (DESTINATION_LOCAL_MAX + 1 + 255)

/* A mail address in which nothing needs quotes: "reports@example.com", the domain in lower case. */
struct destination {
        char address[DESTINATION_MAX + 1];
};

/* Part of the address. */
static inline struct span destination_domain(const struct destination *destination)
{
        struct span address = span_from(destination->address);

        return span_skip(address, span_find_last(address, '@') + 1);
}

struct destinations {
        struct destination list[ENTRY_URIS_MAX];
        size_t count;
};

/* True for mailto: with one such address. What else the URI says, such as a subject, counts for nothing. */
bool destination_read(struct span uri, struct destination *ret_destination);

/* Who looks. Zero it first. */
struct destination_look {
        struct cli_dns dns;
        bool has_dns;
        uint64_t failed_ms;     /* that domains took of whose questions one failed, or that were slow */
        uint64_t failed_max_ms; /* when they are that many, nobody is asked any more */
        uint64_t left_out;      /* destinations, of which the first are told on standard error */
};

/* False, told on standard error, when DNS cannot be asked though the configuration has resolvers. Without resolvers
 * only addresses in the policy domain itself are destinations. */
bool destination_look_begin(struct destination_look *look, const struct options *options);
/* `uris`: with commas between them. Waits for DNS. */
void destinations_find(struct destination_look *look, struct span policy_domain, struct span uris,
                       struct destinations *ret_destinations);
/* `record`: at POLICY-DOMAIN._report._dmarc.HOST, where the host agrees; empty where nobody had to. Sets who gets what
 * was for `asked`: itself, or addresses of the same host in its place. False: the record names another host. */
bool destination_replace(struct span record, const struct destination *asked,
                         struct destinations *ret_destinations);
void destination_look_end(struct destination_look *look);
