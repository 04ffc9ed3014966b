/* Writes lines to standard output as they were before they had pseudonyms. */
#include "workers/cli/log/reveal.h"

#include "workers/cli/log/lines.h"
#include "workers/log/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct reveal {
        const struct pseudonym_keys *keys;
        struct span names;
        struct text line;
        uint64_t shown, left; /* lines; those of them that have pseudonyms still */
};

/* What goes on with an address: "192.0.2.1" is not in "192.0.2.10", nor "bob@x.example" in "jim.bob@x.example". */
static bool goes_on(struct span text, size_t at)
{
        char c = at < text.length ? text.at[at] : ' ';
        return ascii_is_alnum(c) || c == '-' || c == '_' || c == '+' || c == '.' || (unsigned char)c >= 0x80;
}

/* A full stop ends a sentence where nothing stands behind it. */
static bool ends_at(struct span line, size_t end)
{
        return !goes_on(line, end) || (line.at[end] == '.' && !goes_on(line, end + 1));
}

static bool has_names(struct span line, struct span names)
{
        for (size_t at = 0; at + names.length <= line.length; at++)
                if (span_equals_nocase(span_of(line.at + at, names.length), names) &&
                    (at == 0 || !goes_on(line, at - 1)) && ends_at(line, at + names.length))
                        return true;
        return false;
}

static void show(struct reveal *reveal, struct span line)
{
        reveal->line.length = 0;
        reveal->line.overflowed = false;
        bool is_whole = log_line_reveal(reveal->keys, line, &reveal->line);
        struct span shown = reveal->line.overflowed ? line : text_span(&reveal->line);
        if (reveal->names.length > 0 && !has_names(shown, reveal->names))
                return;
        reveal->shown++;
        reveal->left += !is_whole || reveal->line.overflowed;
        fwrite(shown.at, 1, shown.length, stdout);
}

/* Takes the descriptor over. */
static bool read_all(struct reveal *reveal, const char *path, int fd)
{
        struct lines lines = {.file = fd < 0 ? NULL : gzdopen(fd, "r")};
        const char *fault = NULL;
        struct span line;

        if (lines.file == NULL) {
                fprintf(stderr, "gatepost: cannot read %s: %s\n", path, strerror(errno));
                if (fd >= 0)
                        close(fd);
                return false;
        }
        while (lines_next(&lines, &line, &fault) == LINES_GIVEN)
                show(reveal, line);
        if (fault != NULL)
                fprintf(stderr, "gatepost: cannot read %s: %s\n", path, fault);
        lines_end(&lines);
        gzclose(lines.file);
        return fault == NULL;
}

int log_reveal(const struct pseudonym_keys *keys, const char *names, char *const *paths, int count)
{
        char *octets = malloc(LOG_RENDERED_MAX);
        struct reveal reveal = {.keys = keys, .names = span_from(names == NULL ? "" : names)};
        bool is_read = octets != NULL;

        text_over(&reveal.line, octets, LOG_RENDERED_MAX);
        if (is_read && count == 0)
                is_read = read_all(&reveal, "standard input", fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
        for (int i = 0; octets != NULL && i < count; i++)
                is_read &= read_all(&reveal, paths[i], open(paths[i], O_RDONLY | O_CLOEXEC));
        if (reveal.left > 0)
                fprintf(
                    stderr,
                    "gatepost: the key is gone, or never was here, for pseudonyms in %llu of %llu lines\n",
                    (unsigned long long)reveal.left, (unsigned long long)reveal.shown);
        free(octets);
        return is_read && (names == NULL || reveal.shown > 0) ? 0 : 1;
}
