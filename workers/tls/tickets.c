/* A key makes tickets for one period, and is accepted for one more. The set of keys is replaced as a whole: workers
 * copy the one that they need within a read section of RCU. */
#include "workers/tls/tickets.h"

#include "conf/text/access.h"
#include "conf/text/entries.h"
#include "core/base/digest/mac.h"
#include "core/base/thread_sanitizer.h"
#include "workers/tls/file.h"

#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#define KEYS_MAX 64 /* the secrets of a file have three each; the rest are those that were in use before */
#define IV_SIZE  16

struct ticket_key {
        unsigned char name[TICKET_NAME_SIZE];
        unsigned char cipher[32]; /* AES-256-CBC */
        unsigned char mac[32];    /* HMAC-SHA256 */
        uint64_t ends_s;          /* it is accepted until then */
};

struct ticket_keys {
        size_t count;
        struct ticket_key keys[KEYS_MAX]; /* the first one makes tickets */
};

/* ---- secrets ------------------------------------------------------------------------------------------- */

static int digit_value(char c)
{
        c = ascii_lower(c);
        return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL, or what is wrong. */
static const char *add_secret(struct ticket_secrets *secrets, struct span digits)
{
        if (secrets->count == TICKET_SECRETS_MAX)
                return "holds more than 4 secrets";
        if (digits.length != 2 * (size_t)TICKET_SECRET_SIZE)
                return "a secret has 64 hexadecimal digits; `openssl rand -hex 32` makes one";
        for (size_t i = 0; i < TICKET_SECRET_SIZE; i++) {
                int high = digit_value(digits.at[2 * i]), low = digit_value(digits.at[2 * i + 1]);
                if (high < 0 || low < 0)
                        return "a secret has no characters but hexadecimal digits";
                secrets->octets[secrets->count][i] = (uint8_t)(high << 4 | low);
        }
        secrets->count++;
        return NULL;
}

static void read_entries(struct ticket_secrets *secrets, const char *path, struct span text,
                         struct conf_complaints *complaints)
{
        struct span entry;

        for (uint32_t line = 0; (entry = entry_take(&text, &line)).length > 0;) {
                const char *fault = add_secret(secrets, entry);
                if (fault != NULL)
                        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, line}, "%s", fault);
        }
}

bool ticket_secrets_read(const char *path, struct ticket_secrets *ret_secrets,
                         struct conf_complaints *complaints)
{
        unsigned errors = complaints->errors;
        struct ticket_secrets secrets = {0};
        struct secret_file file;
        char *octets;
        size_t length;
        char denied[ACCESS_TEXT_MAX];
        const char *fault = secret_file_open(&file, path, true);

        if (fault == NULL)
                fault = secret_file_read(&file, &octets, &length);
        if (fault == NULL) {
                read_entries(&secrets, path, span_of(octets, length), complaints);
                secret_octets_free(octets, length);
                if (secrets.count == 0 && complaints->errors == errors)
                        fault = "holds no secret";
        }
        if (fault != NULL)
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, 0}, "%s%s", fault,
                              access_denied(path, R_OK, denied));
        if (complaints->errors == errors)
                *ret_secrets = secrets;
        OPENSSL_cleanse(&secrets, sizeof secrets);
        return complaints->errors == errors;
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static void derive(const uint8_t *secret, const char *purpose, uint64_t period, uint64_t lifetime_s,
                   uint8_t ret_octets[static MAC_SHA256_SIZE])
{
        char label[80];
        int length = snprintf(label, sizeof label, "gatepost ticket %s %" PRIu64 " %" PRIu64, purpose,
                              lifetime_s, period);
        const struct span part = span_of(label, (size_t)length);

        mac_sha256(span_of((const char *)secret, TICKET_SECRET_SIZE), &part, 1, ret_octets);
}

static void add_derived(struct ticket_keys *keys, const uint8_t *secret, uint64_t period, uint64_t lifetime_s)
{
        struct ticket_key *key = &keys->keys[keys->count++];
        uint8_t name[MAC_SHA256_SIZE];

        derive(secret, "name", period, lifetime_s, name);
        memcpy(key->name, name, sizeof key->name);
        derive(secret, "cipher", period, lifetime_s, key->cipher);
        derive(secret, "mac", period, lifetime_s, key->mac);
        key->ends_s = (period + 2) * lifetime_s;
}

/* The other machines' clocks may be ahead, and have begun the next period, or behind. */
static void add_shared(struct ticket_keys *keys, const struct tls_tickets *tickets, uint64_t now_s)
{
        static const int steps[] = {0, -1, 1};
        uint64_t period = now_s / tickets->lifetime_s;

        for (size_t step = 0; step < 3; step++)
                for (size_t i = 0; i < tickets->secrets.count; i++)
                        if (period > 0 || steps[step] >= 0)
                                add_derived(keys, tickets->secrets.octets[i], period + (uint64_t)steps[step],
                                            tickets->lifetime_s);
}

/* False when there is no chance to be had. */
static bool add_own(struct ticket_keys *keys, uint64_t lifetime_s, uint64_t now_s)
{
        struct ticket_key *key = &keys->keys[keys->count++];

        key->ends_s = now_s + 2 * lifetime_s;
        return RAND_bytes(key->name, sizeof key->name) == 1 &&
               RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1 &&
               RAND_priv_bytes(key->mac, sizeof key->mac) == 1;
}

