/* A field that may be such a one is held back until it ends or is too long, and then judged as a whole. */
#include "core/mail/claims.h"

#include "core/base/domain_name.h"
#include "core/mail/leap.h"
#include "core/mail/line.h"

/* ---- whose field it is --------------------------------------------------------------------------------- */

static bool is_own_name(struct claims *claims, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        struct text ascii;

        while (name.length > 0 && name.at[name.length - 1] == '.')
                name.length--;
        if (span_is_ascii(name))
                return snapshot_own_name(claims->snapshot, name).length > 0;
        if (claims->conversions == CLAIM_CONVERSIONS_MAX)
                return true; /* nobody honest has so many of them */
        claims->conversions++;
        text_over(&ascii, octets, sizeof octets);
        return domain_name_to_ascii(name, &ascii) && !ascii.overflowed &&
               snapshot_own_name(claims->snapshot, text_span(&ascii)).length > 0;
}

/* Octets that end a name which is not quoted. */
enum { BLANK = 1, SPECIAL = 2 };

static const uint8_t classes[256] = {
    [' '] = BLANK,   ['\t'] = BLANK,  ['\r'] = BLANK,  ['\n'] = BLANK,  ['('] = SPECIAL,
    [')'] = SPECIAL, ['<'] = SPECIAL, ['>'] = SPECIAL, ['@'] = SPECIAL, [','] = SPECIAL,
    [';'] = SPECIAL, [':'] = SPECIAL, ['/'] = SPECIAL, ['"'] = SPECIAL, ['='] = SPECIAL,
    ['['] = SPECIAL, [']'] = SPECIAL, ['?'] = SPECIAL, ['\\'] = SPECIAL};

static bool is_blank(char c)
{
        return classes[(unsigned char)c] == BLANK;
}

static void skip_blanks(struct span *rest)
{
        while (rest->length > 0 && is_blank(rest->at[0]))
                *rest = span_skip(*rest, 1);
}

/* CFWS of RFC 5322 3.2.2. */
static void skip_comments(struct span *rest)
{
        size_t at = 0, depth = 0;

        for (; at < rest->length; at++) {
                char c = rest->at[at];
                if (c == '(')
                        depth++;
                else if (c == ')' && depth > 0)
                        depth--;
                else if (c == '\\' && depth > 0)
                        at++;
                else if (depth == 0 && !is_blank(c))
                        break;
        }
        *rest = span_skip(*rest, at);
}

/* A name as it stands at the front, in quotes or not; into `octets`, of DOMAIN_NAME_MAX. */
static struct span take_name(struct span rest, char *octets)
{
        bool is_quoted = rest.length > 0 && rest.at[0] == '"';
        struct text name;

        text_over(&name, octets, DOMAIN_NAME_MAX);
        for (size_t at = is_quoted; at < rest.length; at++) {
                char c = rest.at[at];
                if (is_quoted ? c == '"' : classes[(unsigned char)c] != 0)
                        break;
                if (c == '\\' && at + 1 < rest.length)
                        c = rest.at[++at];
                text_put_char(&name, c);
        }
        return text_span(&name);
}

enum owner { OWNER_UNKNOWN, OWNER_OTHERS, OWNER_US };

/* Of the name at the front. Unknown when it may be longer than what there is. */
static enum owner owner_of(struct claims *claims, struct span rest)
{
        char octets[DOMAIN_NAME_MAX];
        struct span name = take_name(rest, octets);

        if (name.length > 0 && is_own_name(claims, name))
                return OWNER_US;
        return name.length < rest.length ? OWNER_OTHERS : OWNER_UNKNOWN;
}

/* Authentication-Results: the authserv-id comes first. */
static enum owner owner_of_results(struct claims *claims, struct span value)
{
        skip_comments(&value);
        return owner_of(claims, value);
}

/* Behind the key of a pair: it is we whom its value names. Comments may stand on both sides of the "=" (RFC 7208
 * 9.1). `left`: octets of them that are yet read in this field, lest each of many keys has the same comment behind
 * it; nobody honest comes to the end of that. */
static bool is_receiver(struct claims *claims, struct span rest, size_t *left)
{
        size_t length = rest.length;

        skip_comments(&rest);
        if (length - rest.length > *left)
                return true;
        *left -= length - rest.length;
        if (rest.length == 0 || rest.at[0] != '=')
                return false;
        rest = span_skip(rest, 1);
        skip_comments(&rest);
        rest = span_skip(rest, rest.length > 0 && rest.at[0] == '<');
        return owner_of(claims, rest) == OWNER_US;
}

/* Received-SPF: by custom the receiver comes first in the comment behind the result, "pass (mx.example.com:
 * domain of ..."; by RFC 7208 it is one of the pairs, which may be the last one. */
