/* Building and freeing a snapshot, and looking things up in it. */
#include "conf/snapshot.h"

#include "conf/build/internal.h"
#include "core/base/domain_name.h"

#include <errno.h>
#include <limits.h>
#include <libpsl.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)16 << 10)

/* ---- looking up ---- */

/* Lower case into `octets`, of DOMAIN_NAME_MAX; an empty span when it is longer. */
static struct span fold_name(struct span name, char *octets)
{
        if (name.length > DOMAIN_NAME_MAX)
                return span_of(octets, 0);
        for (size_t i = 0; i < name.length; i++)
                octets[i] = ascii_lower(name.at[i]);
        return span_of(octets, name.length);
}

const struct domain *snapshot_find_domain(const struct snapshot *snapshot, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        uint32_t index;

        if (!name_table_find(&snapshot->domain_names, fold_name(name, octets), &index))
                return NULL;
        return &snapshot->domains[index];
}

struct span snapshot_own_name(const struct snapshot *snapshot, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        uint32_t offset;

        for (name = fold_name(name, octets); name.length > 0;) {
                /* The value is the offset of the entry; the name follows its header of length and value. */
                if (name_table_find(&snapshot->own_names, name, &offset))
                        return span_of(snapshot->own_names.octets + offset + sizeof(uint16_t) +
                                           sizeof(uint32_t),
                                       name.length);
                size_t dot = span_find(name, '.');
                name = span_skip(name, dot == SIZE_MAX ? name.length : dot + 1);
        }
        return span_of(NULL, 0);
}

bool domain_find_recipient(const struct domain *domain, struct span local_part, struct text *ret_mailbox)
{
        char octets[DOMAIN_NAME_MAX];
        const char *extension = domain->options.extension;
        struct span mailbox = local_part;

        if (local_part.length > sizeof octets)
                return false;
        if (domain->options.local_part_case == LOCAL_PART_FOLD)
                mailbox = fold_name(local_part, octets);
        bool is_known = name_table_find(&domain->recipients, mailbox, NULL);
        size_t cut = extension[0] == '\0' ? SIZE_MAX : span_find(mailbox, extension[0]);
        if (!is_known && cut != SIZE_MAX && cut > 0) {
                mailbox = span_of(mailbox.at, cut);
                is_known = name_table_find(&domain->recipients, mailbox, NULL);
        }
        if (!is_known && span_equals_nocase(mailbox, SPAN("postmaster"))) { /* RFC 5321 4.5.1 */
                mailbox = SPAN("postmaster");
                is_known = true;
        }
        if (is_known)
                text_put(ret_mailbox, mailbox);
        return is_known;
}

/* ---- building ---- */

static struct snapshot *snapshot_new(void)
{
        struct snapshot *snapshot = calloc(1, sizeof *snapshot);
        if (snapshot == NULL)
                return NULL;
        block_pool_init(&snapshot->memory_pool, BLOCK_SIZE, 0);
        arena_init(&snapshot->memory, &snapshot->memory_pool, SIZE_MAX / 2);
        return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
        if (snapshot == NULL)
                return;
        for (size_t i = 0; i < snapshot->domain_count; i++)
                name_table_end(&snapshot->domains[i].recipients);
        name_table_end(&snapshot->domain_names);
        name_table_end(&snapshot->tlds);
        name_table_end(&snapshot->own_names);
        psl_free((psl_ctx_t *)snapshot->suffixes);
        arena_end(&snapshot->memory);
        block_pool_end(&snapshot->memory_pool);
        free(snapshot);
}

/* Errors are in the report. */
static void build(struct snapshot *snapshot, struct source *source, const char *directory,
                  struct conf_report *report)
{
        struct block_pool pool;
        struct arena scratch;
        struct settings settings;
        struct builder builder = {
            .snapshot = snapshot, .report = report, .directory = directory, .whole = {source->name, 0}};

        block_pool_init(&pool, BLOCK_SIZE, 0);
        arena_init(&scratch, &pool, SIZE_MAX / 2);
        if (conf_parse(source, directory, &scratch, &snapshot->memory, &settings)) {
                build_from_settings(&builder, &settings, &scratch);
                /* Half a text would only give errors about what is missing. */
                if (!builder.out_of_memory && settings.are_complete)
                        build_finish(&builder);
        } else {
                builder.out_of_memory = true;
        }
        if (builder.out_of_memory)
                conf_report_add(report, REPORT_ERROR, &builder.whole, "out of memory");
        arena_end(&scratch);
        block_pool_end(&pool);
}

/* Takes over `octets` (from malloc); `name` is copied. */
static struct snapshot *load(struct source *source, const char *name, const char *directory,
                             struct conf_report *report)
{
        struct snapshot *snapshot = snapshot_new();
        struct source_fault fault;
        unsigned errors = report->errors;

        source->name = snapshot == NULL ? NULL : arena_string(&snapshot->memory, span_from(name));
        if (source->name == NULL)
                conf_report_add(report, REPORT_ERROR, &(struct place){name, 0}, "out of memory");
        else if (!source_prepare(source, &fault))
                conf_report_add(report, REPORT_ERROR, &(struct place){name, fault.line}, "%s", fault.message);
        else
                build(snapshot, source, directory, report);
        free(source->octets);
        if (report->errors == errors)
                return snapshot;
        snapshot_free(snapshot);
        return NULL;
}

/* The directory of `path`, absolute. NULL when the working directory is not known or memory ran out. */
static const char *directory_of(const char *path, struct arena *memory)
{
        char working[PATH_MAX];
        size_t slash = span_find_last(span_from(path), '/');

        if (path[0] != '/' && getcwd(working, sizeof working) == NULL)
                return NULL;
        return path_resolve(span_of(path, slash == SIZE_MAX ? 0 : slash + 1), path[0] == '/' ? "/" : working,
                            memory);
}

/* Calls load() with an absolute directory: of the file, or `path` itself when the text is in memory. */
static struct snapshot *load_in(struct source *source, const char *name, const char *path,
                                struct conf_report *report)
{
        struct block_pool pool;
        struct arena memory;
        struct snapshot *snapshot = NULL;

        block_pool_init(&pool, BLOCK_SIZE, 0);
        arena_init(&memory, &pool, SIZE_MAX / 2);
        const char *directory = directory_of(path, &memory);
        if (directory != NULL) {
                snapshot = load(source, name, directory, report);
        } else {
                conf_report_add(report, REPORT_ERROR, &(struct place){name, 0}, "working directory: %s",
                                strerror(errno));
                free(source->octets);
        }
        arena_end(&memory);
        block_pool_end(&pool);
        return snapshot;
}

struct snapshot *snapshot_load(const char *path, struct conf_report *report)
{
        struct source source = {0};
        struct source_fault fault;

        if (!source_read(&source, path, &fault)) {
                conf_report_add(report, REPORT_ERROR, &(struct place){path, 0}, "%s", fault.message);
                return NULL;
        }
        return load_in(&source, path, path, report);
}

struct snapshot *snapshot_load_text(const char *text, const char *directory, struct conf_report *report)
{
        char path[PATH_MAX];
        struct source source = {.octets = strdup(text), .length = strlen(text)};

        snprintf(path, sizeof path, "%s/", directory);
        if (source.octets == NULL) {
                conf_report_add(report, REPORT_ERROR, &(struct place){"(text)", 0}, "out of memory");
                return NULL;
        }
        return load_in(&source, "(text)", path, report);
}
