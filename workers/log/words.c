/* Finds addresses, mailboxes and telling names in free text. It takes rather too much than too little for one. */
#include "workers/log/words.h"

#include "core/check/dns/reverse.h"

#define NAME_MAX_OCTETS  255
#define ESCAPE_LENGTH    6 /* \u00e4 */
#define QUOTED_MAX       1024
#define ADDRESS_WORD_MAX 64 /* and more than an address has */

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

/* DNS lists answer with such addresses. */
static bool stays(const struct words *words, const struct address *address)
{
        return address_is_loopback(address) &&
               (words->client == NULL || !address_equals(words->client, address));
}

/* An address that is not spelt as we spell it is a text, so that it comes back as it was. */
static bool hide_address(const struct words *words, struct span word)
{
        char spelt[ADDRESS_TEXT_MAX + 1];
        struct address address;

        if (!address_parse(word, &address))
                return false;
        address_write_string(&address, spelt);
        if (stays(words, &address))
                text_put(words->out, word);
        else if (span_equals(word, span_from(spelt)))
                pseudonym_put_address(words->out, words->key, &address);
        else
                put_text(words, word);
        return true;
}

static bool has_part(struct span name, struct span part)
{
        return memmem(name.at, name.length, part.at, part.length) != NULL;
}

/* Nibbles between full stops are what DNS lists are asked for, and the other way round what a macro of SPF writes. */
static bool name_holds(struct span name, const struct address *client)
{
        char octets[80], turned[sizeof octets];
        struct text nibbles;

        if (reverse_name_holds(name, client))
                return true;
        if (address_is_ipv4(client))
                return false;
        text_over(&nibbles, octets, sizeof octets);
        reverse_put_address(&nibbles, client);
        for (size_t i = 0; i < nibbles.length; i++)
                turned[i] = nibbles.at[nibbles.length - 1 - i];
        return has_part(name, text_span(&nibbles)) || has_part(name, span_of(turned, nibbles.length));
}

static bool may_be_name(struct span word)
{
        for (size_t i = 0; i < word.length; i++)
                if (word.at[i] == '.' || ascii_is_digit(word.at[i]))
                        return word.length <= NAME_MAX_OCTETS;
        return false;
}

/* Up to the end of the label with which the client's address is complete. 0: the name does not hold it. */
static size_t telling_length(const struct words *words, struct span name)
{
        char lower[NAME_MAX_OCTETS];
        size_t end = 0;

        if (words->client == NULL || !may_be_name(name))
                return 0;
        for (size_t i = 0; i < name.length; i++)
                lower[i] = name.at[i] == '_' ? '-' : ascii_lower(name.at[i]);
        if (!name_holds(span_of(lower, name.length), words->client))
                return 0;
        while (end < name.length && (name.at[end] != '.' || !name_holds(span_of(lower, end), words->client)))
                end++;
        return end;
}

static void hide_name(const struct words *words, struct span name)
{
        size_t telling = telling_length(words, name);

        if (telling > 0)
                put_text(words, span_of(name.at, telling));
        text_put(words->out, span_skip(name, telling));
}

/* An address as it stands, at the end of a sentence, or with a port. Returns how long it is; 0: it is none. */
static size_t hide_address_at(const struct words *words, struct span word)
{
        size_t stop = word.length < ADDRESS_WORD_MAX ? word.length : ADDRESS_WORD_MAX;
        const size_t colon = span_find(word, ':');

        while (stop > 0 && (word.at[stop - 1] == '.' || word.at[stop - 1] == ':'))
                stop--;
        const size_t ends[] = {word.length, stop, colon == SIZE_MAX ? stop : colon};
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
                if (hide_address(words, span_of(word.at, ends[i])))
                        return ends[i];
        return 0;
}

/* What stands before a colon may say what follows: "IPv6:", "ip4:". */
static void hide_word(const struct words *words, struct span word)
{
        while (word.length > 0) {
                size_t length = hide_address_at(words, word);
                if (length == 0) {
                        size_t colon = span_find(word, ':');
                        length = colon == SIZE_MAX ? word.length : colon;
                        hide_name(words, span_of(word.at, length));
                        if (colon != SIZE_MAX)
                                text_put_char(words->out, word.at[length++]);
                }
                word = span_skip(word, length);
        }
}

/* Of what begins with a character that is part of no word: that, or what must stay together. */
static size_t other_length(struct span text)
{
        size_t length = pseudonym_length(text);
        return length > 0 ? length : text.at[0] == '\\' ? escape_length(text) : 1;
}

static size_t word_length(struct span text)
{
        size_t length = 0;

        while (length < text.length && is_word_octet(text.at[length]))
                length++;
        return length;
}

