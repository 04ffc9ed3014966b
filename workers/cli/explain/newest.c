/* Times of the log are in order as text. */
#include "workers/cli/explain/newest.h"

#include <string.h>

/* What the log has later is newer where the times are the same, but a line's own mails stay in their order. */
static size_t place_of(const struct newest *newest, const json_t *line, const char *time)
{
        size_t place = 0;

        while (place < newest->count &&
               (newest->mails[place].line == line || strcmp(newest->mails[place].time, time) > 0))
                place++;
        return place;
}

void newest_add(struct newest *newest, json_t *line, const struct occurrence *occurrence)
{
        const char *time = json_string_value(json_object_get(line, "time"));
        size_t place = place_of(newest, line, time);

        if (newest->count == NEWEST_MAX) {
                newest->left_out++;
                if (place == NEWEST_MAX)
                        return;
                json_decref(newest->mails[--newest->count].line);
        }
        struct newest_mail *mail = &newest->mails[place];
        memmove(mail + 1, mail, (newest->count++ - place) * sizeof *mail);
        *mail = (struct newest_mail){json_incref(line), time, *occurrence};
}

void newest_tell(const struct newest *newest, struct teller *teller)
{
        for (size_t i = 0; i < newest->count; i++)
                teller_tell(teller, &newest->mails[i].occurrence, false);
}

void newest_end(struct newest *newest)
{
        for (size_t i = 0; i < newest->count; i++)
                json_decref(newest->mails[i].line);
        newest->count = 0;
}