static const struct ticket_key *find(const struct ticket_keys *keys, const unsigned char *name)
{
        for (size_t i = 0; keys != NULL && i < keys->count; i++)
                if (memcmp(keys->keys[i].name, name, TICKET_NAME_SIZE) == 0)
                        return &keys->keys[i];
        return NULL;
}

/* Of those before, the ones whose time is not over. */
static void add_former(struct ticket_keys *keys, const struct ticket_keys *former, uint64_t now_s)
{
        for (size_t i = 0; former != NULL && i < former->count && keys->count < KEYS_MAX; i++)
                if (former->keys[i].ends_s > now_s && find(keys, former->keys[i].name) == NULL)
                        keys->keys[keys->count++] = former->keys[i];
}

static void keys_free(struct ticket_keys *keys)
{
        if (keys != NULL)
                OPENSSL_cleanse(keys, sizeof *keys);
        free(keys);
}

static void replace(struct tls_tickets *tickets, struct ticket_keys *keys)
{
        struct ticket_keys *former = atomic_exchange(&tickets->keys, keys);

        if (former == NULL)
                return;
        urcu_memb_synchronize_rcu();
        order_acquire(former);
        keys_free(former);
}

/* Without memory or chance the former keys stay, and it is tried again. */
static void turn(struct tls_tickets *tickets, uint64_t now_s)
{
        struct ticket_keys *keys = calloc(1, sizeof *keys);

        if (keys == NULL)
                return;
        if (tickets->secrets.count > 0) {
                add_shared(keys, tickets, now_s);
        } else if (!add_own(keys, tickets->lifetime_s, now_s)) {
                keys_free(keys);
                return;
        }
        add_former(keys, atomic_load(&tickets->keys), now_s);
        tickets->turned_s = now_s;
        tickets->next_turn_s = tickets->secrets.count > 0
                                   ? (now_s / tickets->lifetime_s + 1) * tickets->lifetime_s
                                   : now_s + tickets->lifetime_s;
        replace(tickets, keys);
}

/* ---- publisher ----------------------------------------------------------------------------------------- */

bool tls_tickets_init(struct tls_tickets *tickets)
{
        *tickets = (struct tls_tickets){.cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL)};
        return tickets->cipher != NULL;
}

void tls_tickets_end(struct tls_tickets *tickets)
{
        keys_free(atomic_load(&tickets->keys));
        EVP_CIPHER_free(tickets->cipher);
        OPENSSL_cleanse(&tickets->secrets, sizeof tickets->secrets);
}

void tls_tickets_use(struct tls_tickets *tickets, const struct ticket_secrets *secrets, uint64_t lifetime_s,
                     uint64_t now_s)
{
        bool is_same = tickets->lifetime_s == lifetime_s && tickets->secrets.count == secrets->count &&
                       memcmp(tickets->secrets.octets, secrets->octets, sizeof secrets->octets) == 0;

        if (is_same && atomic_load(&tickets->keys) != NULL)
                return;
        tickets->secrets = *secrets;
        tickets->lifetime_s = lifetime_s;
        turn(tickets, now_s);
}

void tls_tickets_look(struct tls_tickets *tickets, uint64_t now_s)
{
        /* A clock that was set back counts as well. */
        if (tickets->lifetime_s > 0 && (now_s >= tickets->next_turn_s || now_s < tickets->turned_s))
                turn(tickets, now_s);
}

/* ---- any thread ---------------------------------------------------------------------------------------- */

/* Copies the key of this name, or with NULL the one that makes tickets. *ret_is_first: it is that one. */
static bool copy_key(const struct tls_tickets *tickets, const unsigned char *name, struct ticket_key *ret_key,
                     bool *ret_is_first)
{
        foreign_accesses_begin();
        urcu_memb_read_lock();
        foreign_accesses_end();
        const struct ticket_keys *keys = atomic_load(&tickets->keys);
        const struct ticket_key *key = keys == NULL ? NULL : name == NULL ? &keys->keys[0] : find(keys, name);
        if (key != NULL) {
                *ret_key = *key;
                *ret_is_first = key == &keys->keys[0];
        }
        order_release(keys);
        foreign_accesses_begin();
        urcu_memb_read_unlock();
        foreign_accesses_end();
        return key != NULL;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
        char digest[] = "SHA256";
        const OSSL_PARAM params[] = {
            OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_end(),
        };
        return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* The library's own numbers: -1 an error, 0 no key, 1 a ticket that stays, 2 one that is to be renewed. In TLS 1.3 a
 * ticket is always renewed, because else the next handshake of its client would be a full one. */
int tls_tickets_crypt(const struct tls_tickets *tickets, const SSL *ssl, unsigned char *name,
                      unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool is_new)
{
        struct ticket_key key;
        bool is_first = false, is_set;

        if (!copy_key(tickets, is_new ? NULL : name, &key, &is_first))
                return 0;
        if (is_new) {
                memcpy(name, key.name, sizeof key.name);
                is_set = RAND_bytes(iv, IV_SIZE) == 1 &&
                         EVP_EncryptInit_ex2(cipher, tickets->cipher, key.cipher, iv, NULL) == 1;
        } else {
                is_set = EVP_DecryptInit_ex2(cipher, tickets->cipher, key.cipher, iv, NULL) == 1;
        }
        is_set = is_set && set_mac(mac, &key);
        OPENSSL_cleanse(&key, sizeof key);
        if (!is_set)
                return -1;
        return is_new || (is_first && SSL_version(ssl) != TLS1_3_VERSION) ? 1 : 2;
}
