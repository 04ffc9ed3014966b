/* Walks through a line of the log, which is one JSON object, and changes strings in their places. It needs no memory
 * and no parser: keys and values are strings between quotes, and the last key says what a value is. */
#include "workers/log/line.h"

#include "workers/log/words.h"

#define EVENT     "\",\"event\":\""
#define TIME_SIZE 24 /* 2026-11-25T01:02:03.123Z */

/* ---- fields -------------------------------------------------------------------------------------------- */

enum field_kind {
        FIELD_TIME,
        FIELD_WORD,
        FIELD_ID,
        FIELD_PLAIN,
        FIELD_NUMBER,
        FIELD_FLAG,
        FIELD_LIST,
        FIELD_ADDRESS,
        FIELD_MAILBOX,
        FIELD_TEXT,
        FIELD_SECRET,
};

/* Event "any": of those without a row of their own. */
static const struct field {
        const char *event, *name;
        size_t name_length;
        enum field_kind kind;
} fields[] = {
#define LOG_FIELD(event, name, kind) {#event, #name, sizeof #name - 1, FIELD_##kind},
#include "workers/log/fields.def"
};

static bool is_of(const struct field *field, struct span event)
{
        return strcmp(field->event, "any") == 0 || span_equals(span_from(field->event), event);
}

static enum field_kind kind_of(struct span event, struct span name)
{
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                if (fields[i].name_length == name.length &&
                    memcmp(fields[i].name, name.at, name.length) == 0 && is_of(&fields[i], event))
                        return fields[i].kind;
        return FIELD_TEXT;
}

struct span log_line_event(struct span line)
{
        const size_t at = sizeof LOG_LINE_HEAD - 1 + TIME_SIZE, start = at + sizeof EVENT - 1;

        if (line.length <= start || memcmp(line.at, LOG_LINE_HEAD, sizeof LOG_LINE_HEAD - 1) != 0 ||
            memcmp(line.at + at, EVENT, sizeof EVENT - 1) != 0)
                return SPAN("");
        struct span rest = span_skip(line, start);
        size_t end = span_find(rest, '"');
        return end == SIZE_MAX ? SPAN("") : span_of(rest.at, end);
}

/* ---- hiding -------------------------------------------------------------------------------------------- */

struct hiding {
        const struct log_privacy *privacy;
        struct span event;
        struct address client; /* words.client, once the line has told it */
        struct words words;
};

static const struct pseudonym_key *key_of(const struct pseudonym_keys *keys, struct span line)
{
        uint32_t day = UINT32_MAX;

        pseudonym_day_read(span_skip(line, sizeof LOG_LINE_HEAD - 1), &day);
        return pseudonym_key_of_day(keys, day);
}

/* Behind the quote that ends the address. */
static void put_network(const struct hiding *hiding, const struct address *address)
{
        const struct log_privacy *privacy = hiding->privacy;
        unsigned prefix = address_is_ipv4(address) ? privacy->prefix4 : privacy->prefix6;
        struct text *out = hiding->words.out;

        if (prefix == 0)
                return;
        struct network network = network_of(address, prefix + (address_is_ipv4(address) ? 96 : 0));
        text_put(out, SPAN(",\"network\":\""));
        network_write(out, &network);
        text_put_char(out, '"');
}

static void hide_client(struct hiding *hiding, struct span value)
{
        if (!address_parse(value, &hiding->client)) {
                words_hide(&hiding->words, value);
                text_put_char(hiding->words.out, '"');
                return;
        }
        hiding->words.client = &hiding->client;
        pseudonym_put_address(hiding->words.out, hiding->words.key, &hiding->client);
        text_put_char(hiding->words.out, '"');
        put_network(hiding, &hiding->client);
}

static void hide_all(const struct words *words, struct span value)
{
        if (value.length == 0 || pseudonym_length(value) == value.length)
                text_put(words->out, value);
        else
                pseudonym_put_text(words->out, words->key, PSEUDONYM_OF_TEXT, SPAN(""), value);
}

/* With the quote at its end. */
static void hide_value(struct hiding *hiding, enum field_kind kind, struct span value)
{
        const struct words *words = &hiding->words;

        switch (kind) {
        case FIELD_ADDRESS:
                hide_client(hiding, value);
                return;
        case FIELD_MAILBOX:
                words_hide_mailbox(words, value);
                break;
        case FIELD_TEXT:
                words_hide(words, value);
                break;
        case FIELD_SECRET:
                hide_all(words, value);
                break;
        case FIELD_TIME:
        case FIELD_WORD:
        case FIELD_ID:
        case FIELD_PLAIN:
        case FIELD_NUMBER:
        case FIELD_FLAG:
        case FIELD_LIST:
                text_put(words->out, value);
                break;
        }
        text_put_char(words->out, '"');
}

/* Up to the quote that ends the string whose first octet it is given; SIZE_MAX: none does. */
static size_t string_length(struct span text)
{
        for (size_t i = 0; i < text.length; i++) {
                if (text.at[i] == '"')
                        return i;
                i += text.at[i] == '\\';
        }
        return SIZE_MAX;
}

void log_line_hide(const struct log_privacy *privacy, struct span line, struct text *out)
{
        struct hiding hiding = {
            .privacy = privacy,
            .event = log_line_event(line),
            .words = {.out = out, .key = key_of(privacy->keys, line)},
        };
        bool is_object = line.length > 0 && line.at[0] == '{';
        enum field_kind kind = FIELD_TEXT;
        size_t length;

        while (is_object && (length = span_find(line, '"')) != SIZE_MAX) {
                text_put(out, span_of(line.at, length + 1));
                line = span_skip(line, length + 1);
                length = string_length(line);
                if (length == SIZE_MAX)
                        break;
                struct span string = span_of(line.at, length);
                line = span_skip(line, length + 1);
                if (line.length > 0 && line.at[0] == ':') {
                        kind = kind_of(hiding.event, string);
                        text_put(out, span_of(string.at, length + 1));
                } else {
                        hide_value(&hiding, kind, string);
                }
        }
        words_hide(&hiding.words, line);
}

/* ---- revealing ----------------------------------------------------------------------------------------- */

bool log_line_reveal(const struct pseudonym_keys *keys, struct span line, struct text *out)
{
        bool is_whole = true;
        size_t start;

        while ((start = span_find(line, '~')) != SIZE_MAX) {
                struct span rest = span_skip(line, start);
                size_t length = pseudonym_length(rest);
                struct span behind = span_skip(rest, length + 1);
                bool has_domain = length < rest.length && rest.at[length] == '@';
                text_put(out, span_of(line.at, start));
                bool is_one = length > 0;
                bool is_told = is_one && pseudonym_reveal(out, keys, span_of(rest.at, length),
                                                          has_domain ? words_domain(behind) : SPAN(""));
                is_whole &= is_told || !is_one;
                if (!is_told)
                        text_put(out, span_of(rest.at, is_one ? length : 1));
                line = span_skip(rest, is_one ? length : 1);
        }
        text_put(out, line);
        return is_whole;
}

bool log_line_has_pseudonyms(struct span line)
{
        size_t start;

        for (; (start = span_find(line, '~')) != SIZE_MAX; line = span_skip(line, start + 1))
                if (pseudonym_length(span_skip(line, start)) > 0)
                        return true;
        return false;
}
