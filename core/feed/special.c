/* Lines that begin with a dollar sign. */
#include "core/feed/internal.h"
#include "core/feed/numbers.h"

#include "core/base/domain_name.h"

#include <stdlib.h>

/* ---- variables ------------------------------------------------------------------------------------------ */

/* "$1 text" and "$= text". The first one counts. */
static bool set_variable(struct feed_builder *builder, char name, struct span text)
{
        struct feed_set *set = builder->set != NULL ? builder->set : &builder->common[builder->format];
        char **variable = &set->variables[name == '=' ? FEED_BASE_TEMPLATE : name - '0'];

        if (*variable != NULL)
                return true;
        if (text.length == 0)
                return false;
        *variable = strndup(text.at, text.length);
        if (*variable == NULL)
                feed_break(builder, "no memory");
        return true;
}

/* ---- bounds --------------------------------------------------------------------------------------------- */

/* "/24" or "256". It may only become smaller. */
static bool set_range4_max(struct feed_builder *builder, struct span text)
{
        uint64_t number;
        bool is_prefix = text.length > 0 && text.at[0] == '/';

        if (!span_number(span_skip(text, is_prefix ? 1 : 0), &number) || number == 0 ||
            number > (is_prefix ? 32 : UINT32_MAX))
                return false;
        if (is_prefix)
                number = UINT64_C(1) << (32 - number);
        if (builder->range4_max == 0 || number < builder->range4_max)
                builder->range4_max = number;
        return true;
}

/* "2026:11:28 +1d". */
static bool set_times(struct feed_builder *builder, struct span text)
{
        struct feed *feed = builder->feed;
        int64_t made_s, expires_s = 0;
        uint64_t rest_s;

        if (!feed_take_moment(&text, &made_s))
                return false;
        feed_skip_spaces(&text);
        if (text.length > 0 && text.at[0] == '+') {
                text = span_skip(text, 1);
                if (!feed_take_duration(&text, &rest_s) || made_s == 0 || rest_s == 0)
                        return false;
                expires_s = made_s + (int64_t)rest_s;
        } else if (text.length > 0 && !feed_take_moment(&text, &expires_s)) {
                return false;
        }
        if (text.length > 0)
                return false;
        if (made_s > builder->wish.now_s)
                feed_break(builder, "was made in the future, by its $TIMESTAMP");
        if (expires_s != 0 && (feed->expires_s == 0 || expires_s < feed->expires_s))
                feed->expires_s = expires_s;
        return true;
}

/* ---- data sets in one file ------------------------------------------------------------------------------ */

static void connect(struct feed_builder *builder, struct span word, const struct feed_set *set)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text name;

        text_over(&name, octets, sizeof octets - 1);
        if (!span_equals(word, SPAN("@")) && !feed_put_name(&name, word)) {
                feed_complain(builder, "a subzone that is no domain name");
                return;
        }
        octets[name.length] = '\0';
        feed_connect(builder, octets, set);
}

/* "$DATASET ip4set:name subzone @". */
static void begin_set(struct feed_builder *builder, struct span text)
{
        struct span type = feed_take_word(&text);
        size_t colon = span_find(type, ':');
        enum feed_format format;

        if (colon != SIZE_MAX)
                type.length = colon;
        if (!feed_format_parse(type, &format) || format == FEED_AUTO || format == FEED_COMBINED ||
            format == FEED_LIST) {
                feed_break(builder, "a type of $DATASET that cannot be read");
                return;
        }
        struct feed_set *set = feed_set_begin(builder, format);
        if (set == NULL)
                return;
        if (text.length == 0)
                feed_complain(builder, "$DATASET without a subzone: nothing of it is used");
        while (text.length > 0 && !feed_is_comment(text.at[0]))
                connect(builder, feed_take_word(&text), set);
}

static bool take_dataset(struct feed_builder *builder, struct span text)
{
        if (builder->format == FEED_AUTO)
                feed_know_format(builder, FEED_COMBINED);
        if (builder->format != FEED_COMBINED)
                return false;
        begin_set(builder, text);
        return true;
}

/* What only a name server needs is passed over. */
static bool is_for_servers(struct span word)
{
        static const char *const words[] = {"SOA", "NS", "NAMESERVER", "TTL"};

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (span_equals_nocase(word, span_from(words[i])))
                        return true;
        return false;
}

static bool take_special(struct feed_builder *builder, struct span line)
{
        struct span word = feed_take_word(&line);

        if (word.length == 1 && (ascii_is_digit(word.at[0]) || word.at[0] == '='))
                return set_variable(builder, word.at[0], line);
        if (span_equals_nocase(word, SPAN("MAXRANGE4")))
                return set_range4_max(builder, line);
        if (span_equals_nocase(word, SPAN("TIMESTAMP")))
                return set_times(builder, line);
        if (span_equals_nocase(word, SPAN("DATASET")))
                return take_dataset(builder, line);
        return is_for_servers(word);
}

void feed_take_special(struct feed_builder *builder, struct span line)
{
        if (!take_special(builder, line))
                feed_complain(builder, "a special line that cannot be read");
}
