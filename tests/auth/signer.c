/* The field is made with a value of no meaning, digested as a verifier does, and made again. */
#include "tests/auth/signer.h"

#include "core/base/expect.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define FIELD_MAX 16384

static EVP_PKEY *key(void)
{
        static const uint8_t secret[32] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                           0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
                                           0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
        EVP_PKEY *made = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
        expect(made != NULL);
        return made;
}

static void put_base64(struct text *out, const uint8_t *octets, size_t length)
{
        unsigned char digits[128];
        int count = EVP_EncodeBlock(digits, octets, (int)length);
        text_put(out, span_of((const char *)digits, (size_t)count));
}

static void put_signature(struct text *out, const uint8_t digest[static AUTH_DIGEST_SIZE])
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY *made = key();
        uint8_t signature[64];
        size_t length = sizeof signature;

        expect(context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, made) == 1);
        expect(EVP_DigestSign(context, signature, &length, digest, AUTH_DIGEST_SIZE) == 1);
        put_base64(out, signature, length);
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(made);
}

static struct span body_of(struct span rest)
{
        for (size_t i = 0; i + 4 <= rest.length; i++)
                if (memcmp(rest.at + i, "\r\n\r\n", 4) == 0)
                        return span_skip(rest, i + 4);
        return span_skip(rest, rest.length);
}

static void put_body_digest(struct text *out, const char *tags, struct span rest)
{
        bool is_relaxed =
            strstr(tags, "c=relaxed/relaxed") != NULL || strstr(tags, "c=simple/relaxed") != NULL;
        struct span body = body_of(rest);
        struct body_digest digest;

        body_digest_init(&digest, is_relaxed ? CANON_RELAXED : CANON_SIMPLE);
        body_digest_add(&digest, body);
        body_digest_end(&digest);
        put_base64(out, digest.digest, sizeof digest.digest);
}

static void read_header(struct auth_header *header, struct arena *arena, struct block_pool *pool,
                        struct span *octets)
{
        block_pool_init(pool, 65536, 1);
        arena_init(arena, pool, 1 << 20);
        auth_header_init(header, arena);
        auth_header_read(header, octets);
        auth_header_end(header);
}

/* The digest of the top field, which has the kind. */
static void digest_top(struct span whole, enum signature_kind kind,
                       uint8_t ret_digest[static AUTH_DIGEST_SIZE])
{
        struct auth_signature signature;
        struct auth_header header;
        struct block_pool pool;
        struct arena arena;

        read_header(&header, &arena, &pool, &whole);
        signature_parse(&header, 0, kind, &signature);
        signature_digest(&signature, &header, ret_digest);
        arena_end(&arena);
        block_pool_end(&pool);
}

void signer_sign(struct text *out, const char *name, const char *tags, struct span rest)
{
        enum signature_kind kind =
            strcmp(name, "DKIM-Signature") == 0 ? SIGNATURE_DKIM : SIGNATURE_ARC_MESSAGE;
        size_t size = rest.length + FIELD_MAX;
        uint8_t digest[AUTH_DIGEST_SIZE];
        char *octets = malloc(size);
        struct text draft;

        expect(octets != NULL);
        text_over(&draft, octets, size);
        text_printf(&draft, "%s: %s; bh=", name, tags);
        put_body_digest(&draft, tags, rest);
        text_put_string(&draft, ";\r\n b=");
        size_t length = draft.length;
        text_put_string(&draft, "AAAA\r\n");
        text_put(&draft, rest);
        expect(!draft.overflowed);
        digest_top(text_span(&draft), kind, digest);
        text_put(out, span_of(octets, length));
        put_signature(out, digest);
        text_put_string(out, "\r\n");
        free(octets);
}

/* What ARC-Seal signs: the sets of `message`, whose newest is on top, from the oldest on, and itself (RFC 8617
 * 5.1.1). */
static void digest_seal(struct span message, unsigned instance, uint8_t ret_digest[static AUTH_DIGEST_SIZE])
{
        static const char *const names[] = {"arc-authentication-results", "arc-message-signature",
                                            "arc-seal"};
        struct auth_signature seal;
        struct field_digest digest;
        struct auth_header header;
        struct block_pool pool;
        struct arena arena;

        read_header(&header, &arena, &pool, &message);
        field_digest_init(&digest);
        for (unsigned i = 1; i <= instance; i++)
                for (size_t name = 0; name < 3; name++)
                        for (size_t field = 1; field < header.count; field++)
                                if (auth_field_is(&header, field, span_from(names[name])) &&
                                    arc_instance_read(auth_field_value(&header, field)) == i)
                                        field_digest_add(&digest, &header, field, CANON_RELAXED);
        signature_parse(&header, 0, SIGNATURE_ARC_SEAL, &seal);
        field_digest_add_last(&digest, &header, 0, CANON_RELAXED, seal.hole);
        field_digest_end(&digest, ret_digest);
        arena_end(&arena);
        block_pool_end(&pool);
}

void signer_seal(struct text *out, unsigned instance, const char *domain, const char *cv, const char *results,
                 struct span message)
{
        size_t size = message.length + FIELD_MAX;
        uint8_t digest[AUTH_DIGEST_SIZE];
        char *octets = malloc(size), tags[512];
        struct text set, seal, whole;

        expect(octets != NULL);
        char *sets = malloc(size), *wholes = malloc(size);
        expect(sets != NULL && wholes != NULL);
        text_over(&set, sets, size);
        text_over(&seal, octets, size);
        text_over(&whole, wholes, size);
        snprintf(tags, sizeof tags,
                 "i=%u; a=ed25519-sha256; c=relaxed/relaxed; d=%s; s=arc; h=from:to:subject:dkim-signature",
                 instance, domain);
        signer_sign(&set, "ARC-Message-Signature", tags, message);
        text_printf(&set, "ARC-Authentication-Results: i=%u; %s; %s\r\n", instance, domain, results);
        text_printf(&seal, "ARC-Seal: i=%u; a=ed25519-sha256; cv=%s; d=%s; s=arc;\r\n b=", instance, cv,
                    domain);
        text_put(&whole, text_span(&seal));
        text_put_string(&whole, "AAAA\r\n");
        text_put(&whole, text_span(&set));
        text_put(&whole, message);
        expect(!whole.overflowed);
        digest_seal(text_span(&whole), instance, digest);
        text_put(out, text_span(&seal));
        put_signature(out, digest);
        text_put_string(out, "\r\n");
        text_put(out, text_span(&set));
        text_put(out, message);
        free(octets);
        free(sets);
        free(wholes);
}
