/* Looks through the log, the newest file first. */
#include "workers/cli/explain/log.h"

#include "conf/build/load.h"
#include "conf/value/value.h"
#include "core/base/date.h"
#include "core/base/ids/ids.h"
#include "core/base/text.h"
#include "dns/clock.h"
#include "workers/cli/explain/newest.h"
#include "workers/cli/explain/pieces.h"
#include "workers/cli/files/log_files.h"
#include "workers/cli/shared/revealer.h"
#include "workers/cli/usage.h"
#include "workers/log/line.h"

#include <stdio.h>
#include <stdlib.h>

struct look {
        const struct log_question *question;
        char id[ID_TEXT_SIZE];            /* empty: by envelope */
        char since[DATE_TEXT_LENGTH + 1]; /* as the log writes it; empty: ever */
        struct network clients;           /* where the question names any */
        size_t found;
        size_t hidden;      /* by envelope: sessions with pseudonyms that no key reveals */
        json_t *lines;      /* by id: of the files that were read, the oldest first; NULL: none yet */
        json_t *file_lines; /* of the file that is being read */
        struct revealer revealer;
        struct pieces pieces;
        struct newest newest; /* by envelope */
        struct teller teller;
};

/* ---- what is looked for -------------------------------------------------------------------------------- */

/* Of "550 5.7.1 ... [1BS0T7G1VBQC]" what stands in the last brackets. */
static struct span in_brackets(struct span words)
{
        size_t open = span_find_last(words, '['), close = span_find_last(words, ']');

        return open != SIZE_MAX && close != SIZE_MAX && open < close
                   ? span_trim(span_of(words.at + open + 1, close - open - 1))
                   : SPAN("");
}

/* Of "250 2.0.0 accepted as 1BS0T7G1VBQC" the end, without the quotes and the like that logs have around it. */
static struct span last_word(struct span words)
{
        while (words.length > 0 && !ascii_is_alnum(words.at[words.length - 1]))
                words.length--;
        size_t start = words.length;
        while (start > 0 && ascii_is_alnum(words.at[start - 1]))
                start--;
        return span_skip(words, start);
}

static bool find_id(struct span words, char ret_id[static ID_TEXT_SIZE])
{
        return id_read(in_brackets(words), ret_id) || id_read(last_word(words), ret_id);
}

/* Times of the log are in order as text. */
static bool read_since(const char *since, char ret_since[static DATE_TEXT_LENGTH + 1])
{
        struct span text = span_from(since);
        uint64_t ago_ms;
        struct text out;

        text_over(&out, ret_since, DATE_TEXT_LENGTH);
        if (text.length > 0 && text.at[text.length - 1] == 'Z')
                text.length--;
        if (duration_parse(text, &ago_ms)) {
                int64_t then_s = clock_wall_s() - (int64_t)(ago_ms / 1000);
                date_write(&out, then_s > 0 ? then_s : 0);
        } else if (date_is_right(text)) {
                text_put(&out, text);
                if (text.length > 10)
                        ret_since[10] = 'T';
        } else {
                return false;
        }
        ret_since[out.length] = '\0';
        return true;
}

/* "x@y", "@y" for a whole domain, "" for the null sender; letter case aside. */
static bool is_address(const char *wanted, const char *found)
{
        struct span pattern = span_from(wanted), address = span_from(found);

        if (pattern.length > 0 && pattern.at[0] == '@')
                return span_ends_nocase(address, pattern);
        return span_equals_nocase(address, pattern);
}

/* ---- what is found ------------------------------------------------------------------------------------- */

static void keep(struct look *look, json_t *line, const struct occurrence *occurrence)
{
        look->found++;
        newest_add(&look->newest, line, occurrence);
}

static void look_at_recipients(struct look *look, json_t *line, struct occurrence *occurrence)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        const char *wanted = look->question->recipient;

        for (size_t i = 0; i < json_array_size(recipients); i++) {
                occurrence->recipient = json_array_get(recipients, i);
                const char *to = json_string_value(json_object_get(occurrence->recipient, "to"));
                if (wanted == NULL || (to != NULL && is_address(wanted, to)))
                        keep(look, line, occurrence);
        }
        if (json_array_size(recipients) == 0 && wanted == NULL)
                keep(look, line, occurrence);
}

/* A pseudonym is nobody's address. */
static bool is_from_client(const struct look *look, const json_t *line)
{
        const char *client = json_string_value(json_object_get(line, "client"));
        struct address address;

        return look->question->client == NULL ||
               (client != NULL && address_parse(span_from(client), &address) &&
                network_contains(&look->clients, &address));
}

static void look_by_envelope(struct look *look, json_t *line)
{
        const json_t *transactions = json_object_get(line, "transactions");

        if (!is_from_client(look, line))
                return;
        for (size_t i = 0; i < json_array_size(transactions); i++) {
                struct occurrence occurrence = {.session = line,
                                                .transaction = json_array_get(transactions, i)};
                const char *from = json_string_value(json_object_get(occurrence.transaction, "from"));
                if (look->question->sender == NULL ||
                    (from != NULL && is_address(look->question->sender, from)))
                        look_at_recipients(look, line, &occurrence);
        }
}

static void look_by_id(struct look *look, json_t *line)
{
        struct occurrence occurrence;

        look->found++;
        if (occurrence_find(line, look->id, &occurrence))
                teller_tell(&look->teller, &occurrence, true);
        else
                teller_tell_event(&look->teller, line);
}

