/* What the entries of the lists mean. */
#include "conf/build/address_list.h"

#include "conf/recipients/entry.h"
#include "conf/text/access.h"
#include "conf/text/lines.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TLDS_MIN 100

static const char *const tlds_builtin[] = {
#include "tlds_builtin.inc"
};

struct list {
        struct lines lines;
        struct name_table *table;
        struct span domain; /* of recipients */
        bool fold;
        char message[RECIPIENT_FAULT_MAX]; /* room for what is wrong with an entry */
};

static const char out_of_memory[] = "out of memory";

/* ---- entries ------------------------------------------------------------------------------------------- */

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

static const char *recipient_take(struct lines *lines, struct span entry)
{
        struct list *list = (struct list *)lines;
        char octets[LOCAL_PART_MAX], normal_octets[LOCAL_PART_MAX];
        struct text local_part, normal;
        struct span domain;

        text_over(&local_part, octets, sizeof octets);
        text_over(&normal, normal_octets, sizeof normal_octets);
        const char *fault = recipient_entry_read(entry, &local_part, &domain, list->message);
        if (fault != NULL)
                return fault;
        if (domain.length > 0 && !is_in_domain(span_skip(domain, 1), list->domain))
                return "the address is in another domain";
        if (!local_part_normalise(text_span(&local_part), list->fold, &normal))
                return "the local part is too long in lower case";
        return name_table_add(list->table, text_span(&normal), 0) ? NULL : out_of_memory;
}

static const char *tld_take(struct lines *lines, struct span entry)
{
        struct list *list = (struct list *)lines;
        char octets[DOMAIN_NAME_MAX + 1];
        struct text a_label;

        text_over(&a_label, octets, sizeof octets);
        if (!domain_name_is_valid(entry, true) || span_find(entry, '.') != SIZE_MAX ||
            !domain_name_to_ascii(entry, &a_label) || a_label.overflowed)
                return "not a top-level domain";
        return name_table_add(list->table, text_span(&a_label), 0) ? NULL : out_of_memory;
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* Somebody has written to the file since `before`: what was read may be half of what is meant. */
static bool has_changed(int file, const struct stat *before)
{
        struct stat now;
        return fstat(file, &now) != 0 || now.st_size != before->st_size ||
               memcmp(&now.st_mtim, &before->st_mtim, sizeof now.st_mtim) != 0;
}

/* Errors of the file as a whole belong to the place where it is named. */
static bool list_read(struct lines *lines, const char *what, struct place place)
{
        struct stat status;
        char *buffer = malloc(LINES_BUFFER_SIZE), denied[ACCESS_TEXT_MAX];
        int file = open(lines->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const char *message = NULL;

        bool is_open = buffer != NULL && file >= 0 && fstat(file, &status) == 0;
        if (is_open && !S_ISREG(status.st_mode))
                message = S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file";
        else if (!is_open || !lines_read_file(lines, file, buffer))
                message = strerror(errno);
        else if (has_changed(file, &status))
                message = "is being written to: write a new file and rename it over this one";
        if (message != NULL)
                conf_complain(lines->complaints, COMPLAINT_ERROR, &place, "%s: %s: %s%s", what, lines->path,
                              message, file < 0 ? access_denied(lines->path, R_OK, denied) : "");
        lines_tell_rest(lines);
        if (file >= 0)
                close(file);
        free(buffer);
        return message == NULL && lines->told[COMPLAINT_ERROR] == 0;
}

bool recipients_read(struct domain *domain, struct place place, struct conf_complaints *complaints)
{
        struct list list = {
            .lines = {.take = recipient_take, .path = domain->options.recipients, .complaints = complaints},
            .table = &domain->recipients,
            .domain = domain->name,
            .fold = domain->options.local_part_case == LOCAL_PART_FOLD};
        bool is_read = list_read(&list.lines, "recipients", place);
        domain->recipients_are_cut = list.lines.is_cut;
        return is_read;
}

bool tlds_read(const char *path, struct place place, struct name_table *table,
               struct conf_complaints *complaints)
{
        struct list list = {.lines = {.take = tld_take, .path = path, .complaints = complaints},
                            .table = table};

        if (path == NULL) {
                for (size_t i = 0; i < sizeof tlds_builtin / sizeof *tlds_builtin; i++)
                        lines_read_one(&list.lines, span_from(tlds_builtin[i]));
                return list.lines.told[COMPLAINT_ERROR] == 0;
        }
        if (!list_read(&list.lines, "list", place))
                return false;
        if (table->count < TLDS_MIN) {
                conf_complain(complaints, COMPLAINT_ERROR, &place,
                              "list: %s: holds fewer than %d top-level domains", path, TLDS_MIN);
                return false;
        }
        return true;
}
