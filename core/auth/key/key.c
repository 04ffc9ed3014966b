/* The DER of a key is read here: what OpenSSL 3 does with it costs more than verifying a signature. */
#include "core/auth/key/key.h"

#include "core/auth/tags.h"

enum { TAG_V, TAG_H, TAG_K, TAG_P, TAG_S, TAG_T, TAGS };

static const struct span names[TAGS] = {
    [TAG_V] = {"v", 1}, [TAG_H] = {"h", 1}, [TAG_K] = {"k", 1},
    [TAG_P] = {"p", 1}, [TAG_S] = {"s", 1}, [TAG_T] = {"t", 1},
};

bool auth_key_is_meant(struct span record)
{
        struct tag tags[TAGS];

        if (record.length > KEY_RECORD_MAX)
                return true;
        tag_list_read(record, names, TAGS, tags);
        return tags[TAG_P].name.at != NULL || span_equals(tags[TAG_V].value, SPAN("DKIM1"));
}

/* ---- DER (X.690) --------------------------------------------------------------------------------------- */

#define DER_INTEGER    0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE   0x30

/* Cuts a value of this type off *rest. Lengths have their shortest form. */
static bool der_take(struct span *rest, uint8_t type, struct span *ret_value)
{
        const uint8_t *octets = (const uint8_t *)rest->at;
        size_t length, at = 2;

        if (rest->length < 2 || octets[0] != type)
                return false;
        length = octets[1];
        if (length == 0x81 && rest->length > 2 && octets[2] >= 0x80) {
                length = octets[2];
                at = 3;
        } else if (length == 0x82 && rest->length > 3 && octets[2] > 0) {
                length = (size_t)octets[2] << 8 | octets[3];
                at = 4;
        } else if (length >= 0x80) {
                return false;
        }
        if (length > rest->length - at)
                return false;
        *ret_value = span_of(rest->at + at, length);
        *rest = span_skip(*rest, at + length);
        return true;
}

/* A number above zero, without the zero that keeps it from being negative. */
static bool der_take_number(struct span *rest, struct span *ret_number)
{
        struct span number;

        if (!der_take(rest, DER_INTEGER, &number) || number.length == 0 ||
            (unsigned char)number.at[0] >= 0x80)
                return false;
        if (number.at[0] == '\0')
                number = span_skip(number, 1);
        *ret_number = number;
        return number.length > 0 && number.at[0] != '\0';
}

