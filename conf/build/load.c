/* From a file, or a text, to a snapshot. */
#include "conf/build/load.h"

#include "conf/build/internal.h"
#include "conf/text/digest.h"

#include <stdio.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)16 << 10)

/* Errors are among the complaints. */
static void build(struct snapshot *snapshot, struct source *source, const char *directory,
                  struct conf_complaints *complaints)
{
        struct block_pool pool;
        struct arena scratch;
        struct settings settings;
        struct builder builder = {.snapshot = snapshot,
                                  .complaints = complaints,
                                  .directory = directory,
                                  .whole = {source->name, 0}};

        block_pool_init(&pool, BLOCK_SIZE, 0);
        arena_init(&scratch, &pool, SIZE_MAX / 2);
        if (conf_parse(source, directory, &scratch, &snapshot->memory, &settings)) {
                settings_digest(&settings, snapshot->digest);
                build_from_settings(&builder, &settings, &scratch);
                /* Half a text would only give errors about what is missing. */
                if (!builder.out_of_memory && settings.are_complete)
                        build_finish(&builder);
        } else {
                builder.out_of_memory = true;
        }
        if (builder.out_of_memory)
                conf_complain(complaints, COMPLAINT_ERROR, &builder.whole, "out of memory");
        arena_end(&scratch);
        block_pool_end(&pool);
}

/* Takes over `octets` (from malloc); `name` is copied. With `may_be_faulty` there is a snapshot with errors, too. */
static struct snapshot *load(struct source *source, const char *name, const char *directory,
                             bool may_be_faulty, struct conf_complaints *complaints)
{
        struct snapshot *snapshot = snapshot_new();
        struct source_fault fault;
        unsigned errors = complaints->errors;

        source->name = snapshot == NULL ? NULL : arena_string(&snapshot->memory, span_from(name));
        if (source->name == NULL)
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){name, 0}, "out of memory");
        else if (!source_prepare(source, &fault))
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){name, fault.line}, "%s",
                              fault.message);
        else
                build(snapshot, source, directory, complaints);
        free(source->octets);
        if (complaints->errors == errors || may_be_faulty)
                return snapshot;
        snapshot_free(snapshot);
        return NULL;
}

const char *build_directory_of(const char *path, struct arena *memory)
{
        char working[PATH_MAX];
        size_t slash = span_find_last(span_from(path), '/');

        if (path[0] != '/' && getcwd(working, sizeof working) == NULL)
                return NULL;
        return path_resolve(span_of(path, slash == SIZE_MAX ? 0 : slash + 1), path[0] == '/' ? "/" : working,
                            memory);
}

/* Calls load() with an absolute directory: of the file, or `path` itself when the text is in memory. */
static struct snapshot *load_in(struct source *source, const char *name, const char *path, bool may_be_faulty,
                                struct conf_complaints *complaints)
{
        struct block_pool pool;
        struct arena memory;
        struct snapshot *snapshot = NULL;

        block_pool_init(&pool, BLOCK_SIZE, 0);
        arena_init(&memory, &pool, SIZE_MAX / 2);
        const char *directory = build_directory_of(path, &memory);
        if (directory != NULL) {
                snapshot = load(source, name, directory, may_be_faulty, complaints);
        } else {
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){name, 0}, "working directory: %s",
                              strerror(errno));
                free(source->octets);
        }
        arena_end(&memory);
        block_pool_end(&pool);
        return snapshot;
}

static struct snapshot *load_file(const char *path, bool may_be_faulty, struct conf_complaints *complaints)
{
        struct source source = {0};
        struct source_fault fault;

        if (!source_read(&source, path, &fault)) {
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, 0}, "%s", fault.message);
                return NULL;
        }
        return load_in(&source, path, path, may_be_faulty, complaints);
}

struct snapshot *snapshot_load(const char *path, struct conf_complaints *complaints)
{
        return load_file(path, false, complaints);
}

struct snapshot *snapshot_load_faulty(const char *path, struct conf_complaints *complaints)
{
        return load_file(path, true, complaints);
}

struct snapshot *snapshot_load_text(const char *text, const char *directory,
                                    struct conf_complaints *complaints)
{
        char path[PATH_MAX];
        struct source source = {.octets = strdup(text), .length = strlen(text)};

        snprintf(path, sizeof path, "%s/", directory);
        if (source.octets == NULL) {
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){"(text)", 0}, "out of memory");
                return NULL;
        }
        return load_in(&source, "(text)", path, false, complaints);
}
