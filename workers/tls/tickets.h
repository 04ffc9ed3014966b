/* The keys of tickets, by which clients resume sessions. One thread, the publisher, turns them with time; any thread
 * uses them, without a lock. They outlive reloads. */
#pragma once

#include "conf/complaints.h"

#include <openssl/types.h>

#define TICKET_SECRETS_MAX 4
#define TICKET_SECRET_SIZE 32
#define TICKET_NAME_SIZE   16

/* What a fleet shares: a file with a line of 64 hexadecimal digits for each. Of each secret there is a key for each
 * period of `ticket_lifetime` since 1970, so that machines whose clocks agree turn their keys at the same time, and no
 * file needs to change for it. The first one makes tickets, all of them are accepted. */
struct ticket_secrets {
        uint8_t octets[TICKET_SECRETS_MAX][TICKET_SECRET_SIZE];
        size_t count; /* 0: this machine has keys of its own, by chance */
};

struct ticket_keys;

struct tls_tickets {
        _Atomic(struct ticket_keys *) keys; /* rcu; NULL: none yet */
        EVP_CIPHER *cipher;
        /* Owner: the publisher. */
        struct ticket_secrets secrets;
        uint64_t lifetime_s;
        uint64_t turned_s, next_turn_s; /* seconds since 1970 */
};

/* Reads such a file. False with complaints. */
bool ticket_secrets_read(const char *path, struct ticket_secrets *ret_secrets,
                         struct conf_complaints *complaints);

/* False when memory is out. */
bool tls_tickets_init(struct tls_tickets *tickets);
/* Nobody may use them any more. */
void tls_tickets_end(struct tls_tickets *tickets);
/* Publisher: from now on these make tickets. Keys that were in use before are accepted until their time is over. */
void tls_tickets_use(struct tls_tickets *tickets, const struct ticket_secrets *secrets, uint64_t lifetime_s,
                     uint64_t now_s);
/* Publisher, about once a second: turns the keys when it is time. */
void tls_tickets_look(struct tls_tickets *tickets, uint64_t now_s);

/* What the callback of SSL_CTX_set_tlsext_ticket_key_evp_cb() has to do. */
int tls_tickets_crypt(const struct tls_tickets *tickets, const SSL *ssl, unsigned char *name,
                      unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool is_new);
