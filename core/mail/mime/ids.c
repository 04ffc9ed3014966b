/* Message ids in the value of a field, or in what stands in running text like one: within brackets or without
 * them, and in HTML behind entities and among tags. They are given out one by one, so that a value may have any
 * number of them. */
#include "core/mail/mime/internal.h"

void mime_ids_begin(struct mime_scan *scan, enum mime_ids_in in)
{
        scan->ids.in = in;
        scan->ids.state = MIME_IDS_BETWEEN;
        scan->ids.word = MIME_WORD_NONE;
        scan->ids.is_behind_blank = true;
        scan->ids.is_over = scan->ids.is_joined = false;
        scan->value_length = 0;
}

/* Into `state` with the octets that it keeps yet to come. */
static void enter(struct mime_scan *scan, enum mime_ids_state state)
{
        mime_spend(scan);
        scan->ids.state = state;
        scan->value_length = 0;
}

static void leave(struct mime_scan *scan)
{
        scan->ids.state = scan->ids.is_over ? MIME_IDS_JUNK : MIME_IDS_BETWEEN;
}

static void keep(struct mime_scan *scan, char octet, enum mime_ids_state when_full)
{
        if (scan->value_length < MIME_VALUE_MAX)
                scan->value[scan->value_length++] = octet;
        else
                scan->ids.state = when_full;
}

static struct span kept(const struct mime_scan *scan)
{
        return span_of(scan->value, scan->value_length);
}

/* ---- without brackets */

enum { SEPARATES = 1, OPENS = 2, CLOSES = 4 };

static const uint8_t marks[256] = {['>'] = SEPARATES,
                                   [','] = SEPARATES | CLOSES,
                                   [';'] = SEPARATES | CLOSES,
                                   ['('] = OPENS,
                                   ['['] = OPENS,
                                   ['{'] = OPENS,
                                   ['"'] = OPENS | CLOSES,
                                   ['\''] = OPENS | CLOSES,
                                   ['`'] = OPENS | CLOSES,
                                   ['*'] = OPENS | CLOSES,
                                   [')'] = CLOSES,
                                   [']'] = CLOSES,
                                   ['}'] = CLOSES,
                                   ['.'] = CLOSES,
                                   [':'] = CLOSES};

static bool is_mark(char octet, unsigned what)
{
        return (marks[(unsigned char)octet] & what) != 0;
}

static struct span trim_marks(struct span token)
{
        while (token.length > 0 && is_mark(token.at[0], OPENS))
                token = span_skip(token, 1);
        while (token.length > 0 && is_mark(token.at[token.length - 1], CLOSES))
                token.length--;
        return token;
}

static bool has_letters(struct span token)
{
        for (size_t i = 0; i < token.length; i++)
                if (ascii_is_alnum(token.at[i]))
                        return true;
        return false;
}

/* What is neither an id nor a mere mark says that those without brackets are over: they are words. */
static enum mime_step token_end(struct mime_scan *scan)
{
        struct span token = trim_marks(kept(scan));
        size_t at = span_find_last(token, '@');

        if (at != SIZE_MAX && at > 0 && at + 1 < token.length) {
                scan->ids.state = MIME_IDS_BETWEEN;
                scan->reference = token;
                return MIME_STEP_REFERENCE;
        }
        scan->ids.is_over = has_letters(token);
        leave(scan);
        return MIME_STEP_NONE;
}

/* ---- entities and tags of HTML, which get into plain text too */

#define ENTITY_MAX 8 /* octets, "&" and no ";" */

static int entity_number(struct span digits)
{
        int base = 10, number = 0;

        if (digits.length > 0 && ascii_lower(digits.at[0]) == 'x') {
                base = 16;
                digits = span_skip(digits, 1);
        }
        for (size_t i = 0; i < digits.length; i++) {
                int value = mime_hex_value(digits.at[i]);
                if (value < 0 || value >= base)
                        return -1;
                number = number * base + value;
        }
        return number > 0 && number < 0x80 ? number : -1;
}

/* What "&NAME;" stands for, or -1. */
static int entity_value(struct span name)
{
        static const struct {
                struct span name;
                char octet;
        } entities[] = {{{"lt", 2}, '<'},   {{"gt", 2}, '>'},     {{"amp", 3}, '&'},
                        {{"quot", 4}, '"'}, {{"commat", 6}, '@'}, {{"nbsp", 4}, ' '}};

        if (name.length > 1 && name.at[0] == '#')
                return entity_number(span_skip(name, 1));
        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
                if (name.length == entities[i].name.length && (name.at[0] | 0x20) == entities[i].name.at[0] &&
                    span_equals_nocase(name, entities[i].name))
                        return entities[i].octet;
        return -1;
}

/* At a ";": takes the entity that it ends off what was kept. -1: there is none. */
static int take_entity(struct mime_scan *scan)
{
        struct span whole = kept(scan);
        struct span tail = span_skip(whole, whole.length > ENTITY_MAX ? whole.length - ENTITY_MAX : 0);
        size_t at = span_find_last(tail, '&');

        if (at == SIZE_MAX)
                return -1;
        int octet = entity_value(span_skip(tail, at + 1));
        if (octet < 0)
                return -1;
        mime_spend(scan);
        scan->value_length = (uint16_t)(scan->value_length - (tail.length - at));
        if (scan->ids.state == MIME_IDS_TOKEN && scan->value_length == 0)
                scan->ids.state = MIME_IDS_BETWEEN;
        return octet;
}