static void look_at_line(void *context, const char *octets)
{
        struct look *look = context;
        bool is_by_id = look->id[0] != '\0';

        if (is_by_id ? strstr(octets, look->id) == NULL : strstr(octets, "\"event\":\"session\"") == NULL)
                return;
        const char *revealed = revealer_line(&look->revealer, octets);
        json_t *line = json_loads(revealed, JSON_REJECT_DUPLICATES, NULL);
        const char *time = json_string_value(json_object_get(line, "time"));
        if (line != NULL && time != NULL && strcmp(time, look->since) >= 0) {
                if (is_by_id) {
                        json_array_append(look->file_lines, line);
                } else {
                        look->hidden += log_line_has_pseudonyms(span_from(revealed));
                        pieces_join(&look->pieces, line, NULL);
                        look_by_envelope(look, line);
                }
        }
        json_decref(line);
}

/* An id is in one file, with all that tells of it, unless it is that of a mail in pieces between which the log was
 * rotated, or that was in the journal then. The newest file comes first: whoever asks does so soon. */
static size_t read_by_id(struct look *look, const struct log_files *files)
{
        size_t searched = 0;

        look->lines = json_array();
        for (size_t i = 0; i < files->count && !pieces_are_whole(look->lines, look->id); i++) {
                look->file_lines = json_array();
                searched += log_file_read(&files->files[i], false, look_at_line, look) != LOG_FILE_UNREAD;
                json_array_extend(look->file_lines, look->lines);
                json_decref(look->lines);
                look->lines = look->file_lines;
        }
        for (size_t i = 0; i < json_array_size(look->lines); i++) {
                json_t *line = json_array_get(look->lines, i);
                if (!pieces_join(&look->pieces, line, look->id))
                        look_by_id(look, line);
        }
        return searched;
}

/* The oldest file first: pieces of a mail come in their order. */
static size_t read_by_envelope(struct look *look, const struct log_files *files)
{
        size_t searched = 0;

        for (size_t i = files->count; i > 0; i--)
                searched += log_file_read(&files->files[i - 1], false, look_at_line, look) != LOG_FILE_UNREAD;
        return searched;
}

/* Mails whose end is not in the log. */
static void look_at_endless(struct look *look)
{
        const char *id;
        json_t *line;

        json_object_foreach(look->pieces.open, id, line)
        {
                if (look->id[0] != '\0')
                        look_by_id(look, line);
                else
                        look_by_envelope(look, line);
        }
        pieces_end(&look->pieces);
}

static bool names_mailbox(const char *address)
{
        return address != NULL && strchr(address, '@') != NULL && address[0] != '@';
}

/* Addresses and local parts are what a pseudonym hides from whoever has not its key. */
static void tell_hidden(const struct look *look)
{
        if (look->hidden > 0 && (look->question->client != NULL || names_mailbox(look->question->sender) ||
                                 names_mailbox(look->question->recipient)))
                fprintf(stderr,
                        "gatepost: sessions with pseudonyms that no key reveals: %zu; who is behind those "
                        "is not found\n",
                        look->hidden);
}

static int look_through(struct look *look, const char *path, const struct snapshot *snapshot)
{
        struct log_files files;

        if (!log_files_find(&files, path)) {
                log_files_end(&files);
                return 1;
        }
        revealer_begin(&look->revealer, snapshot == NULL ? "" : snapshot->options.log_pseudonym_key_file);
        teller_begin(&look->teller, look->question->configuration, snapshot, look->question->as_json);
        size_t searched = look->id[0] != '\0' ? read_by_id(look, &files) : read_by_envelope(look, &files);
        look_at_endless(look);
        newest_tell(&look->newest, &look->teller);
        teller_end(&look->teller, look->newest.left_out);
        newest_end(&look->newest);
        json_decref(look->lines);
        revealer_end(&look->revealer);
        if (look->found == 0)
                fprintf(
                    stderr,
                    "gatepost: %s is not in the %zu of %zu files of %s and its rotation that were searched\n",
                    look->id[0] != '\0' ? look->id : "such a mail", searched, files.count, path);
        tell_hidden(look);
        int status = look->found > 0 ? 0 : 1;
        log_files_end(&files);
        return status;
}

/* The log that is given can be searched whatever the configuration is. */
static int look_with_configuration(struct look *look)
{
        const struct log_question *question = look->question;
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(question->configuration, &complaints);
        const char *path = question->log;
        int status = 1;

        if (snapshot == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (path == NULL && snapshot != NULL)
                path = snapshot->options.log;
        if (question->log == NULL && path != NULL && strcmp(path, "stderr") == 0)
                fputs("gatepost: the log goes to standard error (log = \"stderr\"): tell by --log FILE where "
                      "that is kept\n",
                      stderr);
        else if (path != NULL)
                status = look_through(look, path, snapshot);
        snapshot_free(snapshot);
        return status;
}

int explain_log(const struct log_question *question)
{
        struct look look = {.question = question};

        if (question->words != NULL && !find_id(span_from(question->words), look.id)) {
                fprintf(stderr,
                        "gatepost: \"%s\" has no id: that has 12 letters and digits, in brackets at the end "
                        "of a reply, or behind \"accepted as\"\n",
                        question->words);
                return USAGE_STATUS;
        }
        if (question->client != NULL && !network_parse(span_from(question->client), &look.clients)) {
                fprintf(stderr, "gatepost: --client \"%s\" is neither an address nor a network\n",
                        question->client);
                return USAGE_STATUS;
        }
        if (question->since != NULL && !read_since(question->since, look.since)) {
                fprintf(stderr,
                        "gatepost: --since \"%s\" is neither a time such as 2026-11-28T16:00 nor a duration "
                        "such as 2h\n",
                        question->since);
                return USAGE_STATUS;
        }
        return question->configuration != NULL ? look_with_configuration(&look)
                                               : look_through(&look, question->log, NULL);
}
