/* Millions of lines: one buffer, no allocation a line. */
#include "conf/text/lines.h"

#include <errno.h>
#include <unistd.h>

#define TOLD_MAX   20 /* complaints of each kind */
#define QUOTED_MAX 80 /* octets of an entry in a complaint */

void lines_complain(struct lines *lines, enum complaint_kind kind, struct span entry, const char *message)
{
        struct place place = {lines->path, lines->line};
        bool is_short = entry.length <= QUOTED_MAX;
        if (lines->told[kind]++ < TOLD_MAX)
                conf_complain(lines->complaints, kind, &place, "\"%.*s%s\": %s",
                              (int)(is_short ? entry.length : QUOTED_MAX - 3), entry.at,
                              is_short ? "" : "...", message);
}

void lines_tell_rest(struct lines *lines)
{
        static const char *const names[] = {[COMPLAINT_ERROR] = "error", [COMPLAINT_WARNING] = "warning"};

        for (enum complaint_kind kind = COMPLAINT_ERROR; kind <= COMPLAINT_WARNING; kind++)
                if (lines->told[kind] > TOLD_MAX)
                        conf_complain(lines->complaints, kind, &(struct place){lines->path, 0},
                                      "%u more %s%s", lines->told[kind] - TOLD_MAX, names[kind],
                                      lines->told[kind] == TOLD_MAX + 1 ? "" : "s");
}

/* A "#" within the quotes of a local part starts none. */
static struct span comment_cut(struct span line)
{
        bool in_quotes = false;
        for (size_t i = 0; i < line.length; i++) {
                if (line.at[i] == '"')
                        in_quotes = !in_quotes;
                else if (line.at[i] == '\\' && in_quotes)
                        i++;
                else if (line.at[i] == '#' && !in_quotes &&
                         (i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t'))
                        return span_of(line.at, i);
        }
        return line;
}

void lines_read_one(struct lines *lines, struct span line)
{
        const char *message = NULL;

        if (lines->line++ == 0)
                line = span_without_mark(line);
        if (line.length > 0 && line.at[line.length - 1] == '\r')
                line.length--;
        for (size_t i = 0; i < line.length; i++)
                if (ascii_is_control(line.at[i]) && line.at[i] != '\t')
                        message = "control character";
        if (!span_is_utf8(line))
                message = "not UTF-8";
        struct span entry = message == NULL ? span_trim(comment_cut(line)) : line;
        if (message == NULL && entry.length > 0)
                message = lines->take(lines, entry);
        if (message != NULL)
                lines_complain(lines, COMPLAINT_ERROR, entry, message);
}

/* Reads the whole lines of `text`; returns what is left of it. */
static struct span read_whole(struct lines *lines, struct span text)
{
        for (;;) {
                size_t end = span_find(text, '\n');
                if (end == SIZE_MAX)
                        return text;
                lines_read_one(lines, span_of(text.at, end));
                text = span_skip(text, end + 1);
        }
}

bool lines_read_file(struct lines *lines, int file, char *buffer)
{
        size_t kept = 0;
        for (;;) {
                ssize_t length = read(file, buffer + kept, LINES_BUFFER_SIZE - kept);
                if (length < 0 && errno == EINTR)
                        continue;
                if (length < 0)
                        return false;
                if (length == 0)
                        break;
                lines->octets += (uint64_t)length;
                struct span rest = read_whole(lines, span_of(buffer, kept + (size_t)length));
                if (rest.length == LINES_BUFFER_SIZE) {
                        lines->line++;
                        lines_complain(lines, COMPLAINT_ERROR, rest, "line too long");
                        return true;
                }
                memmove(buffer, rest.at, rest.length);
                kept = rest.length;
        }
        lines->is_cut = kept > 0;
        if (kept > 0)
                lines_read_one(lines, span_of(buffer, kept));
        return true;
}
