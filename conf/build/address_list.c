/* What the entries of the lists mean. */
#include "conf/build/address_list.h"

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
        /* Of recipients: */
        struct builder *builder;
        struct domain *domain;
        struct recipient_sets *sets;       /* NULL: there are none yet */
        struct name_table set_numbers;     /* by their text */
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

const char *build_recipient_settings(struct builder *builder, struct span text, const struct domain *domain,
                                     struct place place, struct recipient_sets *sets,
                                     char message[static RECIPIENT_FAULT_MAX])
{
        struct arena *memory = &builder->snapshot->memory;
        struct recipient_settings settings;
        struct span deliver, kept = arena_copy(memory, text);

        if (kept.at == NULL)
                return out_of_memory;
        if (sets->count == RECIPIENT_SETS_MAX)
                return "there are too many different settings of recipients";
        const char *fault = recipient_settings_read(kept, &settings, &deliver, message);
        if (fault != NULL)
                return fault;
        settings.place = place;
        if (settings.has_deliver) {
                const char *deliver_text = arena_string(memory, deliver);
                if (deliver_text == NULL)
                        return out_of_memory;
                build_deliver(builder, deliver_text, domain == NULL ? 0 : domain->name.length, place,
                              &settings.deliver);
                build_journal(builder, domain == NULL ? JOURNAL_WHEN_DOWN : domain->options.journal, place,
                              &settings.deliver);
        }
        return recipient_sets_add(sets, &settings, memory) ? NULL : out_of_memory;
}

/* Equal texts share a number. */
static const char *take_settings(struct list *list, struct span text, uint32_t *ret_set)
{
        struct arena *memory = &list->builder->snapshot->memory;
        struct place place = {list->lines.path, list->lines.line};

        if (name_table_find(&list->set_numbers, text, ret_set))
                return NULL;
        if (list->sets == NULL) {
                if ((list->sets = arena_take(memory, sizeof *list->sets)) == NULL)
                        return out_of_memory;
                *list->sets = (struct recipient_sets){0};
        }
        const char *fault =
            build_recipient_settings(list->builder, text, list->domain, place, list->sets, list->message);
        if (fault != NULL)
                return fault;
        *ret_set = (uint32_t)list->sets->count;
        return name_table_add(&list->set_numbers, text, *ret_set) ? NULL : out_of_memory;
}

static const char *recipient_take(struct lines *lines, struct span entry)
{
        struct list *list = (struct list *)lines;
        char octets[LOCAL_PART_MAX], normal_octets[LOCAL_PART_MAX];
        struct span domain, settings = recipient_settings_split(&entry);
        bool folds = list->domain->options.local_part_case == LOCAL_PART_FOLD;
        struct text local_part, normal;
        uint32_t set = 0;

        text_over(&local_part, octets, sizeof octets);
        text_over(&normal, normal_octets, sizeof normal_octets);
        const char *fault = recipient_entry_read(entry, &local_part, &domain, list->message);
        if (fault != NULL)
                return fault;
        if (domain.length > 0 && !is_in_domain(span_skip(domain, 1), list->domain->name))
                return "the address is in another domain";
        if (!local_part_normalise(text_span(&local_part), folds, &normal))
                return "the local part is too long in lower case";
        if (settings.length > 0 && name_table_find(list->table, text_span(&normal), NULL))
                return "has settings, and stands in a line before as well";
        if (settings.length > 0 && (fault = take_settings(list, settings, &set)) != NULL)
                return fault;
        return name_table_add(list->table, text_span(&normal), set) ? NULL : out_of_memory;
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

bool recipients_read(struct builder *builder, struct domain *domain, struct place place)
{
        struct list list = {.lines = {.take = recipient_take,
                                      .path = domain->options.recipients,
                                      .complaints = builder->complaints},
                            .table = &domain->recipients,
                            .builder = builder,
                            .domain = domain};
        bool is_read = list_read(&list.lines, "recipients", place);
        name_table_end(&list.set_numbers);
        domain->sets = list.sets;
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
