/* Each tag is a row of the table; a row's function says what is wrong with its value. */
#include "core/auth/signature.h"

#include "core/base/domain_name.h"

#define IS(kind)         (1u << (kind))
#define DKIM             IS(SIGNATURE_DKIM)
#define MESSAGE          IS(SIGNATURE_ARC_MESSAGE)
#define SEAL             IS(SIGNATURE_ARC_SEAL)
#define ARC_INSTANCE_MAX 50

struct tag_row {
        struct span name;
        unsigned needed_by, taken_by; /* kinds */
        /* NULL: it is well. */
        const char *(*read)(struct auth_signature *signature, const struct auth_header *header,
                            const struct tag *tag);
};

static const char *fail(struct auth_signature *signature, enum auth_result result, const char *reason)
{
        signature->result = result;
        return reason;
}

static const char *read_version(struct auth_signature *signature, const struct auth_header *header,
                                const struct tag *tag)
{
        (void)signature, (void)header;
        return span_equals(tag->value, SPAN("1")) ? NULL : "the version of the signature is unknown";
}

static const char *read_algorithm(struct auth_signature *signature, const struct auth_header *header,
                                  const struct tag *tag)
{
        (void)header;
        if (span_equals_nocase(tag->value, SPAN("rsa-sha1")))
                return fail(signature, AUTH_FAIL, "rsa-sha1 is no longer a signature");
        signature->key = span_equals_nocase(tag->value, SPAN("ed25519-sha256")) ? KEY_ED25519 : KEY_RSA;
        return signature->key == KEY_ED25519 || span_equals_nocase(tag->value, SPAN("rsa-sha256"))
                   ? NULL
                   : "the algorithm of the signature is unknown";
}

static const char *read_value(struct auth_signature *signature, const struct auth_header *header,
                              const struct tag *tag)
{
        (void)header;
        signature->value = tag->value;
        signature->hole = tag->raw;
        return tag->value.length > 0 ? NULL : "b= is empty";
}

static const char *read_body_digest(struct auth_signature *signature, const struct auth_header *header,
                                    const struct tag *tag)
{
        uint8_t octets[AUTH_DIGEST_SIZE];
        size_t length;

        (void)header;
        if (!tag_base64(tag->value, octets, sizeof octets, &length) || length != sizeof octets)
                return "bh= is no digest";
        memcpy(signature->body_digest, octets, sizeof octets);
        return NULL;
}

static bool canon_read(struct span name, enum canon *ret_canon)
{
        *ret_canon = span_equals_nocase(name, SPAN("relaxed")) ? CANON_RELAXED : CANON_SIMPLE;
        return *ret_canon == CANON_RELAXED || span_equals_nocase(name, SPAN("simple"));
}

static const char *read_canon(struct auth_signature *signature, const struct auth_header *header,
                              const struct tag *tag)
{
        size_t slash = span_find(tag->value, '/');
        struct span first = span_of(tag->value.at, slash == SIZE_MAX ? tag->value.length : slash);
        bool is_known = canon_read(first, &signature->header_canon);

        (void)header;
        if (is_known && slash != SIZE_MAX)
                is_known = canon_read(span_skip(tag->value, slash + 1), &signature->body_canon);
        return is_known ? NULL : "the canonical form is unknown";
}

/* A name in its form for DNS, in the arena: U-labels may stand in a message of RFC 6532 (RFC 8616 4). NULL, or
 * `fault`, or that memory is out. */
static const char *name_make(struct auth_signature *signature, const struct auth_header *header,
                             struct span name, const char *fault, struct span *ret_name)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text ascii;

        text_over(&ascii, octets, sizeof octets);
        if (name.length > (size_t)2 * DOMAIN_NAME_MAX || !domain_name_to_ascii(name, &ascii) ||
            ascii.overflowed || !domain_name_is_valid(text_span(&ascii), false))
                return fault;
        *ret_name = arena_copy(header->arena, text_span(&ascii));
        return ret_name->at != NULL ? NULL : fail(signature, AUTH_TEMPERROR, "memory is out");
}

static const char *read_domain(struct auth_signature *signature, const struct auth_header *header,
                               const struct tag *tag)
{
        return name_make(signature, header, tag->value, "d= is no domain", &signature->domain);
}

