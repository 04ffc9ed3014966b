/* Names: normal form, and out of the wire form. */
#include "dns/name.h"

#include <libpsl.h>

#define AUTHORITY_LABELS_MAX 5 /* no public suffix that a registry runs has more than four */

static bool octet_can_be_asked(char octet)
{
        return octet != '\\' && octet > 0 && !ascii_is_control(octet);
}

/* Of octets that can all be asked, but for dots and backslashes. */
static bool labels_are_valid(struct span name)
{
        size_t begin = 0;

        for (size_t i = 0; i < name.length; i++) {
                if (name.at[i] == '\\' || (name.at[i] == '.' && (i == begin || i - begin > DNS_LABEL_MAX)))
                        return false;
                if (name.at[i] == '.')
                        begin = i + 1;
        }
        return begin < name.length && name.length - begin <= DNS_LABEL_MAX;
}

bool dns_name_normalise(struct span name, struct text *text)
{
        if (name.length > 0 && name.at[name.length - 1] == '.')
                name.length--;
        if (name.length > DNS_NAME_MAX || name.length > text_room(text) || !span_is_ascii(name) ||
            span_has_control(name) || !labels_are_valid(name))
                return false;
        text_put_lower(text, name);
        return true;
}

static void label_put(struct text *text, struct span label)
{
        for (size_t i = 0; i < label.length; i++) {
                unsigned char octet = (unsigned char)label.at[i];
                if (octet_can_be_asked(label.at[i]) && octet != '.')
                        text_put_char(text, ascii_lower(label.at[i]));
                else
                        text_printf(text, "\\%03u", octet);
        }
}

bool dns_name_from_wire(struct span wire, struct text *text)
{
        size_t before = text->length;

        for (size_t at = 0; at < wire.length;) {
                size_t length = (unsigned char)wire.at[at++];
                if (length == 0 && at == wire.length)
                        return true;
                if (length == 0 || length > DNS_LABEL_MAX || length > wire.length - at)
                        break;
                if (text->length > before)
                        text_put_char(text, '.');
                label_put(text, span_of(wire.at + at, length));
                at += length;
        }
        text->length = before;
        return false;
}

/* The last `labels` labels, or all of them. */
static struct span last_labels(struct span name, unsigned labels)
{
        size_t at = name.length;

        while (at > 0 && (name.at[at - 1] != '.' || --labels > 0))
                at--;
        return span_skip(name, at);
}

/* A registry's: what it gives out is somebody's. Suffixes of companies are not, because one server answers for
 * all that is below them. */
static bool is_public_suffix(struct span name)
{
        char octets[DNS_NAME_MAX + 1];

        if (name.length >= sizeof octets)
                return false;
        memcpy(octets, name.at, name.length);
        octets[name.length] = '\0';
        return psl_is_public_suffix2(psl_builtin(), octets, PSL_TYPE_ICANN) == 1;
}

struct span dns_name_authority(struct span name)
{
        struct span authority = last_labels(name, 2);

        if (span_equals(authority, SPAN("in-addr.arpa")))
                return last_labels(name, 4); /* a /16 */
        if (span_equals(authority, SPAN("ip6.arpa")))
                return last_labels(name, 10); /* a /32 */
        for (unsigned labels = 3; labels <= AUTHORITY_LABELS_MAX && is_public_suffix(authority); labels++)
                authority = last_labels(name, labels);
        return authority;
}
