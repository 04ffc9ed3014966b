/* One pass over the value, octet by octet. Of a mailbox only the domain is kept: what follows its "@", within "<>"
 * where there are any. What mail programs are known to read in different ways, such as routes and a second "@", is
 * ill-formed: else somebody would be judged by one domain, and shown with another. */
#include "core/auth/dmarc/author.h"

#include "core/auth/tags.h"

struct scan {
        struct dmarc_author *author;
        unsigned mailboxes;
        /* Of the mailbox that is read. */
        bool has_text, has_at, has_angle, in_angle, is_over; /* over: behind ">" */
        bool is_behind_blank, is_bad;
        char octets[DOMAIN_NAME_MAX * 2];
        struct text domain;
};

static void set(struct dmarc_author *author, enum dmarc_author_kind kind, const char *reason)
{
        author->kind = kind;
        author->reason = reason;
}

static void begin_mailbox(struct scan *scan)
{
        scan->has_text = scan->has_at = scan->has_angle = scan->in_angle = scan->is_over = false;
        scan->is_behind_blank = scan->is_bad = false;
        text_over(&scan->domain, scan->octets, sizeof scan->octets);
}

/* ---- what a mailbox comes to --------------------------------------------------------------------------- */

static void take_domain(struct dmarc_author *author, struct span domain)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text ascii;

        text_over(&ascii, octets, sizeof octets);
        if (!domain_name_to_ascii(domain_name_without_dot(domain), &ascii) || ascii.overflowed ||
            !domain_name_is_valid(text_span(&ascii), false)) {
                set(author, DMARC_AUTHOR_BAD, "what is behind the @ of From is no domain");
        } else if (author->kind == DMARC_AUTHOR_NONE) {
                set(author, DMARC_AUTHOR_ONE, "");
                memcpy(author->octets, ascii.at, ascii.length);
                author->length = (uint8_t)ascii.length;
        } else if (!span_equals(dmarc_author_domain(author), text_span(&ascii))) {
                set(author, DMARC_AUTHOR_SEVERAL, "From has mailboxes of more than one domain");
        }
}

/* False: nothing that follows matters. */
static bool end_mailbox(struct scan *scan)
{
        struct dmarc_author *author = scan->author;

        if ((scan->has_text || scan->has_at) && ++scan->mailboxes > DMARC_MAILBOXES_MAX)
                set(author, DMARC_AUTHOR_BAD, "From has more mailboxes than are read");
        else if (scan->is_bad || scan->in_angle || scan->domain.overflowed)
                set(author, DMARC_AUTHOR_BAD, "From is ill-formed");
        else if (scan->has_at)
                take_domain(author, text_span(&scan->domain));
        else if (scan->has_text)
                set(author, DMARC_AUTHOR_BAD, "From has a mailbox without a domain");
        begin_mailbox(scan);
        return author->kind == DMARC_AUTHOR_NONE || author->kind == DMARC_AUTHOR_ONE;
}

/* ---- octets -------------------------------------------------------------------------------------------- */

/* At the octet that begins a comment: behind its end. SIZE_MAX: it has none. */
static size_t skip_comment(struct span value, size_t at)
{
        size_t depth = 0;

        for (; at < value.length; at++) {
                if (value.at[at] == '\\')
                        at++;
                else if (value.at[at] == '(')
                        depth++;
                else if (value.at[at] == ')' && --depth == 0)
                        return at + 1;
        }
        return SIZE_MAX;
}

/* The same of what is in quotes. */
static size_t skip_quoted(struct span value, size_t at)
{
        for (at++; at < value.length && value.at[at] != '"'; at++)
                if (value.at[at] == '\\')
                        at++;
        return at < value.length ? at + 1 : SIZE_MAX;
}

/* An octet of a domain, or of what stands where one should. */
static void domain_octet(struct scan *scan, char octet)
{
        bool is_label = scan->domain.length > 0 && scan->domain.at[scan->domain.length - 1] != '.';

        /* RFC 5322 4.4: blanks may stand around dots, and nowhere else. */
        if (scan->is_behind_blank && is_label && octet != '.')
                scan->is_bad = true;
        scan->is_behind_blank = false;
        text_put_char(&scan->domain, octet);
}

static void at_sign(struct scan *scan)
{
        scan->is_bad = scan->is_bad || scan->has_at;
        scan->has_at = true;
        scan->is_behind_blank = false;
}

/* What stood in front was the name of a group. False: it is an address, and who reads on may judge by another. */
static bool begin_group(struct scan *scan)
{
        bool is_name = !scan->has_at;

        if (!is_name)
                set(scan->author, DMARC_AUTHOR_BAD, "From is ill-formed");
        begin_mailbox(scan);
        return is_name;
}

/* What stood in front was a name to be shown. */
static void open_angle(struct scan *scan)
{
        begin_mailbox(scan);
        scan->has_angle = scan->in_angle = true;
}

static void close_angle(struct scan *scan)
{
        scan->in_angle = false;
        scan->is_over = true;
}

/* In text of no other meaning. False: nothing that follows matters. */
static bool read_octet(struct scan *scan, char octet)
{
        if (tag_is_blank(octet)) {
                scan->is_behind_blank = true;
        } else if (octet == '<' && !scan->has_angle) {
                open_angle(scan);
        } else if (octet == '>' && scan->in_angle) {
                close_angle(scan);
        } else if ((octet == ',' || octet == ';') && !scan->in_angle) {
                return end_mailbox(scan);
        } else if (octet == ':' && !scan->in_angle && !scan->is_over) {
                return begin_group(scan);
        } else if (scan->is_over || span_find(SPAN("<>:,"), octet) != SIZE_MAX) {
                scan->is_bad = true;
        } else if (octet == '@') {
                at_sign(scan);
        } else if (scan->has_at) {
                domain_octet(scan, octet);
        } else {
                scan->has_text = true;
        }
        return true;
}

static void read_value(struct scan *scan, struct span value)
{
        size_t at = 0;

        begin_mailbox(scan);
        while (at < value.length) {
                if (value.at[at] == '(') {
                        at = skip_comment(value, at);
                        scan->is_behind_blank = true;
                } else if (value.at[at] == '"') {
                        at = skip_quoted(value, at);
                        scan->has_text = true;
                        /* Neither a domain nor what follows an address. */
                        scan->is_bad = scan->is_bad || scan->has_at || scan->is_over;
                } else if (!read_octet(scan, value.at[at++])) {
                        return;
                }
        }
        scan->is_bad = scan->is_bad || at == SIZE_MAX;
        end_mailbox(scan);
}

void dmarc_author_read(const struct auth_header *header, struct dmarc_author *ret_author)
{
        struct scan scan = {.author = ret_author};
        size_t fields = 0, field = 0;

        ret_author->length = 0;
        set(ret_author, DMARC_AUTHOR_NONE, "there is no mailbox in From");
        for (size_t i = 0; i < header->count; i++)
                if (auth_field_is(header, i, SPAN("from"))) {
                        fields++;
                        field = i;
                }
        if (!auth_header_is_kept(header))
                set(ret_author, DMARC_AUTHOR_BAD, "the header could not be kept");
        else if (fields > 1)
                set(ret_author, DMARC_AUTHOR_SEVERAL, "there is more than one From");
        else if (fields == 1)
                read_value(&scan, auth_field_value(header, field));
        if (ret_author->kind != DMARC_AUTHOR_ONE)
                ret_author->length = 0;
}
