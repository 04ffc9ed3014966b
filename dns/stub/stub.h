/* A small authoritative DNS server for loopback: for tests, quickstart and benchmarks, not for the net. One
 * thread.
 *
 * Zone text, one item a line, `;` and `#` begin comments; names with or without a trailing dot, `*.NAME` as
 * in RFC 4592: NAME TTL TYPE DATA          A, AAAA, NS, CNAME, PTR, MX, TXT ("..." "...", with \" \\ \DDD) or
 * SOA (its seven fields) NAME !latency MS            the answer is late NAME !loss PERCENT          by UDP
 *     NAME !tc                    truncated by UDP, whatever its size
 *     NAME !rcode NUMBER          2 is SERVFAIL, 5 REFUSED
 *     NAME !silent                no answer
 *     NAME !nochase               a CNAME is answered alone
 * Data of A may be `!host`, and of PTR `!host SUFFIX`: 4.3.2.1.in-addr.arpa is host-1-2-3-4.SUFFIX and that
 * is 1.2.3.4, for any address below a wildcard. A name that is not there is NXDOMAIN, with the SOA of the
 * closest zone above it (the root, ".", may have one), if any. Behaviour holds for names below a wildcard,
 * too. What does not fit is truncated; TCP takes it. */
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

/* Answers when this returns. On failure NULL and the reason in *ret_error, "LINE: ..." for the zone. */
struct dns_stub *dns_stub_start(const struct dns_stub_options *options, struct text *ret_error);
void dns_stub_stop(struct dns_stub *stub);
uint16_t dns_stub_port(const struct dns_stub *stub);
/* While on, nothing is answered. */
void dns_stub_set_silent(struct dns_stub *stub, bool is_silent);
void dns_stub_count(const struct dns_stub *stub, struct dns_stub_counts *ret_counts);