/* Selectors are labels, with whatever their owners name keys by. */
static const char *read_selector(struct auth_signature *signature, const struct auth_header *header,
                                 const struct tag *tag)
{
        char octets[DOMAIN_NAME_MAX];
        struct text lower;

        if (tag->value.length == 0 || tag->value.length > sizeof octets)
                return "s= is no selector";
        for (size_t i = 0; i < tag->value.length; i++) {
                char c = tag->value.at[i];
                if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
                        return "s= is no selector";
        }
        text_over(&lower, octets, sizeof octets);
        text_put_lower(&lower, tag->value);
        signature->selector = arena_copy(header->arena, text_span(&lower));
        return signature->selector.at != NULL ? NULL : fail(signature, AUTH_TEMPERROR, "memory is out");
}

static const char *read_identity(struct auth_signature *signature, const struct auth_header *header,
                                 const struct tag *tag)
{
        size_t at = span_find_last(tag->value, '@');

        return at == SIZE_MAX ? "i= is no mailbox"
                              : name_make(signature, header, span_skip(tag->value, at + 1),
                                          "i= is no mailbox", &signature->identity);
}

static const char *read_names(struct auth_signature *signature, const struct auth_header *header,
                              const struct tag *tag)
{
        struct span rest = tag->value, name;
        bool has_from = false;
        size_t count = 0;

        (void)header;
        for (; rest.length > 0; count++) {
                if (count == SIGNATURE_NAMES_MAX)
                        return fail(signature, AUTH_POLICY, "h= has more names than are judged");
                name = tag_take(&rest, ':');
                has_from = has_from || span_equals_nocase(name, SPAN("from"));
                /* RFC 8617 4.1.2: a seal covers the whole chain, so that no message signature does. */
                if (signature->kind == SIGNATURE_ARC_MESSAGE && span_equals_nocase(name, SPAN("arc-seal")))
                        return "h= names ARC-Seal";
        }
        signature->names = tag->value;
        if (count == 0)
                return "h= is empty";
        return has_from ? NULL : fail(signature, AUTH_PERMERROR, "From is not signed");
}

static bool number_read(struct span value, uint64_t *ret_number)
{
        return value.length <= 19 && span_number(value, ret_number);
}

static const char *read_length(struct auth_signature *signature, const struct auth_header *header,
                               const struct tag *tag)
{
        (void)header;
        signature->has_length = true;
        return number_read(tag->value, &signature->length) ? NULL : "l= is no number";
}

/* dns/txt is the one way to ask for a key. */
static const char *read_queries(struct auth_signature *signature, const struct auth_header *header,
                                const struct tag *tag)
{
        struct span rest = tag->value;

        (void)signature, (void)header;
        while (rest.length > 0)
                if (span_equals_nocase(tag_take(&rest, ':'), SPAN("dns/txt")))
                        return NULL;
        return "the key is not in DNS";
}

static const char *read_signed_at(struct auth_signature *signature, const struct auth_header *header,
                                  const struct tag *tag)
{
        (void)header;
        return number_read(tag->value, &signature->signed_at_s) ? NULL : "t= is no time";
}

static const char *read_expires_at(struct auth_signature *signature, const struct auth_header *header,
                                   const struct tag *tag)
{
        (void)header;
        return number_read(tag->value, &signature->expires_at_s) ? NULL : "x= is no time";
}

static const char *read_instance(struct auth_signature *signature, const struct auth_header *header,
                                 const struct tag *tag)
{
        uint64_t number;

        (void)header;
        if (!number_read(tag->value, &number) || number == 0 || number > ARC_INSTANCE_MAX)
                return "i= is no instance";
        signature->instance = (uint16_t)number;
        return NULL;
}

static const char *read_cv(struct auth_signature *signature, const struct auth_header *header,
                           const struct tag *tag)
{
        (void)header;
        signature->cv = span_equals_nocase(tag->value, SPAN("pass"))   ? ARC_CV_PASS
                        : span_equals_nocase(tag->value, SPAN("none")) ? ARC_CV_NONE
                                                                       : ARC_CV_FAIL;
        return signature->cv != ARC_CV_FAIL || span_equals_nocase(tag->value, SPAN("fail"))
                   ? NULL
                   : "cv= is unknown";
}

