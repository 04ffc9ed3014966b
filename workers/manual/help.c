/* Lines of a usage: how it is called, paragraphs, and entries of lists. */
#include "workers/manual/help.h"

#include "workers/manual/mdoc.h"

#define USAGE        "usage: "
#define WORDS_MAX    4096
#define USAGE_INDENT 7 /* of further ways to call it, as wide as "usage: " */

/* What the lines at hand make: an entry's name, and text that goes on. */
struct piece {
        char octets[WORDS_MAX];
        struct text text;
        bool is_in_list;
};

static struct span take_line(const char **text)
{
        size_t length = strcspn(*text, "\n");
        struct span line = span_of(*text, length);

        *text += length + ((*text)[length] == '\n');
        return line;
}

static size_t indent_of(struct span line)
{
        size_t indent = 0;

        while (indent < line.length && line.at[indent] == ' ')
                indent++;
        return indent;
}

/* Where two blanks or more divide the line; SIZE_MAX: nowhere. */
static size_t find_gap(struct span line)
{
        for (size_t i = 1; i + 2 < line.length; i++)
                if (line.at[i] == ' ' && line.at[i + 1] == ' ' && line.at[i - 1] != ' ')
                        return i;
        return SIZE_MAX;
}

static void add(struct piece *piece, struct span words)
{
        if (piece->text.length > 0)
                text_put_char(&piece->text, ' ');
        text_put(&piece->text, span_trim(words));
}

static void flush(FILE *file, struct piece *piece)
{
        if (piece->text.length > 0)
                mdoc_words(file, text_span(&piece->text));
        text_over(&piece->text, piece->octets, sizeof piece->octets);
}

static void end_list(FILE *file, struct piece *piece)
{
        flush(file, piece);
        if (piece->is_in_list)
                fputs(".El\n", file);
        piece->is_in_list = false;
}

/* ---- how it is called ---------------------------------------------------------------------------------- */

static void write_call(FILE *file, struct piece *piece)
{
        if (piece->text.length == 0)
                return;
        fputs(".Bd -ragged -offset indent -compact\n", file);
        flush(file, piece);
        fputs(".Ed\n", file);
}

/* Up to the first empty line. What stands behind a gap is told in brackets. */
static void write_calls(FILE *file, struct piece *piece, const char **text)
{
        struct span line;

        while ((line = take_line(text)).length > 0) {
                if (span_starts_nocase(line, SPAN(USAGE)) || indent_of(line) == USAGE_INDENT)
                        write_call(file, piece);
                if (span_starts_nocase(line, SPAN(USAGE)))
                        line = span_skip(line, USAGE_INDENT);
                line = span_trim(line);
                size_t gap = find_gap(line);
                add(piece, gap == SIZE_MAX ? line : span_of(line.at, gap));
                if (gap == SIZE_MAX)
                        continue;
                text_put(&piece->text, SPAN(" ("));
                text_put(&piece->text, span_trim(span_skip(line, gap)));
                text_put_char(&piece->text, ')');
        }
        write_call(file, piece);
}

/* ---- paragraphs ---------------------------------------------------------------------------------------- */

static void write_line(FILE *file, struct piece *piece, struct span line)
{
        size_t gap = indent_of(line) == 0 ? find_gap(line) : SIZE_MAX;

        if (gap == SIZE_MAX) {
                if (piece->is_in_list && indent_of(line) == 0) {
                        end_list(file, piece);
                        fputs(".Pp\n", file);
                }
                add(piece, line);
                return;
        }
        flush(file, piece);
        if (!piece->is_in_list)
                fputs(".Bl -tag -width Ds\n", file);
        piece->is_in_list = true;
        fputs(".It Cm", file);
        mdoc_arguments(file, span_of(line.at, gap));
        add(piece, span_skip(line, gap));
}

void help_write(FILE *file, const char *text)
{
        struct piece piece = {0};
        bool is_paragraph = true;

        text_over(&piece.text, piece.octets, sizeof piece.octets);
        write_calls(file, &piece, &text);
        while (*text != '\0') {
                struct span line = take_line(&text);
                if (line.length == 0)
                        end_list(file, &piece);
                else if (is_paragraph && find_gap(line) == SIZE_MAX)
                        fputs(".Pp\n", file);
                if (line.length > 0)
                        write_line(file, &piece, line);
                is_paragraph = line.length == 0;
        }
        end_list(file, &piece);
}
