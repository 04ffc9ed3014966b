/* The low-level calls of OpenSSL's digests take no memory and no lock, other than EVP's; see core/base/digest/mac.c. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/auth/canon.h"

/* A value on its way into its relaxed form. */
struct relaxed {
        struct field_digest *digest;
        bool has_text, is_behind_blank;
        char buffer[256];
        size_t length;
};

void field_digest_init(struct field_digest *digest)
{
        digest->octets = 0;
        SHA256_Init(&digest->sha);
}

static void put(struct field_digest *digest, struct span octets)
{
        digest->octets += octets.length;
        SHA256_Update(&digest->sha, octets.at, octets.length);
}

static void relaxed_flush(struct relaxed *relaxed)
{
        put(relaxed->digest, span_of(relaxed->buffer, relaxed->length));
        relaxed->length = 0;
}

static void relaxed_put(struct relaxed *relaxed, char octet)
{
        if (relaxed->length == sizeof relaxed->buffer)
                relaxed_flush(relaxed);
        relaxed->buffer[relaxed->length++] = octet;
}

/* Unfolds, makes one space of white space within, and leaves it out at both ends. */
static void relaxed_value(struct relaxed *relaxed, struct span value)
{
        for (size_t i = 0; i < value.length; i++) {
                char c = value.at[i];
                if (c == '\r' && i + 1 < value.length && value.at[i + 1] == '\n') {
                        i++;
                        continue;
                }
                if (c == ' ' || c == '\t') {
                        relaxed->is_behind_blank = true;
                        continue;
                }
                if (relaxed->is_behind_blank && relaxed->has_text)
                        relaxed_put(relaxed, ' ');
                relaxed->is_behind_blank = false;
                relaxed->has_text = true;
                relaxed_put(relaxed, c);
        }
}

static void relaxed_name(struct relaxed *relaxed, struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                relaxed_put(relaxed, ascii_lower(name.at[i]));
        relaxed_put(relaxed, ':');
}

/* Without `hole`, which lies in the value; it may be empty. */
static void add(struct field_digest *digest, const struct auth_header *header, size_t field, enum canon canon,
                struct span hole)
{
        struct relaxed relaxed = {.digest = digest};
        struct span whole = auth_field_span(header, field);
        struct span value = auth_field_value(header, field);
        const char *end = whole.at + whole.length;

        if (hole.at == NULL)
                hole = span_of(end, 0);
        if (canon == CANON_SIMPLE) {
                put(digest, span_of(whole.at, (size_t)(hole.at - whole.at)));
                put(digest, span_of(hole.at + hole.length, (size_t)(end - hole.at) - hole.length));
                return;
        }
        relaxed_name(&relaxed, auth_field_name(header, field));
        relaxed_value(&relaxed, span_of(value.at, (size_t)(hole.at - value.at)));
        relaxed_value(&relaxed, span_of(hole.at + hole.length, (size_t)(end - hole.at) - hole.length));
        relaxed_flush(&relaxed);
}

void field_digest_add(struct field_digest *digest, const struct auth_header *header, size_t field,
                      enum canon canon)
{
        add(digest, header, field, canon, (struct span){NULL, 0});
        put(digest, SPAN("\r\n"));
}

void field_digest_add_last(struct field_digest *digest, const struct auth_header *header, size_t field,
                           enum canon canon, struct span hole)
{
        add(digest, header, field, canon, hole);
}

void field_digest_end(struct field_digest *digest, uint8_t ret_digest[static AUTH_DIGEST_SIZE])
{
        SHA256_Final(ret_digest, &digest->sha);
}
