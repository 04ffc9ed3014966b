#include "workers/policy/seen_log.h"

#define MARK SPAN("\"reject_id\":\"") /* within a value its quotes would be escaped */

void seen_log_end(struct seen_log *seen)
{
        log_tail_end(&seen->tail);
        log_index_end(&seen->index);
        seen->count = 0;
}

static void note_line(void *context, struct span line, struct log_place place)
{
        struct seen_log *seen = context;
        struct span mark = MARK;
        char id[ID_TEXT_SIZE];
        const char *found;

        while ((found = memmem(line.at, line.length, mark.at, mark.length)) != NULL) {
                line = span_skip(line, (size_t)(found - line.at) + mark.length);
                if (id_read(span_of(line.at, line.length < ID_LENGTH ? 0 : ID_LENGTH), id))
                        log_index_put(&seen->index, id_number(id), place);
        }
}

bool seen_log_turn(struct seen_log *seen, const char *path, uint64_t count)
{
        if (count != seen->count) {
                seen_log_end(seen);
                if (count > 0 && !log_index_init(&seen->index, count))
                        return false;
                seen->count = count;
        }
        if (count > 0 && strcmp(path, "stderr") != 0)
                return log_tail_turn(&seen->tail, path, note_line, seen);
        log_tail_end(&seen->tail);
        return false;
}

bool seen_log_is_open(const struct seen_log *seen)
{
        return seen->tail.count > 0;
}

json_t *seen_log_find(struct seen_log *seen, const char id[static ID_TEXT_SIZE])
{
        struct log_place place;

        if (!log_index_find(&seen->index, id_number(id), &place))
                return NULL;
        struct span line = log_tail_line(&seen->tail, place);
        return json_loadb(line.at, line.length, JSON_REJECT_DUPLICATES, NULL);
}
