/* Public keys as DNS has them (RFC 6376 3.6.1, RFC 8463 4), without any library's parser. */
#pragma once

#include "core/auth/result.h"
#include "core/base/text.h"

#define KEY_RECORD_MAX   4096 /* octets of a record that is read; one of 4096 bits has some 750 */
#define KEY_OCTETS_MAX   600  /* of "p="; SubjectPublicKeyInfo of 4096 bits has 550 */
#define KEY_BITS_MIN     1024 /* of RSA; RFC 8301 3.2 */
#define KEY_BITS_MAX     4096
#define KEY_ED25519_SIZE 32

enum key_kind { KEY_RSA, KEY_ED25519 };

struct auth_key {
        enum key_kind kind;
        bool is_testing; /* t=y: its owner asks that failures count as no signature */
        bool is_strict;  /* t=s: i= has the domain of d= itself */
        uint16_t bits;   /* of RSA */
        uint8_t octets[KEY_OCTETS_MAX];
        size_t length;
        /* Of RSA, within `octets`, big-endian and without zeros in front. */
        size_t modulus_at, modulus_length, exponent_at, exponent_length;
};

/* The record is one of a key, or would be: it has a tag "p", or the version "DKIM1". */
bool auth_key_is_meant(struct span record);
/* Reads a record for a signature of this kind by SHA-256. AUTH_PASS, or what a signature with this key comes to, with
 * why not. *ret_key is then not whole. */
enum auth_result auth_key_read(struct span record, enum key_kind kind, struct auth_key *ret_key,
                               const char **ret_reason);
