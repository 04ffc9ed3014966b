/* A line is looked into only where its day is right and it tells of DMARC. */
#include "workers/cli/dmarc_report/gather.h"

#include "workers/log/line.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define HOUR_LENGTH 14 /* of "!2026-11-28T16:00:00.000Z" */

static void give(struct gathering *gathering, const struct text *line)
{
        fwrite(line->at, 1, line->length, gathering->sorter->in);
        fputc('\n', gathering->sorter->in);
}

/* Of a policy that did not change the first sight in an hour is enough. Files of machines that ran at once come one
 * after the other: so the last one of the day is right to the hour even there. */
static void give_policy(struct gathering *gathering)
{
        struct span rest = text_span(&gathering->entry.policy);
        struct span domain = entry_field_next(&rest);
        uint64_t slot = XXH3_64bits(domain.at, domain.length);

        struct span time = entry_field_next(&rest);
        uint64_t hour = XXH3_64bits_withSeed(time.at, HOUR_LENGTH, slot);
        uint64_t digest = XXH3_64bits_withSeed(rest.at, rest.length, hour);
        uint64_t *seen = &gathering->policies[slot % GATHER_POLICIES];
        if (*seen == digest)
                return;
        *seen = digest;
        give(gathering, &gathering->entry.policy);
}

static void look_at_mail(struct gathering *gathering, const json_t *line, const json_t *transaction)
{
        if (!json_is_string(json_object_get(transaction, "dmarc")))
                return;
        enum entry_result result = entry_read(line, transaction, &gathering->entry);
        gathering->mails[result]++;
        if (result == ENTRY_TAKEN || result == ENTRY_UNWANTED)
                give_policy(gathering);
        if (result == ENTRY_TAKEN)
                give(gathering, &gathering->entry.row);
}

static void look_at_session(struct gathering *gathering, const char *octets)
{
        json_t *line = json_loads(octets, JSON_REJECT_DUPLICATES, NULL);
        const json_t *transactions = json_object_get(line, "transactions");

        if (line == NULL)
                gathering->damaged_lines++;
        for (size_t i = 0; i < json_array_size(transactions); i++)
                look_at_mail(gathering, line, json_array_get(transactions, i));
        json_decref(line);
}

static void look_at_line(void *context, const char *octets)
{
        struct gathering *gathering = context;
        size_t length = strlen(octets);

        if (length == 0)
                return;
        if (strncmp(octets, LOG_LINE_HEAD, sizeof LOG_LINE_HEAD - 1) != 0 || octets[length - 1] != '}') {
                gathering->damaged_lines++;
                return;
        }
        if (strncmp(octets + sizeof LOG_LINE_HEAD - 1, gathering->day, strlen(gathering->day)) != 0)
                return;
        gathering->lines++;
        if (strstr(octets, "\"dmarc\":\"") != NULL)
                look_at_session(gathering, octets);
}

void gather_file(struct gathering *gathering, const struct log_file *file)
{
        if (log_file_read(file, gathering->shows_progress, look_at_line, gathering) != LOG_FILE_WHOLE)
                gathering->is_incomplete = true;
}

/* A file that does not say when it begins may have anything. */
static bool may_have(const struct log_file *file, const char *day)
{
        return !file->is_time_told || strncmp(file->time, day, strlen(day)) <= 0;
}

/* As of log.2 and log.2.gz while the one is made of the other: their mails would count twice. */
static bool is_copy(const struct log_file *file, const struct log_file *next)
{
        if (!file->is_time_told || !next->is_time_told || strcmp(file->time, next->time) != 0)
                return false;
        fprintf(stderr, "gatepost: %s and %s begin at the same time: one is a copy of the other\n",
                file->path, next->path);
        return true;
}

/* A file ends where the next one begins. */
void gather_rotated(struct gathering *gathering, const struct log_files *files)
{
        const char *day = gathering->day;
        size_t count = 0;

        while (count < files->count) {
                const struct log_file *file = &files->files[count++];
                if (file->is_time_told && strcmp(file->time, day) < 0)
                        break;
        }
        for (size_t i = count; i > 0; i--) {
                const struct log_file *file = &files->files[i - 1];
                if (!may_have(file, day))
                        continue;
                gathering->is_incomplete |= i < count && is_copy(file, file + 1);
                gather_file(gathering, file);
        }
}