/* What stands between other signs, such as those of a URL. */
static void hide_words(const struct words *words, struct span text)
{
        while (text.length > 0) {
                size_t length = word_length(text);
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

static void hide_local_part(const struct words *words, struct span local_part, struct span context)
{
        if (ends_in_pseudonym(local_part))
                text_put(words->out, local_part);
        else if (local_part.length > 0)
                pseudonym_put_text(words->out, words->key, PSEUDONYM_OF_MAILBOX, context, local_part);
}

/* The domain that stays, which is the context of the local part: none where a pseudonym takes its place. */
static struct span plain_domain(const struct words *words, struct span behind)
{
        struct span domain = words_domain(behind);
        size_t dot = domain.length > 0 && domain.at[domain.length - 1] == '.' ? 1 : 0;
        struct address address;
        bool is_address = address_parse(span_of(behind.at, word_length(behind)), &address) ||
                          address_parse(span_of(domain.at, domain.length - dot), &address);

        if (is_address ? !stays(words, &address) : telling_length(words, domain) > 0)
                return SPAN("");
        return domain;
}

/* What stands behind is the domain, or a literal. */
static void hide_mailbox(const struct words *words, struct span local_part, struct span behind)
{
        struct span domain = plain_domain(words, behind);

        hide_local_part(words, local_part, domain);
        text_put_char(words->out, '@');
        text_put(words->out, domain);
        hide_words(words, span_skip(behind, domain.length));
}

void words_hide_mailbox(const struct words *words, struct span mailbox)
{
        size_t at = span_find_last(mailbox, '@');

        if (at == SIZE_MAX)
                hide_local_part(words, mailbox, SPAN(""));
        else
                hide_mailbox(words, span_of(mailbox.at, at), span_skip(mailbox, at + 1));
}

/* Up to the next delimiter. */
static size_t token_length(struct span text)
{
        size_t end = 0;

        while (end < text.length && (!is_delimiter(text.at[end]) || is_letter_escape(span_skip(text, end))))
                end += text.at[end] == '\\' ? ESCAPE_LENGTH : 1;
        return end;
}

/* Behind the last octet that begins an argument of a command or of a URL. */
static size_t argument_start(struct span text, const char *starts)
{
        size_t start = text.length;

        while (start > 0 && (text.at[start - 1] == '\0' || strchr(starts, text.at[start - 1]) == NULL))
                start--;
        return start;
}

/* "id=x%40y": SPF's explanations, and what DNS lists say, may be URLs (RFC 7208 7.3). */
static size_t find_escaped_at(struct span text)
{
        for (size_t end = text.length; end >= 3; end--)
                if (memcmp(text.at + end - 3, "%40", 3) == 0)
                        return end - 3;
        return SIZE_MAX;
}

/* "FROM:x@y": the local part begins behind the colon. */
static void hide_token(const struct words *words, struct span token)
{
        size_t at = span_find_last(token, '@'), escaped = find_escaped_at(token);
        struct span before = span_of(token.at, at != SIZE_MAX ? at : escaped != SIZE_MAX ? escaped : 0);
        size_t start = argument_start(before, at != SIZE_MAX ? ":" : ":/?&=");
        struct span local_part = span_skip(before, start);

        hide_words(words, span_of(before.at, start));
        if (at != SIZE_MAX) {
                hide_mailbox(words, local_part, span_skip(token, at + 1));
                return;
        }
        hide_local_part(words, local_part, SPAN(""));
        hide_words(words, span_skip(token, before.length));
}

/* A local part in quotes, which JSON escapes, up to those that "@" stands behind; 0: it is none. */
static size_t quoted_length(struct span text)
{
        if (!span_starts_nocase(text, SPAN("\\\"")))
                return 0;
        for (size_t end = 2; end + 2 < text.length && end < QUOTED_MAX; end += text.at[end] == '\\' ? 2 : 1)
                if (text.at[end] == '\\' && text.at[end + 1] == '"' && text.at[end + 2] == '@')
                        return end + 2;
        return 0;
}

/* What stands behind "<", up to ">"; what is in quotes is found otherwise. */
static size_t path_length(struct span text)
{
        size_t end = 0;

        if (text.length == 0 || text.at[0] == '\\')
                return 0;
        while (end < text.length && text.at[end] != '>' && !ascii_is_control(text.at[end]))
                end++;
        return end;
}

/* Of a command it may be a mailbox without a domain, or with blanks in it. */
static void hide_path(const struct words *words, struct span path)
{
        struct address address;

        if (span_find(path, '@') == SIZE_MAX && address_parse(path, &address))
                hide_word(words, path);
        else
                words_hide_mailbox(words, path);
}

void words_hide(const struct words *words, struct span text)
{
        while (text.length > 0) {
                size_t length = quoted_length(text);
                if (length > 0) {
                        hide_local_part(words, span_of(text.at, length),
                                        plain_domain(words, span_skip(text, length + 1)));
                } else if ((length = token_length(text)) > 0) {
                        hide_token(words, span_of(text.at, length));
                } else if (text.at[0] == '<' && (length = path_length(span_skip(text, 1))) > 0) {
                        text_put_char(words->out, '<');
                        hide_path(words, span_of(text.at + 1, length++));
                } else {
                        text_put(words->out, span_of(text.at, length = other_length(text)));
                }
                text = span_skip(text, length);
        }
}