static enum owner owner_of_spf(struct claims *claims, struct span value)
{
        static const struct span key = {"receiver", 8};
        size_t bracket = span_find(value, '(');
        struct span comment = span_skip(value, bracket == SIZE_MAX ? value.length : bracket + 1);
        size_t comments = CLAIM_COMMENTS_MAX;
        unsigned receivers = 0;

        skip_blanks(&comment);
        if (owner_of(claims, comment) == OWNER_US)
                return OWNER_US;
        for (size_t at = 0; at + key.length <= value.length; at++) {
                if ((value.at[at] | 0x20) != 'r' || !line_has_letters(value.at + at, key.at))
                        continue;
                if (++receivers > CLAIM_RECEIVERS_MAX ||
                    is_receiver(claims, span_skip(value, at + key.length), &comments))
                        return OWNER_US;
        }
        return OWNER_UNKNOWN;
}

static const struct kind {
        struct span name;
        enum owner (*owner_of)(struct claims *claims, struct span value);
} kinds[] = {
    {{"authentication-results", 22}, owner_of_results},
    {{"received-spf", 12}, owner_of_spf},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* ---- fields -------------------------------------------------------------------------------------------- */

void claims_init(struct claims *claims, const struct snapshot *snapshot)
{
        claims->snapshot = snapshot;
        claims->removed = claims->conversions = 0;
        claims->state = CLAIMS_START;
        claims->field = CLAIMS_START;
        claims->held_length = 0;
}

static struct span held(const struct claims *claims)
{
        return span_of(claims->held, claims->held_length);
}

static bool let_go(struct claims *claims, struct content *content, struct content_pool *pool)
{
        struct span octets = held(claims);

        claims->held_length = 0;
        return content_append(content, pool, octets);
}

/* The field is complete, or too long. One that is so long and has not said whose it is has something to hide. */
static bool judge(struct claims *claims, bool is_whole, struct content *content, struct content_pool *pool)
{
        struct span value = span_skip(held(claims), span_find(held(claims), ':') + 1);
        enum owner owner = kinds[claims->kind].owner_of(claims, value);

        if (owner == OWNER_OTHERS || (owner == OWNER_UNKNOWN && is_whole)) {
                claims->field = CLAIMS_KEEP;
                return let_go(claims, content, pool);
        }
        claims->field = CLAIMS_REMOVE;
        claims->removed++;
        claims->held_length = 0;
        return true;
}

/* The same within a line, which goes on. */
static bool judge_now(struct claims *claims, struct content *content, struct content_pool *pool)
{
        bool is_done = judge(claims, false, content, pool);

        claims->state = claims->field;
        return is_done;
}

/* Whether the octet goes on with the name, its case and blanks behind it aside (RFC 5322 4.5). */
static bool may_be_name(const struct claims *claims, char octet)
{
        const struct span *name = &kinds[claims->kind].name;
        size_t at = claims->held_length;

        if (at < name->length)
                return ascii_lower(octet) == name->at[at];
        return octet == ':' || octet == ' ' || octet == '\t';
}

static bool name_octet(struct claims *claims, char octet, struct content *content, struct content_pool *pool)
{
        bool may_be = may_be_name(claims, octet);

        claims->held[claims->held_length++] = octet;
        claims->state = claims->field = !may_be ? CLAIMS_KEEP : octet == ':' ? CLAIMS_VALUE : CLAIMS_NAME;
        if (may_be && claims->held_length < CLAIM_HELD_MAX)
                return true;
        if (may_be) /* a name, and nothing but blanks behind it */
                return judge_now(claims, content, pool);
        if (octet == '\n')
                claims->state = CLAIMS_START;
        return let_go(claims, content, pool);
}

/* The same of a whole name with its colon. */
static bool take_name_at_once(struct claims *claims, struct span *octets)
{
        const struct span *name = &kinds[claims->kind].name;
        size_t length = name->length + 1;

        if (claims->held_length > 0 || octets->length < length || octets->at[name->length] != ':' ||
            !span_starts_nocase(*octets, *name))
                return false;
        memcpy(claims->held, octets->at, length);
        claims->held_length = (uint16_t)length;
        claims->state = claims->field = CLAIMS_VALUE;
        *octets = span_skip(*octets, length);
        return true;
}

/* The field whose name begins so; no two begin alike. KIND_COUNT: none. */
static inline size_t kind_with(char octet)
{
        char lower = ascii_lower(octet);
        return lower == kinds[0].name.at[0] ? 0 : lower == kinds[1].name.at[0] ? 1 : KIND_COUNT;
}
_Static_assert(KIND_COUNT == 2, "kind_with() knows them all");

/* The first octet of a line. */
static bool start_octet(struct claims *claims, char octet, struct content *content, struct content_pool *pool)
{
        size_t kind = kind_with(octet);

        if (octet == ' ' || octet == '\t') {
                claims->state = claims->field;
                return true;
        }
        if (claims->field == CLAIMS_VALUE && !judge(claims, true, content, pool))
                return false;
        claims->kind = (uint8_t)kind;
        if (octet == '\r' || octet == '\n')
                claims->state = CLAIMS_OVER;
        else
                claims->state = claims->field = kind == KIND_COUNT ? CLAIMS_KEEP : CLAIMS_NAME;
        return true;
}

/* The octet that common names, such as Received, have not. */
#define LAST_TELLING 8

/* No whole name of the table begins the whole line. */
static bool is_other_field(struct span line)
{
        size_t kind = kind_with(line.at[0]);
        return kind == KIND_COUNT || line.length < kinds[kind].name.length ||
               ascii_lower(line.at[LAST_TELLING]) != kinds[kind].name.at[LAST_TELLING] ||
               !span_starts_nocase(line, kinds[kind].name);
}

/* Lines that begin with these are looked at one by one. */
static leap_octets may_be_claim(const char *at)
{
        leap_octets ends = leap_is(leap_load(at), '\n'), first = leap_load(at + 1);
        return ends & (leap_is(first, '\r') | leap_is(first, '\n') | leap_is_letter(first, 'a') |
                       leap_is_letter(first, 'r'));
}

/* Whole lines at the front that stay, behind a field that does. */
static struct span kept_lines(struct span octets)
{
        size_t length = 0, end;

        while (length < octets.length && !line_is_end(octets.at[length])) {
                struct span rest = span_skip(octets, length);
                end = line_length(rest);
                if (end == SIZE_MAX || !is_other_field(span_of(rest.at, end)))
                        break;
                length += end + 1;
                if (length < octets.length && kind_with(octets.at[length]) == KIND_COUNT)
                        length += leap_lines(span_skip(rest, end), may_be_claim).length;
        }
        return span_of(octets.at, length);
}

/* At the start of a line. */
static bool start(struct claims *claims, struct span *octets, struct content *content,
                  struct content_pool *pool)
{
        struct span kept = {octets->at, 0};

        if (claims->field == CLAIMS_START && (octets->at[0] == ' ' || octets->at[0] == '\t')) {
                claims->state = CLAIMS_OVER;
                return content_append(content, pool, SPAN("\r\n"));
        }
        if (claims->field == CLAIMS_START)
                claims->field = CLAIMS_KEEP;
        if (claims->field == CLAIMS_KEEP)
                kept = kept_lines(*octets);
        *octets = span_skip(*octets, kept.length);
        if (kept.length > 0 && !content_append(content, pool, kept))
                return false;
        return octets->length == 0 || start_octet(claims, octets->at[0], content, pool);
}

/* Octets of the value, up to the end of the line. */
static bool hold(struct claims *claims, struct span octets, struct content *content,
                 struct content_pool *pool)
{
        size_t room = CLAIM_HELD_MAX - claims->held_length;

        size_t length = octets.length < room ? octets.length : room;
        memcpy(claims->held + claims->held_length, octets.at, length);
        claims->held_length = (uint16_t)(claims->held_length + length);
        if (octets.length <= room)
                return true;
        if (!judge_now(claims, content, pool))
                return false;
        return claims->field == CLAIMS_REMOVE || content_append(content, pool, span_skip(octets, length));
}

/* In a field: to the end of the line, or of what there is of it. */
static bool take_line(struct claims *claims, struct span *octets, struct content *content,
                      struct content_pool *pool)
{
        size_t end = span_find(*octets, '\n');
        struct span line = span_of(octets->at, end == SIZE_MAX ? octets->length : end + 1);
        bool is_done = true;

        if (claims->state == CLAIMS_VALUE)
                is_done = hold(claims, line, content, pool);
        else if (claims->state == CLAIMS_KEEP)
                is_done = content_append(content, pool, line);
        if (end != SIZE_MAX)
                claims->state = CLAIMS_START;
        *octets = span_skip(*octets, line.length);
        return is_done;
}

bool claims_read(struct claims *claims, struct span octets, struct content *content,
                 struct content_pool *pool)
{
        bool is_done = true;

        while (octets.length > 0 && is_done) {
                switch (claims->state) {
                case CLAIMS_START:
                        is_done = start(claims, &octets, content, pool);
                        break;
                case CLAIMS_NAME:
                        if (take_name_at_once(claims, &octets))
                                break;
                        is_done = name_octet(claims, octets.at[0], content, pool);
                        octets = span_skip(octets, 1);
                        break;
                case CLAIMS_VALUE:
                case CLAIMS_KEEP:
                case CLAIMS_REMOVE:
                        is_done = take_line(claims, &octets, content, pool);
                        break;
                case CLAIMS_OVER:
                        return content_append(content, pool, octets);
                }
        }
        return is_done;
}

bool claims_end(struct claims *claims, struct content *content, struct content_pool *pool)
{
        if (claims->state == CLAIMS_NAME)
                return let_go(claims, content, pool);
        return claims->field != CLAIMS_VALUE || judge(claims, true, content, pool);
}