/* RFC 8617 4.1.3: a seal with it is none. */
static const char *read_forbidden(struct auth_signature *signature, const struct auth_header *header,
                                  const struct tag *tag)
{
        (void)signature, (void)header, (void)tag;
        return "the seal has h= or bh=";
}

/* In the order in which they are read: the first fault is told. */
static const struct tag_row rows[] = {
    {{"v", 1}, DKIM, DKIM, read_version},
    {{"i", 1}, MESSAGE | SEAL, MESSAGE | SEAL, read_instance},
    {{"d", 1}, DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_domain},
    {{"s", 1}, DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_selector},
    {{"b", 1}, DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_value},
    {{"a", 1}, DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_algorithm},
    {{"c", 1}, 0, DKIM | MESSAGE, read_canon},
    {{"bh", 2}, DKIM | MESSAGE, DKIM | MESSAGE, read_body_digest},
    {{"h", 1}, DKIM | MESSAGE, DKIM | MESSAGE, read_names},
    {{"l", 1}, 0, DKIM | MESSAGE, read_length},
    {{"q", 1}, 0, DKIM | MESSAGE, read_queries},
    {{"t", 1}, 0, DKIM | MESSAGE | SEAL, read_signed_at},
    {{"x", 1}, 0, DKIM | MESSAGE, read_expires_at},
    {{"cv", 2}, SEAL, SEAL, read_cv},
    {{"i", 1}, 0, DKIM, read_identity},
    {{"h", 1}, 0, SEAL, read_forbidden},
    {{"bh", 2}, 0, SEAL, read_forbidden},
};

#define ROWS (sizeof rows / sizeof *rows)

/* Two tags at odds with each other. */
static const char *check_together(struct auth_signature *signature)
{
        if (signature->identity.length > 0 && !domain_name_is_within(signature->identity, signature->domain))
                return fail(signature, AUTH_PERMERROR, "i= is not within d=");
        if (signature->expires_at_s > 0 && signature->expires_at_s < signature->signed_at_s)
                return "it expires before it was signed";
        return NULL;
}

static const char *read_tags(struct auth_signature *signature, const struct auth_header *header,
                             const struct tag *tags)
{
        const char *fault = NULL;
        unsigned kind = IS(signature->kind);

        for (size_t i = 0; i < ROWS && fault == NULL; i++)
                if (tags[i].name.at != NULL && (rows[i].taken_by & kind) != 0)
                        fault = rows[i].read(signature, header, &tags[i]);
                else if (tags[i].name.at == NULL && (rows[i].needed_by & kind) != 0)
                        fault = "a tag is missing";
        return fault != NULL ? fault : check_together(signature);
}

static const char *read_all(struct auth_signature *signature, const struct auth_header *header,
                            struct span value)
{
        struct span names[ROWS];
        struct tag tags[ROWS];

        if (value.length > SIGNATURE_FIELD_MAX)
                return fail(signature, AUTH_POLICY, "the field is too long");
        for (size_t i = 0; i < ROWS; i++)
                names[i] = rows[i].name;
        switch (tag_list_read(value, names, ROWS, tags)) {
        case TAG_LIST_BAD:
                return "the field is no list of tags";
        case TAG_LIST_TWICE:
                return "a tag stands twice";
        case TAG_LIST_WELL:
                break;
        }
        return read_tags(signature, header, tags);
}

void signature_parse(const struct auth_header *header, size_t field, enum signature_kind kind,
                     struct auth_signature *ret_signature)
{
        const char *fault;

        *ret_signature = (struct auth_signature){
            .kind = kind, .field = (uint16_t)field, .result = AUTH_NEUTRAL, .reason = ""};
        fault = read_all(ret_signature, header, auth_field_value(header, field));
        if (fault == NULL)
                ret_signature->result = AUTH_WAIT;
        else
                ret_signature->reason = fault;
}

const char *signature_algorithm_name(const struct auth_signature *signature)
{
        return signature->key == KEY_RSA ? "rsa-sha256" : "ed25519-sha256";
}

uint16_t arc_instance_read(struct span value)
{
        struct auth_signature signature = {.instance = 0};
        struct tag tag;

        if (tag_next(&value, &tag) != TAG_FOUND || !span_equals(tag.name, SPAN("i")))
                return 0;
        read_instance(&signature, NULL, &tag);
        return signature.instance;
}
