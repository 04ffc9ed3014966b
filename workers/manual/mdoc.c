/* Escapes, and lines that have less than 80 octets with them. */
#include "workers/manual/mdoc.h"

#define COLUMNS_MAX  66
#define SENTENCE_MAX 2048

/* A hyphen at the beginning of a word is that of an option, which people copy. */
static void put_octet(FILE *file, char octet, bool is_option)
{
        if (octet == '\\')
                fputs("\\e", file);
        else if (octet == '-' && is_option)
                fputs("\\-", file);
        else
                putc(octet, file);
}

/* At the beginning of a line a dot or an apostrophe would make it a macro. */
static void put_word(FILE *file, struct span word, bool is_first)
{
        bool is_option = word.at[0] == '-' || (word.length > 2 && word.at[0] == '[' && word.at[1] == '-');

        if (is_first && (word.at[0] == '.' || word.at[0] == '\''))
                fputs("\\&", file);
        for (size_t i = 0; i < word.length; i++)
                put_octet(file, word.at[i], is_option);
}

static bool ends_sentence(struct span word)
{
        return word.length > 1 && word.at[word.length - 1] == '.' && word.at[word.length - 2] != '.';
}

void mdoc_words(FILE *file, struct span text)
{
        size_t column = 0;

        while (text.length > 0) {
                struct span word = span_take_word(&text);
                if (word.length == 0)
                        continue;
                if (column > 0 && column + word.length > COLUMNS_MAX) {
                        putc('\n', file);
                        column = 0;
                }
                if (column > 0)
                        putc(' ', file);
                put_word(file, word, column == 0);
                column += word.length + 1;
                /* A new sentence begins a new line. */
                if (ends_sentence(word) && text.length > 0) {
                        putc('\n', file);
                        column = 0;
                }
        }
        putc('\n', file);
}

void mdoc_sentence(FILE *file, const char *words)
{
        char octets[SENTENCE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, words);
        text_put_char(&text, '.');
        mdoc_words(file, text_span(&text));
}

void mdoc_arguments(FILE *file, struct span text)
{
        while (text.length > 0) {
                struct span word = span_take_word(&text);
                if (word.length == 0)
                        continue;
                fputs(" \\&", file);
                put_word(file, word, false);
        }
        putc('\n', file);
}
