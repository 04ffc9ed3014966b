/* Parser of SPF records. Terms are parsed as they are met, so that a record of any shape costs no memory. */
#include "core/check/spf/term.h"

#include "core/base/expect.h"
#include "core/check/spf/macro.h"

static const struct span version = {"v=spf1", 6};

enum domain_rule { DOMAIN_NEVER, DOMAIN_MAY, DOMAIN_MUST };

static const struct mechanism {
        struct span name;
        enum spf_term_kind kind;
        enum domain_rule domain;
        bool has_prefixes; /* dual-cidr-length */
} mechanisms[] = {
    {{"all", 3}, SPF_TERM_ALL, DOMAIN_NEVER, false}, {{"include", 7}, SPF_TERM_INCLUDE, DOMAIN_MUST, false},
    {{"a", 1}, SPF_TERM_A, DOMAIN_MAY, true},        {{"mx", 2}, SPF_TERM_MX, DOMAIN_MAY, true},
    {{"ptr", 3}, SPF_TERM_PTR, DOMAIN_MAY, false},   {{"ip4", 3}, SPF_TERM_IP4, DOMAIN_NEVER, false},
    {{"ip6", 3}, SPF_TERM_IP6, DOMAIN_NEVER, false}, {{"exists", 6}, SPF_TERM_EXISTS, DOMAIN_MUST, false},
};

/* Takes "/24" (or "//64" with slashes 2) off the end, when it is there; false when its number is not allowed:
 * no leading zero, at most `max`. */
static bool prefix_strip(struct span *rest, size_t slashes, unsigned max, uint8_t *prefix)
{
        size_t digits = 0;
        uint64_t number;

        while (digits < 3 && digits < rest->length && ascii_is_digit(rest->at[rest->length - 1 - digits]))
                digits++;
        if (digits == 0 || rest->length < digits + slashes)
                return true;
        struct span number_text = span_skip(*rest, rest->length - digits);
        size_t kept = rest->length - digits - slashes;
        if (memcmp(rest->at + kept, "//", slashes) != 0)
                return true;
        if (!span_number(number_text, &number) || number > max || (digits > 1 && number_text.at[0] == '0'))
                return false;
        *prefix = (uint8_t)number;
        rest->length = kept;
        return true;
}

/* ":192.0.2.0/24" or ":2001:db8::/32" */
static bool network_parse_spec(struct span rest, struct spf_term *term)
{
        bool is_ip6 = term->kind == SPF_TERM_IP6;

        if (!prefix_strip(&rest, 1, is_ip6 ? 128 : 32, is_ip6 ? &term->prefix6 : &term->prefix4))
                return false;
        if (rest.length == 0 || rest.at[0] != ':')
                return false;
        rest = span_skip(rest, 1);
        return (span_find(rest, ':') != SIZE_MAX) == is_ip6 && address_parse(rest, &term->network);
}

/* What follows a mechanism's name. */
static bool arguments_parse(const struct mechanism *mechanism, struct span rest, struct spf_term *term)
{
        if (mechanism->kind == SPF_TERM_IP4 || mechanism->kind == SPF_TERM_IP6)
                return network_parse_spec(rest, term);
        if (mechanism->has_prefixes &&
            (!prefix_strip(&rest, 2, 128, &term->prefix6) || !prefix_strip(&rest, 1, 32, &term->prefix4)))
                return false;
        if (rest.length == 0)
                return mechanism->domain != DOMAIN_MUST;
        if (mechanism->domain == DOMAIN_NEVER || rest.at[0] != ':')
                return false;
        term->domain_spec = span_skip(rest, 1);
        return spf_domain_spec_is_valid(term->domain_spec, SPF_TERM_MACROS_MAX);
}

static bool mechanism_parse(struct span text, struct spf_term *term)
{
        size_t length = 0;

        switch (text.at[0]) {
        case '-':
                term->qualifier = SPF_FAIL;
                break;
        case '~':
                term->qualifier = SPF_SOFTFAIL;
                break;
        case '?':
                term->qualifier = SPF_NEUTRAL;
                break;
        default:
                break;
        }
        if (text.at[0] == '+' || term->qualifier != SPF_PASS)
                text = span_skip(text, 1);
        while (length < text.length && text.at[length] != ':' && text.at[length] != '/')
                length++;
        for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
                if (span_equals_nocase(span_of(text.at, length), mechanisms[i].name)) {
                        term->kind = mechanisms[i].kind;
                        return arguments_parse(&mechanisms[i], span_skip(text, length), term);
                }
        return false;
}