/* Tags that end a line to the eye. */
static bool is_break(struct span tag)
{
        static const struct span names[] = {{"br", 2}, {"p", 1},     {"div", 3}, {"tr", 2}, {"li", 2},
                                            {"hr", 2}, {"table", 5}, {"ul", 2},  {"dt", 2}, {"pre", 3}};

        if (tag.length > 0 && tag.at[0] == '/')
                tag = span_skip(tag, 1);
        if (tag.length > 0 && tag.at[tag.length - 1] == '/')
                tag.length--;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (span_equals_nocase(tag, names[i]))
                        return true;
        return false;
}

/* "<x@y>" is an id that was not made HTML, unless it is a tag. */
static enum mime_step tag_octet(struct mime_scan *scan, char octet)
{
        struct span tag = kept(scan);

        if (octet != '>' && !mime_is_blank(octet)) {
                keep(scan, octet, MIME_IDS_TAG_REST);
                return MIME_STEP_NONE;
        }
        if (is_break(tag))
                scan->ids.is_over = true;
        scan->ids.state = octet == '>' ? MIME_IDS_BETWEEN : MIME_IDS_TAG_REST;
        if (octet != '>' || span_find(tag, '@') == SIZE_MAX || span_find(tag, '"') < tag.length ||
            span_find(tag, '\'') < tag.length)
                return MIME_STEP_NONE;
        scan->reference = tag;
        return MIME_STEP_REFERENCE;
}

/* ---- octets */

static enum mime_step token_octet(struct mime_scan *scan, char octet)
{
        if (!mime_is_blank(octet) && octet != '<' && !is_mark(octet, SEPARATES)) {
                keep(scan, octet, MIME_IDS_JUNK);
                scan->ids.is_over = scan->ids.state == MIME_IDS_JUNK;
                return MIME_STEP_NONE;
        }
        return token_end(scan);
}

/* Blanks within an id are folding, or belong to nothing. In text, an id that goes on in the next line has none:
 * else it would be a line of its own. */
static void bracket_octet(struct mime_scan *scan, char octet)
{
        struct mime_ids *ids = &scan->ids;

        if (!mime_is_blank(octet))
                keep(scan, octet, MIME_IDS_TOO_LONG);
        else if (ids->is_joined && !ids->is_behind_blank)
                ids->is_over = true;
}

static enum mime_step bracket_end(struct mime_scan *scan)
{
        leave(scan);
        scan->reference = kept(scan);
        return MIME_STEP_REFERENCE;
}

/* "<": raw, or an entity. */
static enum mime_step bracket_begin(struct mime_scan *scan, bool is_raw)
{
        struct mime_ids *ids = &scan->ids;
        enum mime_step step = ids->state == MIME_IDS_TOKEN ? token_end(scan) : MIME_STEP_NONE;

        if (ids->in == MIME_IDS_IN_HTML && is_raw && ids->state == MIME_IDS_BRACKET) {
                ids->state = MIME_IDS_INNER_TAG;
                return step;
        }
        /* In text, what was open was no id, and what follows may be a mailbox. */
        if (ids->in != MIME_IDS_IN_FIELD && ids->state == MIME_IDS_BRACKET && scan->value_length > 0)
                ids->is_over = true;
        enter(scan, ids->in == MIME_IDS_IN_HTML && is_raw ? MIME_IDS_TAG : MIME_IDS_BRACKET);
        return step;
}

static enum mime_step other_octet(struct mime_scan *scan, char octet)
{
        switch (scan->ids.state) {
        case MIME_IDS_BETWEEN:
                if (mime_is_blank(octet) || is_mark(octet, SEPARATES))
                        break;
                enter(scan, MIME_IDS_TOKEN);
                keep(scan, octet, MIME_IDS_JUNK);
                break;
        case MIME_IDS_TOKEN:
                return token_octet(scan, octet);
        case MIME_IDS_BRACKET:
                if (octet == '>')
                        return bracket_end(scan);
                bracket_octet(scan, octet);
                break;
        case MIME_IDS_TAG:
                return tag_octet(scan, octet);
        case MIME_IDS_TAG_REST:
        case MIME_IDS_TOO_LONG:
                if (octet == '>')
                        leave(scan);
                break;
        case MIME_IDS_INNER_TAG:
                if (octet == '>')
                        scan->ids.state = MIME_IDS_BRACKET;
                break;
        case MIME_IDS_JUNK:
                break;
        }
        return MIME_STEP_NONE;
}

enum mime_step mime_id_octet(struct mime_scan *scan, char octet)
{
        struct mime_ids *ids = &scan->ids;
        bool is_raw = true, is_in_tag = ids->state == MIME_IDS_TAG || ids->state == MIME_IDS_TAG_REST ||
                                        ids->state == MIME_IDS_INNER_TAG;
        bool may_be_entity = ids->state == MIME_IDS_TOKEN || ids->state == MIME_IDS_BRACKET;

        if (octet == ';' && ids->in != MIME_IDS_IN_FIELD && may_be_entity) {
                int value = take_entity(scan);
                is_raw = value < 0;
                octet = is_raw ? octet : (char)value;
        }
        enum mime_step step =
            octet == '<' && !is_in_tag ? bracket_begin(scan, is_raw) : other_octet(scan, octet);
        ids->is_behind_blank = mime_is_blank(octet);
        return step;
}

enum mime_step mime_ids_line_end(struct mime_scan *scan)
{
        scan->ids.word = MIME_WORD_NONE;
        scan->ids.is_behind_blank = true;
        scan->ids.is_joined = scan->ids.in != MIME_IDS_IN_FIELD && scan->ids.state == MIME_IDS_BRACKET;
        return scan->ids.state == MIME_IDS_TOKEN ? token_end(scan) : MIME_STEP_NONE;
}
