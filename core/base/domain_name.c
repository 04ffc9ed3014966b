/* Domain names: syntax, comparison, A-labels by libidn2. */
#include "core/base/domain_name.h"

#include <idn2.h>

/* Letters, digits and hyphens. */
static bool label_octet_is_valid(char c, bool utf8)
{
        static const uint64_t members[2] = {0x03ff200000000000, 0x07fffffe07fffffe};
        unsigned char octet = (unsigned char)c;
        return octet < 0x80 ? members[octet / 64] >> octet % 64 & 1 : utf8;
}

static bool label_ends_are_valid(struct span label)
{
        return label.length > 0 && label.length <= 63 && label.at[0] != '-' &&
               label.at[label.length - 1] != '-';
}

bool domain_name_is_valid(struct span name, bool utf8)
{
        size_t begin = 0;

        if (name.length == 0 || name.length > DOMAIN_NAME_MAX || (utf8 && !span_is_utf8(name)))
                return false;
        for (size_t i = 0; i < name.length; i++) {
                if (name.at[i] != '.' && !label_octet_is_valid(name.at[i], utf8))
                        return false;
                if (name.at[i] != '.')
                        continue;
                if (!label_ends_are_valid(span_of(name.at + begin, i - begin)))
                        return false;
                begin = i + 1;
        }
        return label_ends_are_valid(span_skip(name, begin));
}

static const char *label_host_fault(struct span label)
{
        if (label.length == 0)
                return "it has an empty label";
        if (label.length > 63)
                return "it has a label of more than 63 octets";
        for (size_t i = 0; i < label.length; i++)
                if (!label_octet_is_valid(label.at[i], false) && label.at[i] != '_')
                        return "it has an octet that no host name has";
        if (label.at[0] == '-' || label.at[label.length - 1] == '-')
                return "a label begins or ends with a hyphen";
        return NULL;
}

const char *domain_name_host_fault(struct span name)
{
        for (;;) {
                size_t dot = span_find(name, '.');
                const char *fault = label_host_fault(span_of(name.at, dot == SIZE_MAX ? name.length : dot));
                if (fault != NULL || dot == SIZE_MAX)
                        return fault;
                name = span_skip(name, dot + 1);
        }
}

struct span domain_name_without_dot(struct span name)
{
        if (name.length > 1 && name.at[name.length - 1] == '.')
                name.length--;
        return name;
}

struct span domain_name_tld(struct span name)
{
        size_t dot = span_find_last(name, '.');
        return dot == SIZE_MAX ? name : span_skip(name, dot + 1);
}

bool domain_name_is_qualified(struct span name)
{
        struct span tld = domain_name_tld(name);
        bool is_number = true;

        for (size_t i = 0; i < tld.length; i++)
                is_number = is_number && ascii_is_digit(tld.at[i]);
        return tld.length < name.length && !is_number;
}

bool domain_name_is_within(struct span name, struct span parent)
{
        if (!span_ends_nocase(name, parent))
                return false;
        return name.length == parent.length || name.at[name.length - parent.length - 1] == '.';
}

/* What libidn2 reads ends with a NUL. */
static bool put_terminated(struct span name, char *octets)
{
        if (name.length > DOMAIN_NAME_MAX || memchr(name.at, '\0', name.length) != NULL)
                return false;
        memcpy(octets, name.at, name.length);
        octets[name.length] = '\0';
        return true;
}

static bool to_ascii_by_idn2(struct span name, struct text *text)
{
        char u_labels[DOMAIN_NAME_MAX + 1];
        char *a_labels = NULL;

        if (!put_terminated(name, u_labels) ||
            idn2_to_ascii_8z(u_labels, &a_labels, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
                return false;
        text_put_string(text, a_labels);
        idn2_free(a_labels);
        return true;
}

bool domain_name_to_ascii(struct span name, struct text *text)
{
        if (!span_is_ascii(name))
                return to_ascii_by_idn2(name, text);
        text_put_lower(text, name);
        return true;
}

bool domain_name_to_unicode(struct span name, struct text *text)
{
        char a_labels[DOMAIN_NAME_MAX + 1];
        char *u_labels = NULL;

        if (!put_terminated(name, a_labels) || idn2_to_unicode_8z8z(a_labels, &u_labels, 0) != IDN2_OK)
                return false;
        text_put_string(text, u_labels);
        idn2_free(u_labels);
        return true;
}

struct span address_domain(struct span address)
{
        size_t at = span_find_last(address, '@');
        return at == SIZE_MAX ? span_of(address.at, 0) : span_skip(address, at + 1);
}
