/* Lines end with LF or CR LF; the last one may end without. */
#include "conf/text/entries.h"

static struct span line_take(struct span *rest)
{
        size_t end = span_find(*rest, '\n');
        struct span line = span_of(rest->at, end == SIZE_MAX ? rest->length : end);

        *rest = span_skip(*rest, end == SIZE_MAX ? rest->length : end + 1);
        if (line.length > 0 && line.at[line.length - 1] == '\r')
                line.length--;
        return line;
}

struct span entry_take(struct span *rest, uint32_t *line)
{
        struct span entry = {0};

        while (rest->length > 0 && (entry.length == 0 || entry.at[0] == '#')) {
                entry = span_trim(line_take(rest));
                ++*line;
        }
        return entry.length > 0 && entry.at[0] == '#' ? span_of(entry.at, 0) : entry;
}
