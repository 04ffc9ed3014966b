/* Millions of lines: one buffer, no allocation a line. */
#include "conf/build/address_list.h"

#include "conf/text/access.h"
#include "conf/complaints.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unictype.h>
#include <unistd.h>
#include <unistr.h>

#define BUFFER_SIZE ((size_t)256 << 10)
#define ERRORS_MAX  20 /* told of each file */
#define QUOTED_MAX  80 /* octets of an entry in a complaint */
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
        bool is_cut; /* the last line has no end */
        unsigned errors;
        char message[64]; /* room for what is wrong with an entry */
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

/* The first character of no width or of no shape, such as a byte order mark or a no-break space, which would make
 * another mailbox of what looks the same; 0: none. The joiners U+200C and U+200D are spelling in some
 * scripts. */
static ucs4_t find_invisible(struct span entry)
{
        const uint32_t invisible = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Z;
        ucs4_t character;

        if (span_is_ascii(entry))
                return 0;
        for (int length; entry.length > 0; entry = span_skip(entry, (size_t)length)) {
                length = u8_mbtouc(&character, (const uint8_t *)entry.at, entry.length);
                if (character >= 0x80 && character != 0x200c && character != 0x200d &&
                    uc_is_general_category_withtable(character, invisible))
                        return character;
        }
        return 0;
}

/* Blanks, or asterisks, that no quotes hide. */
static bool has_outside_quotes(struct span entry, const char *octets)
{
        bool in_quotes = false;
        for (size_t i = 0; i < entry.length; i++) {
                if (entry.at[i] == '"')
                        in_quotes = !in_quotes;
                else if (in_quotes)
                        i += entry.at[i] == '\\';
                else if (strchr(octets, entry.at[i]) != NULL)
                        return true;
        }
        return false;
}

/* What people write who know the lists of other servers. */
static const char *habit_fault(struct list *list, struct span entry)
{
        ucs4_t invisible = find_invisible(entry);

        if (invisible != 0) {
                snprintf(list->message, sizeof list->message, "has an invisible character, U+%04X",
                         (unsigned)invisible);
                return list->message;
        }
        if (has_outside_quotes(entry, " \t"))
                return "one address a line, and nothing behind it but a # comment";
        if (entry.at[0] == '@' || has_outside_quotes(entry, "*"))
                return "there are no wildcards: each mailbox has a line of its own";
        return NULL;
}

static const char *recipient_add(struct list *list, struct span entry)
{
        char octets[LOCAL_PART_MAX], normal_octets[LOCAL_PART_MAX];
        struct text local_part, normal;
        size_t end = local_part_end(entry);
        bool fold = list->fold;
        const char *fault = habit_fault(list, entry);

        text_over(&local_part, octets, sizeof octets);
        text_over(&normal, normal_octets, sizeof normal_octets);
        if (fault != NULL)
                return fault;
        if (!local_part_parse(span_of(entry.at, end), true, &local_part) ||
            (end < entry.length && entry.at[end] != '@'))
                return "neither an address nor a local part";
        if (end < entry.length && !is_in_domain(span_skip(entry, end + 1), list->domain))
                return "the address is in another domain";
        if (!local_part_normalise(text_span(&local_part), fold, &normal))
                return "the local part is too long in lower case";
        return name_table_add(list->table, text_span(&normal), 0) ? NULL : out_of_memory;
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

static void complain(struct list *list, struct span entry, const char *message)
{
        struct place place = {list->path, list->line};
        bool is_short = entry.length <= QUOTED_MAX;
        if (list->errors++ < ERRORS_MAX)
                conf_complain(list->complaints, COMPLAINT_ERROR, &place, "\"%.*s%s\": %s",
                              (int)(is_short ? entry.length : QUOTED_MAX - 3), entry.at,
                              is_short ? "" : "...", message);
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

        if (list->line++ == 0)
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
                message = list->add(list, entry);
        if (message != NULL)
                complain(list, entry, message);
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
                        complain(list, rest, "line too long");
                        return true;
                }
                memmove(buffer, rest.at, rest.length);
                kept = rest.length;
        }
        list->is_cut = kept > 0;
        if (kept > 0)
                line_read(list, span_of(buffer, kept));
        return true;
}

/* Somebody has written to the file since `before`: what was read may be half of what is meant. */
static bool has_changed(int file, const struct stat *before)
{
        struct stat now;
        return fstat(file, &now) != 0 || now.st_size != before->st_size ||
               memcmp(&now.st_mtim, &before->st_mtim, sizeof now.st_mtim) != 0;
}

/* Errors of the file as a whole belong to the place where it is named. */
static bool list_read(struct list *list, const char *what, struct place place)
{
        struct stat status;
        char *buffer = malloc(BUFFER_SIZE), denied[ACCESS_TEXT_MAX];
        int file = open(list->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const char *message = NULL;

        bool is_open = buffer != NULL && file >= 0 && fstat(file, &status) == 0;
        if (is_open && !S_ISREG(status.st_mode))
                message = S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file";
        else if (!is_open || !file_read(list, file, buffer))
                message = strerror(errno);
        else if (has_changed(file, &status))
                message = "is being written to: write a new file and rename it over this one";
        if (message != NULL)
                conf_complain(list->complaints, COMPLAINT_ERROR, &place, "%s: %s: %s%s", what, list->path,
                              message, file < 0 ? access_denied(list->path, R_OK, denied) : "");
        if (list->errors > ERRORS_MAX)
                conf_complain(list->complaints, COMPLAINT_ERROR, &(struct place){list->path, 0},
                              "%u more error%s", list->errors - ERRORS_MAX,
                              list->errors == ERRORS_MAX + 1 ? "" : "s");
        if (file >= 0)
                close(file);
        free(buffer);
        return message == NULL && list->errors == 0;
}

bool recipients_read(struct domain *domain, struct place place, struct conf_complaints *complaints)
{
        struct list list = {.add = recipient_add,
                            .table = &domain->recipients,
                            .domain = domain->name,
                            .fold = domain->options.local_part_case == LOCAL_PART_FOLD,
                            .path = domain->options.recipients,
                            .complaints = complaints};
        bool is_read = list_read(&list, "recipients", place);
        domain->recipients_are_cut = list.is_cut;
        return is_read;
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
