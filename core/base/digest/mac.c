/* HMAC out of OpenSSL's digests. Its HMAC() of version 3 looks the algorithm up under a lock and allocates at
 * each call: no session may do that. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/base/digest/mac.h"

#include "core/base/expect.h"

static void pad(struct span key, uint8_t with, uint8_t block[static MAC_KEY_MAX])
{
        expect(key.length <= MAC_KEY_MAX);
        memset(block, with, MAC_KEY_MAX);
        for (size_t i = 0; i < key.length; i++)
                block[i] ^= (uint8_t)key.at[i];
}

void mac_sha1(struct span key, const struct span *parts, size_t part_count,
              uint8_t ret_mac[static MAC_SHA1_SIZE])
{
        uint8_t block[MAC_KEY_MAX], inner[MAC_SHA1_SIZE];
        SHA_CTX context;

        pad(key, 0x36, block);
        SHA1_Init(&context);
        SHA1_Update(&context, block, sizeof block);
        for (size_t i = 0; i < part_count; i++)
                SHA1_Update(&context, parts[i].at, parts[i].length);
        SHA1_Final(inner, &context);
        pad(key, 0x5c, block);
        SHA1_Init(&context);
        SHA1_Update(&context, block, sizeof block);
        SHA1_Update(&context, inner, sizeof inner);
        SHA1_Final(ret_mac, &context);
}

void mac_sha256_prepare(struct mac_sha256_key *ret_key, struct span key)
{
        uint8_t block[MAC_KEY_MAX];

        pad(key, 0x36, block);
        SHA256_Init(&ret_key->inner);
        SHA256_Update(&ret_key->inner, block, sizeof block);
        pad(key, 0x5c, block);
        SHA256_Init(&ret_key->outer);
        SHA256_Update(&ret_key->outer, block, sizeof block);
}

static void finish_sha256(const struct mac_sha256_key *key, SHA256_CTX *inner,
                          uint8_t ret_mac[static MAC_SHA256_SIZE])
{
        uint8_t digest[MAC_SHA256_SIZE];
        SHA256_CTX outer = key->outer;

        SHA256_Final(digest, inner);
        SHA256_Update(&outer, digest, sizeof digest);
        SHA256_Final(ret_mac, &outer);
}

void mac_sha256_with(const struct mac_sha256_key *key, struct span text,
                     uint8_t ret_mac[static MAC_SHA256_SIZE])
{
        SHA256_CTX inner = key->inner;

        SHA256_Update(&inner, text.at, text.length);
        finish_sha256(key, &inner, ret_mac);
}

void mac_sha256_parts_with(const struct mac_sha256_key *key, const struct span *parts, size_t part_count,
                           uint8_t ret_mac[static MAC_SHA256_SIZE])
{
        SHA256_CTX inner = key->inner;

        for (size_t i = 0; i < part_count; i++)
                SHA256_Update(&inner, parts[i].at, parts[i].length);
        finish_sha256(key, &inner, ret_mac);
}

void mac_sha256(struct span key, const struct span *parts, size_t part_count,
                uint8_t ret_mac[static MAC_SHA256_SIZE])
{
        struct mac_sha256_key prepared;

        mac_sha256_prepare(&prepared, key);
        mac_sha256_parts_with(&prepared, parts, part_count, ret_mac);
}
