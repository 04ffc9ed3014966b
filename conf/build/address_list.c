/* Millions of lines: one buffer, no allocation a line. */
#include "conf/build/address_list.h"

#include "conf/complaints.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t)256 << 10)
#define ERRORS_MAX  20 /* told of each file */
#define TLDS_MIN    100

static const char *const tlds_builtin[] = {
#include "tlds_builtin.inc"
};

struct list {
        /* Adds one entry. NULL, or what is wrong with it. */
        const char *(*add)(struct list *list, struct span entry);
        struct name_table *table;
        struct span domain; /* of recipients */
        bool fold;
        const char *path;
        uint32_t line;
        unsigned errors;
        struct conf_complaints *complaints;
};

static const char out_of_memory[] = "out of memory";

/* ---- entries ------------------------------------------------------------------------------------------- */

/* Offset of the "@" behind the local part, or the length. */
static size_t local_part_end(struct span entry)
{
        size_t at = 1;
        if (entry.at[0] != '"') {
                size_t end = span_find(entry, '@');
                return end == SIZE_MAX ? entry.length : end;
        }
        while (at < entry.length && entry.at[at] != '"')
                at += entry.at[at] == '\\' ? 2 : 1;
        return at + 1 < entry.length ? at + 1 : entry.length;
}

static bool is_in_domain(struct span name, struct span domain)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text a_labels;

        if (span_equals_nocase(name, domain))
                return true;
        text_over(&a_labels, octets, sizeof octets);
        return domain_name_is_valid(name, true) && domain_name_to_ascii(name, &a_labels) &&
               span_equals(text_span(&a_labels), domain);
}

static const char *recipient_add(struct list *list, struct span entry)
{
        char octets[LOCAL_PART_MAX];
        struct text local_part;
        size_t end = local_part_end(entry);

        text_over(&local_part, octets, sizeof octets);
        if (!local_part_parse(span_of(entry.at, end), true, &local_part))
                return "neither an address nor a local part";
        if (end < entry.length && entry.at[end] != '@')
                return "neither an address nor a local part";
        if (end < entry.length && !is_in_domain(span_skip(entry, end + 1), list->domain))
                return "the address is in another domain";
        for (size_t i = 0; list->fold && i < local_part.length; i++)
                octets[i] = ascii_lower(octets[i]);
        return name_table_add(list->table, text_span(&local_part), 0) ? NULL : out_of_memory;
}

static const char *tld_add(struct list *list, struct span entry)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text a_label;

        text_over(&a_label, octets, sizeof octets);
        if (!domain_name_is_valid(entry, true) || span_find(entry, '.') != SIZE_MAX ||
            !domain_name_to_ascii(entry, &a_label) || a_label.overflowed)
                return "not a top-level domain";
        return name_table_add(list->table, text_span(&a_label), 0) ? NULL : out_of_memory;
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static void complain(struct list *list, const char *message)
{
        struct place place = {list->path, list->line};
        if (list->errors++ < ERRORS_MAX)
                conf_complain(list->complaints, COMPLAINT_ERROR, &place, "%s", message);
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

static void line_read(struct list *list, struct span line)
{
        const char *message = NULL;

        list->line++;
        if (line.length > 0 && line.at[line.length - 1] == '\r')
                line.length--;
        for (size_t i = 0; i < line.length; i++)
                if (ascii_is_control(line.at[i]) && line.at[i] != '\t')
                        message = "control character";
        if (!span_is_utf8(line))
                message = "not UTF-8";
        line = span_trim(comment_cut(line));
        if (message == NULL && line.length > 0)
                message = list->add(list, line);
        if (message != NULL)
                complain(list, message);
}

/* Reads the whole lines of `text`; returns what is left of it. */
static struct span lines_read(struct list *list, struct span text)
{
        for (;;) {
                size_t end = span_find(text, '\n');
                if (end == SIZE_MAX)
                        return text;
                line_read(list, span_of(text.at, end));
                text = span_skip(text, end + 1);
        }
}

/* False, with errno, when reading fails. */
static bool file_read(struct list *list, int file, char *buffer)
{
        size_t kept = 0;
        for (;;) {
                ssize_t length = read(file, buffer + kept, BUFFER_SIZE - kept);
                if (length < 0 && errno == EINTR)
                        continue;
                if (length < 0)
                        return false;
                if (length == 0)
                        break;
                struct span rest = lines_read(list, span_of(buffer, kept + (size_t)length));
                if (rest.length == BUFFER_SIZE) {
                        list->line++;
                        complain(list, "line too long");
                        return true;
                }
                memmove(buffer, rest.at, rest.length);
                kept = rest.length;
        }
        if (kept > 0)
                line_read(list, span_of(buffer, kept));
        return true;
}

/* Errors of the file as a whole belong to the place where it is named. */
static bool list_read(struct list *list, const char *what, struct place place)
{
        struct stat status;
        char *buffer = malloc(BUFFER_SIZE);
        int file = open(list->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const char *message = NULL;

        bool is_open = buffer != NULL && file >= 0 && fstat(file, &status) == 0;
        if (is_open && !S_ISREG(status.st_mode))
                message = S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file";
        else if (!is_open || !file_read(list, file, buffer))
                message = strerror(errno);
        if (message != NULL)
                conf_complain(list->complaints, COMPLAINT_ERROR, &place, "%s: %s: %s", what, list->path,
                              message);
        if (list->errors > ERRORS_MAX)
                conf_complain(list->complaints, COMPLAINT_ERROR, &(struct place){list->path, 0},
                              "%u errors more", list->errors - ERRORS_MAX);
        if (file >= 0)
                close(file);
        free(buffer);
        return message == NULL && list->errors == 0;
}

bool recipients_read(const char *path, struct place place, struct span domain, bool fold,
                     struct name_table *table, struct conf_complaints *complaints)
{
        struct list list = {.add = recipient_add,
                            .table = table,
                            .domain = domain,
                            .fold = fold,
                            .path = path,
                            .complaints = complaints};
        return list_read(&list, "recipients", place);
}

bool tlds_read(const char *path, struct place place, struct name_table *table,
               struct conf_complaints *complaints)
{
        struct list list = {.add = tld_add, .table = table, .path = path, .complaints = complaints};

        if (path == NULL) {
                for (size_t i = 0; i < sizeof tlds_builtin / sizeof *tlds_builtin; i++)
                        line_read(&list, span_from(tlds_builtin[i]));
                return list.errors == 0;
        }
        if (!list_read(&list, "list", place))
                return false;
        if (table->count < TLDS_MIN) {
                conf_complain(complaints, COMPLAINT_ERROR, &place,
                              "list: %s: holds fewer than %d top-level domains", path, TLDS_MIN);
                return false;
        }
        return true;
}
