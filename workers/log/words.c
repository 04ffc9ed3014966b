/* Finds addresses, mailboxes and telling names in free text. It takes rather too much than too little for one. */
#include "workers/log/words.h"

#include "core/check/dns/reverse.h"

#define NAME_MAX_OCTETS 255
#define ESCAPE_LENGTH   6 /* \u00e4 */

/* ---- pieces of text ------------------------------------------------------------------------------------ */

/* What may stand in a domain in any script. */
static bool is_domain_octet(char c)
{
        return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* ... or in an address. */
static bool is_word_octet(char c)
{
        return is_domain_octet(c) || c == ':';
}

/* What surrounds mailboxes and words. */
static bool is_delimiter(char c)
{
        return c == ' ' || ascii_is_control(c) || (c != '\0' && strchr("\"\\<>()[],;", c) != NULL);
}

struct span words_domain(struct span text)
{
        size_t end = 0;

        while (end < text.length && is_domain_octet(text.at[end]))
                end++;
        return span_of(text.at, end);
}

/* A character that a JSON string escapes, at the backslash: what is no ASCII may stand in a local part. */
static size_t escape_length(struct span text)
{
        size_t length = text.length > 1 && text.at[1] == 'u' ? ESCAPE_LENGTH : 2;
        return length < text.length ? length : text.length;
}

static bool is_letter_escape(struct span text)
{
        return text.length >= ESCAPE_LENGTH && text.at[0] == '\\' && text.at[1] == 'u' &&
               (text.at[2] != '0' || text.at[3] != '0' || text.at[4] >= '8');
}

/* ---- words --------------------------------------------------------------------------------------------- */

static void put_text(const struct words *words, struct span plain)
{
        pseudonym_put_text(words->out, words->key, PSEUDONYM_OF_TEXT, SPAN(""), plain);
}

/* An address that is not spelt as we spell it is a text, so that it comes back as it was. */
static bool hide_address(const struct words *words, struct span word)
{
        char spelt[ADDRESS_TEXT_MAX + 1];
        struct address address;

        if (!address_parse(word, &address))
                return false;
        address_write_string(&address, spelt);
        if (address_is_loopback(&address) &&
            (words->client == NULL || !address_equals(words->client, &address)))
                text_put(words->out, word);
        else if (span_equals(word, span_from(spelt)))
                pseudonym_put_address(words->out, words->key, &address);
        else
                put_text(words, word);
        return true;
}

/* Up to the end of the label with which the client's address is complete. 0: the name does not hold it. */
static size_t telling_length(const struct words *words, struct span name)
{
        char lower_octets[NAME_MAX_OCTETS], nibble_octets[80];
        struct text lower, nibbles;
        size_t end = 0;

        if (words->client == NULL || name.length > NAME_MAX_OCTETS || span_find(name, '.') == SIZE_MAX)
                return 0;
        text_over(&lower, lower_octets, sizeof lower_octets);
        text_put_lower(&lower, name);
        text_over(&nibbles, nibble_octets, sizeof nibble_octets);
        reverse_put_address(&nibbles, words->client);
        if (span_starts_nocase(name, text_span(&nibbles)))
                return nibbles.length;
        if (!reverse_name_holds(text_span(&lower), words->client))
                return 0;
        while (end < name.length &&
               (name.at[end] != '.' || !reverse_name_holds(span_of(lower.at, end), words->client)))
                end++;
        return end;
}

static bool has_digit(struct span word)
{
        for (size_t i = 0; i < word.length; i++)
                if (ascii_is_digit(word.at[i]))
                        return true;
        return false;
}

/* As it stands, at the end of a sentence, or with a port. */
static void hide_word(const struct words *words, struct span word)
{
        size_t tag = span_starts_nocase(word, SPAN("IPv6:")) ? 5 : 0, stop = word.length;

        while (stop > tag && (word.at[stop - 1] == '.' || word.at[stop - 1] == ':'))
                stop--;
        text_put(words->out, span_of(word.at, tag));
        const size_t colon = span_find(span_skip(word, tag), ':');
        const size_t ends[] = {word.length, stop, colon == SIZE_MAX ? stop : tag + colon};
        for (size_t i = 0; has_digit(word) && i < sizeof ends / sizeof *ends; i++)
                if (hide_address(words, span_of(word.at + tag, ends[i] - tag))) {
                        text_put(words->out, span_skip(word, ends[i]));
                        return;
                }
        size_t telling = telling_length(words, span_of(word.at + tag, stop - tag));
        if (telling > 0)
                put_text(words, span_of(word.at + tag, telling));
        text_put(words->out, span_skip(word, tag + telling));
}

/* Of what begins with a character that is part of no word: that, or what must stay together. */
static size_t other_length(struct span text)
{
        size_t length = pseudonym_length(text);
        return length > 0 ? length : text.at[0] == '\\' ? escape_length(text) : 1;
}

/* What stands between other signs, such as those of a URL. */
static void hide_words(const struct words *words, struct span text)
{
        while (text.length > 0) {
                size_t length = 0;
                while (length < text.length && is_word_octet(text.at[length]))
                        length++;
                if (length > 0)
                        hide_word(words, span_of(text.at, length));
                else
                        text_put(words->out, span_of(text.at, length = other_length(text)));
                text = span_skip(text, length);
        }
}

/* ---- mailboxes ----------------------------------------------------------------------------------------- */

/* What was taken for a part of the text at first may stand before it. */
static bool ends_in_pseudonym(struct span text)
{
        size_t start = span_find(text, '~');

        for (; start != SIZE_MAX; start = span_find(text, '~')) {
                text = span_skip(text, start);
                if (pseudonym_length(text) == text.length)
                        return true;
                text = span_skip(text, 1);
        }
        return false;
}

static void hide_local_part(const struct words *words, struct span local_part, struct span behind)
{
        if (ends_in_pseudonym(local_part))
                text_put(words->out, local_part);
        else if (local_part.length > 0)
                pseudonym_put_text(words->out, words->key, PSEUDONYM_OF_MAILBOX, words_domain(behind),
                                   local_part);
}

void words_hide_mailbox(const struct words *words, struct span mailbox)
{
        size_t at = span_find_last(mailbox, '@');
        struct span local_part = span_of(mailbox.at, at == SIZE_MAX ? mailbox.length : at);
        struct span behind = span_skip(mailbox, local_part.length + 1), domain = words_domain(behind);

        hide_local_part(words, local_part, behind);
        if (at != SIZE_MAX)
                text_put_char(words->out, '@');
        text_put(words->out, domain);
        words_hide(words, span_skip(behind, domain.length));
}

/* Up to the next delimiter. */
static size_t token_length(struct span text)
{
        size_t end = 0;

        while (end < text.length && (!is_delimiter(text.at[end]) || is_letter_escape(span_skip(text, end))))
                end += text.at[end] == '\\' ? ESCAPE_LENGTH : 1;
        return end;
}

/* "FROM:x@y": the local part begins behind the colon. */
static void hide_token(const struct words *words, struct span token)
{
        size_t at = span_find_last(token, '@');

        if (at == SIZE_MAX) {
                hide_words(words, token);
                return;
        }
        struct span before = span_of(token.at, at), behind = span_skip(token, at + 1);
        size_t colon = span_find_last(before, ':');
        struct span local_part = span_skip(before, colon == SIZE_MAX ? 0 : colon + 1);
        hide_words(words, span_of(before.at, before.length - local_part.length));
        hide_local_part(words, local_part, behind);
        text_put_char(words->out, '@');
        struct span domain = words_domain(behind);
        text_put(words->out, domain);
        hide_words(words, span_skip(behind, domain.length));
}

/* A local part in quotes, which JSON escapes, up to those that "@" stands behind; 0: it is none. */
static size_t quoted_length(struct span text)
{
        if (!span_starts_nocase(text, SPAN("\\\"")))
                return 0;
        for (size_t end = 2; end + 2 < text.length; end += text.at[end] == '\\' ? 2 : 1)
                if (text.at[end] == '\\' && text.at[end + 1] == '"' && text.at[end + 2] == '@')
                        return end + 2;
        return 0;
}

void words_hide(const struct words *words, struct span text)
{
        while (text.length > 0) {
                size_t length = quoted_length(text);
                if (length > 0) {
                        hide_local_part(words, span_of(text.at, length), span_skip(text, length + 1));
                } else if ((length = token_length(text)) > 0) {
                        hide_token(words, span_of(text.at, length));
                } else {
                        text_put(words->out, span_of(text.at, length = other_length(text)));
                }
                text = span_skip(text, length);
        }
}
