/* Turns a response, as getdns hands it over, into an answer. getdns has parsed the wire format. What it does
 * not check is checked here against the question: names, types, bits and counts. */
#pragma once

#include "dns/answer.h"
#include "dns/name.h"

#include <getdns/getdns.h>

enum dns_reply_kind {
        DNS_REPLY_NONE,      /* nothing came in time, or the socket failed */
        DNS_REPLY_BAD,       /* what came answers another question, or none */
        DNS_REPLY_REFUSED,   /* SERVFAIL, REFUSED and other codes; an answer of FACT_FAILED with the code */
        DNS_REPLY_TRUNCATED, /* to be asked for by TCP */
        DNS_REPLY_CHAIN,     /* CNAMEs that end at `target`, about which the response says nothing */
        DNS_REPLY_ANSWER,
};

struct dns_reply {
        enum dns_reply_kind kind;
        /* of REFUSED and ANSWER: one reference for who has the reply; else NULL */
        struct shared_answer *answer;
        uint32_t ttl_s;            /* of CHAIN: the least of its links */
        char target[DNS_NAME_MAX]; /* of CHAIN */
        uint8_t target_length;
};

/* `response` stays the caller's, and may be NULL. */
void dns_reply_read(const getdns_dict *response, const struct dns_question *question,
                    struct dns_reply *ret_reply);
