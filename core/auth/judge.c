/* What costs nothing comes first: time, length, the body's digest, the answer of DNS, and then the key. */
#include "core/auth/judge.h"

#include "core/auth/key/verify.h"
#include "dns/name.h"

#define KEY_RECORDS_MAX 8 /* of an answer, that are looked at */

static void set(struct auth_signature *signature, enum auth_result result, const char *reason)
{
        signature->result = result;
        signature->reason = reason;
}

/* ---- the header ---------------------------------------------------------------------------------------- */

/* The last field of the name that is not taken yet; AUTH_FIELDS_MAX: none. */
static size_t take_field(struct auth_signature *signature, const struct auth_header *header, struct span name,
                         uint64_t taken[static AUTH_FIELDS_MAX / 64])
{
        for (size_t i = header->count; i-- > 0;) {
                signature->fields_looked_at++;
                if ((taken[i / 64] >> i % 64 & 1) != 0 || !auth_field_is(header, i, name))
                        continue;
                taken[i / 64] |= UINT64_C(1) << i % 64;
                return i;
        }
        return AUTH_FIELDS_MAX;
}

void signature_digest(struct auth_signature *signature, const struct auth_header *header,
                      uint8_t ret_digest[static AUTH_DIGEST_SIZE])
{
        uint64_t taken[AUTH_FIELDS_MAX / 64] = {0};
        struct span rest = signature->names;
        struct field_digest digest;

        field_digest_init(&digest);
        /* The field itself stands for no field that it names (RFC 6376 3.7). */
        taken[signature->field / 64] |= UINT64_C(1) << signature->field % 64;
        while (rest.length > 0) {
                size_t field = take_field(signature, header, tag_take(&rest, ':'), taken);
                if (field < AUTH_FIELDS_MAX)
                        field_digest_add(&digest, header, field, signature->header_canon);
        }
        field_digest_add_last(&digest, header, signature->field, signature->header_canon, signature->hole);
        signature->octets_digested += digest.octets;
        field_digest_end(&digest, ret_digest);
}

/* ---- the key ------------------------------------------------------------------------------------------- */

/* False: the name is too long to be asked for. */
static bool key_name(const struct auth_signature *signature, struct text *name)
{
        text_put(name, signature->selector);
        text_put_string(name, "._domainkey.");
        text_put(name, signature->domain);
        return !name->overflowed;
}

static enum fact key_ask(const struct auth_signature *signature, struct memo *memo,
                         const struct dns_answer **ret_answer)
{
        static const struct dns_answer no_name = {.fact = FACT_ABSENT, .is_nxdomain = true};
        char octets[DNS_NAME_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        if (key_name(signature, &name))
                return memo_ask(memo, text_span(&name), DNS_TXT, ret_answer);
        *ret_answer = &no_name;
        return FACT_ABSENT;
}

bool signature_ask(const struct auth_signature *signature, struct memo *memo)
{
        const struct dns_answer *answer;

        return signature->result == AUTH_WAIT && key_ask(signature, memo, &answer) == FACT_PENDING;
}

/* The first record that would be a key: more than one is nobody's intention (RFC 6376 3.6.2.2). */
static struct span key_record(const struct dns_answer *answer)
{
        for (size_t i = 0; i < answer->record_count && i < KEY_RECORDS_MAX; i++)
                if (auth_key_is_meant(answer->records[i].data))
                        return answer->records[i].data;
        return answer->records[0].data;
}

/* AUTH_PASS: *ret_key is there. */
static enum auth_result key_get(const struct auth_signature *signature, struct memo *memo,
                                struct auth_key *ret_key, const char **ret_reason)
{
        const struct dns_answer *answer;

        switch (key_ask(signature, memo, &answer)) {
        case FACT_PENDING:
                return AUTH_WAIT;
        case FACT_FAILED:
                *ret_reason =
                    answer->is_too_large ? "the key record is too long" : "DNS did not answer for the key";
                return answer->is_too_large ? AUTH_PERMERROR : AUTH_TEMPERROR;
        case FACT_ABSENT:
                *ret_reason = "there is no such key";
                return AUTH_PERMERROR;
        case FACT_FOUND:
                break;
        }
        return auth_key_read(key_record(answer), signature->key, ret_key, ret_reason);
}

static void verify(struct auth_signature *signature, const struct auth_key *key, const uint8_t *digest)
{
        uint8_t octets[SIGNATURE_OCTETS_MAX];
        size_t length;

        if (!tag_base64(signature->value, octets, sizeof octets, &length)) {
                set(signature, AUTH_NEUTRAL, "b= is no base64, or too long");
                return;
        }
        switch (signature_verify(key, digest, span_of((const char *)octets, length))) {
        case VERIFIED_GOOD:
                set(signature, AUTH_PASS, "");
                break;
        case VERIFIED_BAD:
                set(signature, AUTH_FAIL, "the signature does not verify");
                break;
        case VERIFIED_NOT:
                set(signature, AUTH_TEMPERROR, "memory is out");
                break;
        }
}

void signature_judge_digest(struct auth_signature *signature, const uint8_t digest[static AUTH_DIGEST_SIZE],
                            struct memo *memo)
{
        const char *reason = "";
        struct auth_key key;
        enum auth_result result = key_get(signature, memo, &key, &reason);

        if (result != AUTH_PASS) {
                set(signature, result, reason);
                return;
        }
        signature->key_bits = key.bits;
        signature->is_testing = key.is_testing;
        if (key.is_strict && signature->identity.length > 0 &&
            !span_equals(signature->identity, signature->domain)) {
                set(signature, AUTH_PERMERROR, "i= is another domain than d=");
                return;
        }
        verify(signature, &key, digest);
        /* RFC 6376 3.6.1: what fails under a key in test is no worse than what is not signed. */
        if (key.is_testing && signature->result == AUTH_FAIL)
                signature->result = AUTH_NEUTRAL;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static bool is_in_time(struct auth_signature *signature, int64_t now_s)
{
        uint64_t now = now_s < 0 ? 0 : (uint64_t)now_s;

        if (signature->expires_at_s > 0 && signature->expires_at_s < now)
                set(signature, AUTH_FAIL, "the signature has expired");
        else if (signature->signed_at_s > now + SIGNATURE_CLOCK_SKEW_S)
                set(signature, AUTH_POLICY, "the signature is of the future");
        else
                return true;
        return false;
}

static bool covers(struct auth_signature *signature, const struct body_digest *body)
{
        if (signature->has_length && signature->length < body->length)
                set(signature, AUTH_POLICY, "the signature covers a part of the body only");
        else if (signature->has_length && signature->length > body->length)
                set(signature, AUTH_FAIL, "the body is shorter than what was signed");
        else if (memcmp(body->digest, signature->body_digest, AUTH_DIGEST_SIZE) != 0)
                set(signature, AUTH_FAIL, "the body was altered");
        else
                return true;
        return false;
}

void signature_judge(struct auth_signature *signature, const struct auth_text *text, struct memo *memo,
                     int64_t now_s)
{
        uint8_t digest[AUTH_DIGEST_SIZE];

        if (signature->result != AUTH_WAIT || !is_in_time(signature, now_s) ||
            !covers(signature, &text->bodies[signature->body_canon]))
                return;
        if (signature_ask(signature, memo))
                return;
        signature_digest(signature, &text->header, digest);
        signature_judge_digest(signature, digest, memo);
}