/* SubjectPublicKeyInfo around an RSAPublicKey (RFC 8017 A.1.1), or that alone: both are in use. */
static bool take_info(struct span *key)
{
        static const char rsa[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        struct span info = *key, inner, bits;

        if (!der_take(&info, DER_SEQUENCE, &inner) || info.length > 0)
                return false;
        if (inner.length > 0 && inner.at[0] == DER_INTEGER)
                return true;
        if (inner.length < sizeof rsa - 1 || memcmp(inner.at, rsa, sizeof rsa - 1) != 0)
                return false;
        inner = span_skip(inner, sizeof rsa - 1);
        if (!der_take(&inner, DER_BIT_STRING, &bits) || inner.length > 0 || bits.length == 0 ||
            bits.at[0] != '\0')
                return false;
        *key = span_skip(bits, 1);
        return true;
}

static bool rsa_read(struct auth_key *key)
{
        struct span whole = span_of((const char *)key->octets, key->length), rest, modulus, exponent;

        if (!take_info(&whole) || !der_take(&whole, DER_SEQUENCE, &rest) || whole.length > 0)
                return false;
        if (!der_take_number(&rest, &modulus) || !der_take_number(&rest, &exponent) || rest.length > 0)
                return false;
        key->modulus_at = (size_t)(modulus.at - (const char *)key->octets);
        key->modulus_length = modulus.length;
        key->exponent_at = (size_t)(exponent.at - (const char *)key->octets);
        key->exponent_length = exponent.length;
        key->bits = (uint16_t)(8 * modulus.length - (size_t)__builtin_clz((unsigned char)modulus.at[0]) + 24);
        return true;
}

static enum auth_result rsa_check(struct auth_key *key, const char **ret_reason)
{
        if (!rsa_read(key)) {
                *ret_reason = "the key is no RSA key";
                return AUTH_PERMERROR;
        }
        if (key->bits < KEY_BITS_MIN || key->bits > KEY_BITS_MAX) {
                *ret_reason = key->bits < KEY_BITS_MIN ? "the key has fewer than 1024 bits"
                                                       : "the key has more than 4096 bits";
                return AUTH_POLICY;
        }
        /* A long exponent costs a hundred times what 65537 does, and nobody honest has one. */
        unsigned lowest = key->octets[key->exponent_at + key->exponent_length - 1];
        if (key->exponent_length > 4 || lowest % 2 == 0 || (key->exponent_length == 1 && lowest < 3)) {
                *ret_reason = "the key's exponent is out of bounds";
                return AUTH_POLICY;
        }
        return AUTH_PASS;
}

/* ---- the record ---------------------------------------------------------------------------------------- */

/* One of a list with colons is it. */
static bool list_has(struct span list, struct span wanted)
{
        while (list.length > 0)
                if (span_equals(tag_take(&list, ':'), wanted))
                        return true;
        return false;
}

static const char *kind_fault(const struct tag *tags, enum key_kind kind)
{
        struct span type = tags[TAG_K].name.at == NULL ? SPAN("rsa") : tags[TAG_K].value;

        if (!span_equals(type, kind == KEY_RSA ? SPAN("rsa") : SPAN("ed25519")))
                return "the key is one for another algorithm";
        if (tags[TAG_H].name.at != NULL && !list_has(tags[TAG_H].value, SPAN("sha256")))
                return "the key is not for SHA-256";
        if (tags[TAG_S].name.at != NULL && !list_has(tags[TAG_S].value, SPAN("email")) &&
            !list_has(tags[TAG_S].value, SPAN("*")))
                return "the key is not for mail";
        return NULL;
}

static const char *record_fault(struct span record, struct tag *tags)
{
        if (record.length > KEY_RECORD_MAX)
                return "the key record is too long";
        if (tag_list_read(record, names, TAGS, tags) != TAG_LIST_WELL)
                return "the key record is ill-formed";
        /* 3.6.1: where it is there, it is the first tag. */
        if (tags[TAG_V].name.at != NULL &&
            (!span_equals(tags[TAG_V].value, SPAN("DKIM1")) || tag_trim(record).at != tags[TAG_V].name.at))
                return "the key record has another version";
        if (tags[TAG_P].name.at == NULL)
                return "the key record has no key";
        return tags[TAG_P].value.length == 0 ? "the key is revoked" : NULL;
}

enum auth_result auth_key_read(struct span record, enum key_kind kind, struct auth_key *ret_key,
                               const char **ret_reason)
{
        struct tag tags[TAGS];
        const char *fault = record_fault(record, tags);

        ret_key->is_testing = ret_key->is_strict = false;
        if (fault == NULL)
                fault = kind_fault(tags, kind);
        if (fault == NULL &&
            !tag_base64(tags[TAG_P].value, ret_key->octets, sizeof ret_key->octets, &ret_key->length))
                fault = "the key is no base64, or too long";
        if (fault == NULL && kind == KEY_ED25519 && ret_key->length != KEY_ED25519_SIZE)
                fault = "the key is no Ed25519 key";
        if (fault != NULL) {
                *ret_reason = fault;
                return AUTH_PERMERROR;
        }
        ret_key->kind = kind;
        ret_key->bits = 0;
        ret_key->is_testing = list_has(tags[TAG_T].value, SPAN("y"));
        ret_key->is_strict = list_has(tags[TAG_T].value, SPAN("s"));
        return kind == KEY_RSA ? rsa_check(ret_key, ret_reason) : AUTH_PASS;
}
