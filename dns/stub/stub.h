/* A small authoritative DNS server on loopback for tests, quickstart and benchmarks. It is not for the net,
 * and has one thread.
 *
 * The text of a zone has one item a line, and `;` and `#` begin comments. Names may end in a dot, and
 * `*.NAME` is a wildcard (RFC 4592).
 *
 *     NAME TTL TYPE DATA          a record: A, AAAA, NS, CNAME, PTR, MX, SOA with its seven fields,
 *                                 or TXT with "..." "..." and the escapes \" \\ \DDD
 *     NAME !latency MS            the answer comes late
 *     NAME !loss PERCENT          so many answers by UDP are lost
 *     NAME !tc                    by UDP the answer is truncated, whatever its size
 *     NAME !rcode NUMBER          the answer has this code: 2 is SERVFAIL, 5 is REFUSED
 *     NAME !silent                there is no answer
 *     NAME !nochase               a CNAME is answered alone
 *
 * The data of A may be `!host`, and that of PTR `!host SUFFIX`. Then 4.3.2.1.in-addr.arpa is
 * host-1-2-3-4.SUFFIX, and that is 1.2.3.4, for any address below a wildcard. A name that is not there is
 * NXDOMAIN, with the SOA of the closest zone above it, if there is one; the root, ".", may have one.
 * Behaviour holds for names below a wildcard too. An answer that does not fit is truncated, and TCP takes it
 * whole. */
#pragma once

#include "core/base/text.h"

#include <stdatomic.h>
#include <sys/socket.h>

struct dns_stub_options {
        struct span zone;
        struct sockaddr_storage listen; /* port 0: any */
        socklen_t listen_length;
        uint32_t latency_ms;   /* of every answer by UDP */
        uint32_t loss_percent; /* of all answers by UDP */
};

struct dns_stub_counts {
        uint64_t udp, tcp, lost; /* queries; lost: unanswered by intention */
};

struct dns_stub;

/* When this returns the server answers. On failure it is NULL with the reason in *ret_error, which begins
 * with "LINE:" when it is about the zone. */
struct dns_stub *dns_stub_start(const struct dns_stub_options *options, struct text *ret_error);
void dns_stub_stop(struct dns_stub *stub);
uint16_t dns_stub_port(const struct dns_stub *stub);
/* While it is silent nothing is answered. */
void dns_stub_set_silent(struct dns_stub *stub, bool is_silent);
void dns_stub_count(const struct dns_stub *stub, struct dns_stub_counts *ret_counts);
