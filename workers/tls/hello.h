/* What a client says before anything is sealed: ClientHello (RFC 5246 7.4.1.2, RFC 8446 4.1.2), and how long its
 * messages are to be. */
#pragma once

#include "core/base/text.h"

/* The highest version that a ClientHello offers, such as "TLSv1.3", as OpenSSL names them. `message` begins with
 * the type and the length of the handshake's message. "" when it is none, or offers no version with a name. */
const char *tls_hello_version(struct span message);

/* ClientHello may be so long. With hybrid keys and many extensions it has two thousand octets. */
#define TLS_HELLO_MAX 16384

/* Where the walk through the records stands; zero at the beginning. */
struct tls_walk {
        unsigned char header[5]; /* of the record, as far as it came */
        unsigned char header_length;
        unsigned char message_header[4]; /* type and length */
        unsigned char message_header_length;
        unsigned record_left, message_left; /* octets */
        bool is_over;                       /* what follows is sealed */
};

/* Walks on through `octets` as they came, while nothing is sealed. False when a ClientHello announces more than
 * TLS_HELLO_MAX, for which OpenSSL would take memory at once. `seals_after_change`: the version is settled, and
 * one in which ChangeCipherSpec says that the rest is sealed; in TLS 1.3 that means nothing (RFC 8446 D.4), and a
 * second ClientHello may follow. */
bool tls_walk(struct tls_walk *walk, struct span octets, bool seals_after_change);