/* Length of the name of a modifier: the term has a '=' behind it. 0: a directive. */
static size_t modifier_name(struct span text)
{
        size_t length = 0;

        if (text.length == 0 || !ascii_is_alpha(text.at[0]))
                return 0;
        while (length < text.length && (ascii_is_alnum(text.at[length]) ||
                                        (text.at[length] != '\0' && strchr("-_.", text.at[length]))))
                length++;
        return length < text.length && text.at[length] == '=' ? length : 0;
}

static bool term_parse(struct span text, struct spf_term *ret_term)
{
        struct spf_term term = {.text = text, .qualifier = SPF_PASS, .prefix4 = 32, .prefix6 = 128};
        size_t name_length = modifier_name(text);
        struct span name = span_of(text.at, name_length);
        bool is_valid;

        if (name_length == 0) {
                is_valid = mechanism_parse(text, &term);
        } else {
                struct span value = span_skip(text, name_length + 1);
                term.kind = span_equals_nocase(name, SPAN("redirect")) ? SPF_TERM_REDIRECT
                            : span_equals_nocase(name, SPAN("exp"))    ? SPF_TERM_EXPLANATION
                                                                       : SPF_TERM_UNKNOWN;
                term.domain_spec = value;
                is_valid = term.kind == SPF_TERM_UNKNOWN
                               ? spf_macro_is_valid(value, false, SPF_TERM_MACROS_MAX)
                               : spf_domain_spec_is_valid(value, SPF_TERM_MACROS_MAX);
        }
        *ret_term = term;
        return is_valid;
}

/* Spaces, and nothing else, end a term. */
static bool text_next(struct span *rest, struct span *ret_text)
{
        while (rest->length > 0 && rest->at[0] == ' ')
                *rest = span_skip(*rest, 1);
        if (rest->length == 0)
                return false;
        size_t length = span_find(*rest, ' ');
        *ret_text = span_of(rest->at, length == SIZE_MAX ? rest->length : length);
        *rest = span_skip(*rest, ret_text->length);
        return true;
}

bool spf_record_is_version1(struct span record)
{
        return span_starts_nocase(record, version) &&
               (record.length == version.length || record.at[version.length] == ' ');
}

struct span spf_record_terms(struct span record)
{
        return span_skip(record, version.length);
}

/* 6: once each. */
static bool modifier_keep(struct span *kept, const struct spf_term *term)
{
        if (kept->length > 0)
                return false;
        *kept = term->domain_spec;
        return true;
}

static const char *term_check(struct span text, struct spf_modifiers *modifiers)
{
        struct spf_term term;

        if (text.length > SPF_TERM_MAX)
                return "term too long";
        if (!term_parse(text, &term))
                return "ill-formed term";
        if ((term.kind == SPF_TERM_REDIRECT && !modifier_keep(&modifiers->redirect, &term)) ||
            (term.kind == SPF_TERM_EXPLANATION && !modifier_keep(&modifiers->explanation, &term)))
                return "modifier twice";
        return NULL;
}

const char *spf_record_check(struct span record, struct spf_modifiers *ret_modifiers, struct span *ret_term)
{
        struct span rest = spf_record_terms(record), text = {"", 0};
        const char *problem = record.length > SPF_RECORD_MAX ? "record too long" : NULL;
        struct spf_modifiers modifiers = {0};

        while (problem == NULL && text_next(&rest, &text))
                problem = term_check(text, &modifiers);
        *ret_modifiers = modifiers;
        *ret_term = text;
        return problem;
}

bool spf_term_next(struct span *rest, struct spf_term *ret_term)
{
        struct span text;

        if (!text_next(rest, &text))
                return false;
        expect(term_parse(text, ret_term));
        return true;
}
