/* Sources of lookup tables: an entry a line, a key and behind blanks its value. */
#include "workers/cli/import/cf/table.h"

#include "workers/cli/import/cf/words.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define POSTFIX_FOLDER "/etc/postfix/"

bool cf_is_table(struct span word)
{
        size_t colon = span_find(word, ':');

        if (word.length > 0 && word.at[0] == '/')
                return true;
        for (size_t i = 0; i < word.length && i < colon; i++)
                if (!ascii_is_alnum(word.at[i]) && word.at[i] != '-')
                        return false;
        /* "::1" and "[::1]" are addresses. */
        return colon != SIZE_MAX && colon > 0 && ascii_is_alpha(word.at[0]) && colon + 1 < word.length &&
               (span_find(SPAN("/{$"), word.at[colon + 1]) != SIZE_MAX || ascii_is_alpha(word.at[colon + 1]));
}

/* ---- files --------------------------------------------------------------------------------------------- */

static bool read_all(int file, char *octets, size_t size)
{
        for (size_t done = 0; done < size;) {
                ssize_t count = read(file, octets + done, size - done);
                if (count < 0 && errno == EINTR)
                        continue;
                if (count <= 0)
                        return false;
                done += (size_t)count;
        }
        return true;
}

bool cf_file_read(struct keep *keep, const char *path, size_t size_max, struct span *ret_text)
{
        struct stat status;
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (file < 0)
                return false;
        bool is_fit =
            fstat(file, &status) == 0 && S_ISREG(status.st_mode) && (size_t)status.st_size <= size_max;
        size_t size = is_fit ? (size_t)status.st_size : 0;
        char *octets = keep_take(keep, size + 1);
        bool is_read = is_fit && read_all(file, octets, size);
        close(file);
        if (!is_fit)
                errno = EFBIG;
        *ret_text = span_of(octets, size);
        return is_read;
}

struct span cf_place_find(struct keep *keep, const struct cf_place *place, struct span path)
{
        static const struct span usual = {POSTFIX_FOLDER, sizeof POSTFIX_FOLDER - 1};

        if (place->folder == NULL)
                return span_of("", 0);
        if (span_starts_nocase(path, usual)) {
                struct span rest = span_skip(path, usual.length);
                struct span beside = keep_format(keep, "%s/%.*s", place->folder, SPAN_ARG(rest));
                if (access(beside.at, F_OK) == 0)
                        return beside;
        }
        return path.length > 0 && path.at[0] == '/'
                   ? keep_span(keep, path)
                   : keep_format(keep, "%s/%.*s", place->folder, SPAN_ARG(path));
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static bool append(struct keep *keep, struct cf_table *table, struct cf_entry ***end, struct span line,
                   uint32_t number)
{
        size_t length = 0;

        if (table->count == CF_TABLE_ENTRIES_MAX)
                return cf_say(&table->fault, number, "more than %d entries", CF_TABLE_ENTRIES_MAX);
        while (length < line.length && line.at[length] != ' ' && line.at[length] != '\t' &&
               line.at[length] != '\n')
                length++;
        struct cf_entry *entry = keep_take(keep, sizeof *entry);
        *entry = (struct cf_entry){NULL, span_of(line.at, length), cf_trim(span_skip(line, length)), number};
        **end = entry;
        *end = &entry->next;
        table->count++;
        return true;
}

static bool read_lines(struct keep *keep, struct cf_table *table, struct span text)
{
        struct cf_entry **end = &table->first;
        uint32_t next_line = 1, line = 0;
        struct span whole;

        for (;;) {
                if (!cf_take_line(keep, &text, &next_line, &whole, &line, &table->fault))
                        return false;
                if (whole.length == 0)
                        return true;
                if (!append(keep, table, &end, whole, line))
                        return false;
        }
}

/* "{ { key = value }, { key = value } }" */
static bool read_inline(struct keep *keep, struct cf_table *table)
{
        struct cf_entry **end = &table->first;
        struct span rest, word;

        if (!cf_unbrace(table->path, &rest))
                return cf_say(&table->fault, 0, "inline: without braces");
        while ((word = cf_take_word(&rest)).length > 0) {
                struct span pair = word;
                cf_unbrace(word, &pair);
                size_t equals = span_find(pair, '=');
                if (equals == SIZE_MAX)
                        return cf_say(&table->fault, 0, "inline: an entry without =");
                if (!append(keep, table, &end, cf_trim(span_of(pair.at, equals)), 0))
                        return false;
                struct cf_entry *last =
                    (struct cf_entry *)(void *)((char *)end - offsetof(struct cf_entry, next));
                last->value = cf_trim(span_skip(pair, equals + 1));
        }
        return true;
}

/* "/file": each of its words is one of the list. */
static bool read_words(struct keep *keep, struct cf_table *table, struct span text)
{
        struct cf_entry **end = &table->first;
        uint32_t next_line = 1, line = 0;
        struct span whole, word;

        for (;;) {
                if (!cf_take_line(keep, &text, &next_line, &whole, &line, &table->fault))
                        return false;
                if (whole.length == 0)
                        return true;
                while ((word = cf_take_word(&whole)).length > 0)
                        if (!append(keep, table, &end, word, line))
                                return false;
        }
}

static bool is_text_type(struct span type)
{
        static const char *const types[] = {"hash", "lmdb", "btree", "dbm",
                                            "cdb",  "sdbm", "cidr",  "texthash"};

        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if (span_equals(type, span_from(types[i])))
                        return true;
        return false;
}

void cf_table_read(struct keep *keep, const struct cf_place *place, struct span word,
                   struct cf_table *ret_table)
{
        struct cf_table table = {.state = CF_TABLE_FOREIGN};
        size_t colon = word.length > 0 && word.at[0] == '/' ? SIZE_MAX : span_find(word, ':');
        struct span text;

        if (colon != SIZE_MAX && span_equals(span_of(word.at, colon), SPAN("proxy")))
                word = span_skip(word, colon + 1), colon = span_find(word, ':');
        table.type = span_of(word.at, colon == SIZE_MAX ? 0 : colon);
        table.path = span_skip(word, colon == SIZE_MAX ? 0 : colon + 1);
        if (span_equals(table.type, SPAN("inline"))) {
                table.state = read_inline(keep, &table) ? CF_TABLE_READ : CF_TABLE_BROKEN;
        } else if (table.type.length == 0 || is_text_type(table.type)) {
                struct span path = cf_place_find(keep, place, table.path);
                table.state = CF_TABLE_ABSENT;
                if (path.length > 0 && cf_file_read(keep, path.at, CF_TABLE_SIZE_MAX, &text))
                        table.state = (table.type.length == 0 ? read_words : read_lines)(keep, &table, text)
                                          ? CF_TABLE_READ
                                          : CF_TABLE_BROKEN;
        }
        *ret_table = table;
}
