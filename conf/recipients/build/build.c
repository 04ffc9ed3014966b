/* From lines to a file of recipients: each line is read, then all are sorted, then the tree is written. */
#include "conf/recipients/build/build.h"

#include "conf/value/recipient/settings.h"
#include "conf/recipients/build/sorter.h"
#include "conf/recipients/build/tree.h"
#include "conf/text/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOLD_EVERY 65536 /* lines */

/* A line on its way through sort(1) is the key, this, its number in ten digits and, behind a blank, that of its
 * settings, if it has some. No key has a control character. */
#define BEHIND_KEY '\x01'

struct work {
        struct lines lines; /* the first member: recipient_take() gets it */
        struct recipient_build *build;
        struct conf_complaints *complaints;
        struct sorter sorter;
        struct tree tree;
        char folder[PATH_MAX], path[PATH_MAX]; /* of the output, and of the file while it is made */
        int file;
        uint64_t input_octets; /* 0: not known */
        uint64_t key_octets, keys;
        struct name_table settings; /* by their text: the number */
        char message[RECIPIENT_FAULT_MAX];
};

static bool fail(struct work *work, const char *what, const char *reason)
{
        conf_complain(work->complaints, COMPLAINT_ERROR, &(struct place){0}, "%.900s: %s", what, reason);
        return false;
}

static bool fail_by_errno(struct work *work, const char *what)
{
        return fail(work, what, strerrordesc_np(errno));
}

static void tell(const struct work *work, const char *step, uint64_t done, uint64_t whole)
{
        if (work->build->progress != NULL)
                work->build->progress(step, done, whole);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* `domain`: "@" and a name as it is written, or nothing. */
static const char *put_domain(const struct work *work, struct span domain, struct text *key)
{
        if (domain.length == 0) {
                text_put(key, work->build->domain);
                return work->build->domain.length > 0 ? NULL
                                                      : "has no domain: --domain names that of local parts";
        }
        domain = span_skip(domain, 1);
        if (!domain_name_is_valid(domain, true) || !domain_name_to_ascii(domain, key) || key->overflowed ||
            key->length > DOMAIN_NAME_MAX)
                return "not a domain name";
        return NULL;
}

/* What only the configuration that names the file can tell is looked at when it does. */
static const char *take_settings(struct work *work, struct span text, uint32_t *ret_set)
{
        struct recipient_settings settings;
        struct span deliver;

        if (text.length == 0 || name_table_find(&work->settings, text, ret_set))
                return NULL;
        const char *fault = recipient_settings_read(text, &settings, &deliver, work->message);
        if (fault != NULL)
                return fault;
        if (work->settings.count == RECIPIENT_SETS_MAX)
                return "there are too many different settings of recipients";
        *ret_set = (uint32_t)work->settings.count + 1;
        return name_table_add(&work->settings, text, *ret_set) ? NULL : "out of memory";
}

static const char *recipient_take(struct lines *lines, struct span entry)
{
        struct work *work = (struct work *)lines;
        char octets[LOCAL_PART_MAX], key_octets[RECIPIENT_KEY_MAX];
        struct span domain, settings = recipient_settings_split(&entry);
        struct text local_part, key;
        uint32_t set = 0;

        text_over(&local_part, octets, sizeof octets);
        const char *fault = recipient_entry_read(entry, &local_part, &domain, work->message);
        if (fault != NULL)
                return fault;
        text_over(&key, key_octets, sizeof key_octets);
        if ((fault = put_domain(work, domain, &key)) != NULL)
                return fault;
        text_put_char(&key, '@');
        if (!local_part_normalise(text_span(&local_part), work->build->folds, &key))
                return "the local part is too long in lower case";
        if ((fault = take_settings(work, settings, &set)) != NULL)
                return fault;
        if (lines->line % TOLD_EVERY == 0)
                tell(work, "reading", lines->octets, work->input_octets);
        work->keys++;
        work->key_octets += key.length;
        fwrite(key.at, 1, key.length, work->sorter.in);
        fprintf(work->sorter.in, "%c%010" PRIu32, BEHIND_KEY, lines->line);
        if (set > 0)
                fprintf(work->sorter.in, " %" PRIu32, set);
        fputc('\n', work->sorter.in);
        return NULL;
}

static bool read_lines(struct work *work)
{
        struct lines *lines = &work->lines;
        int input =
            work->build->input == NULL ? STDIN_FILENO : open(work->build->input, O_RDONLY | O_CLOEXEC);
        char *buffer = malloc(LINES_BUFFER_SIZE);
        struct stat status;

        bool is_open = buffer != NULL && input >= 0 && fstat(input, &status) == 0;
        if (is_open && S_ISREG(status.st_mode))
                work->input_octets = (uint64_t)status.st_size;
        bool is_read = (is_open && lines_read_file(lines, input, buffer)) || fail_by_errno(work, lines->path);
        lines_tell_rest(lines);
        if (lines->is_cut)
                conf_complain(work->complaints, COMPLAINT_WARNING, &(struct place){lines->path, lines->line},
                              "the last line has no end: was the file written to its end?");
        if (input > STDIN_FILENO)
                close(input);
        free(buffer);
        if (is_read && lines->told[COMPLAINT_ERROR] == 0 && work->keys == 0)
                is_read = fail(work, lines->path, "names nobody");
        return is_read && lines->told[COMPLAINT_ERROR] == 0;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

struct sorted {
        struct span key;
        uint32_t line, set;
};

/* False at the end. */
static bool take_sorted(struct work *work, char **buffer, size_t *size, struct sorted *ret_sorted)
{
        ssize_t length = getdelim(buffer, size, '\n', work->sorter.out);
        if (length <= 0)
                return false;
        struct span line = span_of(*buffer, (size_t)length);
        ret_sorted->key = span_of(line.at, span_find(line, BEHIND_KEY));
        char *rest;
        ret_sorted->line = (uint32_t)strtoul(line.at + ret_sorted->key.length + 1, &rest, 10);
        ret_sorted->set = (uint32_t)strtoul(rest, NULL, 10);
        return true;
}

static void tell_twice(struct work *work, const struct sorted *sorted, uint32_t first)
{
        size_t at = span_find(sorted->key, '@');
        char octets[RECIPIENT_KEY_MAX], message[64];
        struct text address;

        text_over(&address, octets, sizeof octets);
        text_put(&address, recipient_shown(span_skip(sorted->key, at + 1)));
        text_put(&address, span_of(sorted->key.at + at, 1));
        text_put(&address, span_of(sorted->key.at, at));
        snprintf(message, sizeof message, "%sis in line %" PRIu32 " already",
                 sorted->set > 0 ? "has settings, and " : "", first);
        work->lines.line = sorted->line;
        lines_complain(&work->lines, sorted->set > 0 ? COMPLAINT_ERROR : COMPLAINT_WARNING,
                       text_span(&address), message);
}

static int put_all(struct work *work)
{
        char *buffer = NULL, last_octets[RECIPIENT_KEY_MAX];
        size_t size = 0;
        struct sorted sorted;
        struct text last;
        uint32_t last_line = 0;
        int error = 0;

        text_over(&last, last_octets, sizeof last_octets);
        while (error == 0 && take_sorted(work, &buffer, &size, &sorted)) {
                if (work->tree.count > 0 && span_equals(sorted.key, text_span(&last))) {
                        tell_twice(work, &sorted, last_line);
                        continue;
                }
                error = tree_put(&work->tree, sorted.key, sorted.set);
                last.length = 0;
                text_put(&last, sorted.key);
                last_line = sorted.line;
                if (work->tree.count % TOLD_EVERY == 0)
                        tell(work, "writing", work->tree.count, work->keys);
        }
        free(buffer);
        return error;
}

static int put_settings(struct work *work)
{
        struct name_table_walk walk = {0};
        struct span text;
        uint32_t set = 0;
        int error = 0;

        while (error == 0 && name_table_next(&work->settings, &walk, &text))
                error = tree_put_settings(&work->tree, ++set, text);
        return error;
}

static bool write_tree(struct work *work)
{
        const char *output = work->build->output;

        tell(work, "sorting", 0, 0);
        if (!sorter_turn(&work->sorter))
                return fail_by_errno(work, "sort");
        int error = tree_begin(&work->tree, work->path, work->key_octets);
        if (error == 0)
                error = put_all(work);
        if (error == 0)
                error = put_settings(work);
        if (error == 0 && !(feof(work->sorter.out) && !ferror(work->sorter.out)))
                error = EIO;
        if (error != 0) {
                tree_abandon(&work->tree);
                return fail(work, output, mdb_strerror(error));
        }
        lines_tell_rest(&work->lines);
        if (work->lines.told[COMPLAINT_ERROR] > 0) {
                tree_abandon(&work->tree);
                return false;
        }
        tell(work, "syncing", 0, 0);
        error = tree_end(&work->tree, work->file, work->build->folds);
        return error == 0 || fail(work, output, mdb_strerror(error));
}

/* ---- the file ------------------------------------------------------------------------------------------ */

/* Beside the output: sort's files need room as well, and a rename stays on one file system. */
static bool open_output(struct work *work)
{
        const char *output = work->build->output, *slash = strrchr(output, '/');
        size_t folder = slash == NULL ? 0 : (size_t)(slash - output) + 1;

        if (strlen(output) + sizeof ".XXXXXX" > sizeof work->path) {
                errno = ENAMETOOLONG;
                return fail_by_errno(work, output);
        }
        snprintf(work->folder, sizeof work->folder, "%.*s", slash == NULL ? 1 : (int)folder,
                 slash == NULL ? "." : output);
        snprintf(work->path, sizeof work->path, "%.*s.%s.XXXXXX", (int)folder, output, output + folder);
        work->file = mkostemp(work->path, O_CLOEXEC);
        return work->file >= 0 || fail_by_errno(work, output);
}

/* As any file that is made here: the server reads it as another user. */
static bool give_name(struct work *work)
{
        const char *output = work->build->output;
        mode_t mask = umask(0);

        umask(mask);
        if (fchmod(work->file, 0666 & ~mask) != 0 || rename(work->path, output) != 0)
                return fail_by_errno(work, output);
        int folder = open(work->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool is_synced = folder >= 0 && fsync(folder) == 0;
        if (folder >= 0)
                close(folder);
        return is_synced || fail_by_errno(work, work->folder);
}

static bool build_file(struct work *work)
{
        struct stat status;

        if (!sorter_begin(&work->sorter, work->folder, work->build->memory))
                return fail_by_errno(work, "sort");
        bool is_written = read_lines(work) && write_tree(work);
        bool is_sorted = sorter_end(&work->sorter);
        if (is_written && !is_sorted)
                return fail(work, "sort", "did not come to its end");
        if (!is_written || fstat(work->file, &status) != 0)
                return false;
        work->build->count = work->tree.count;
        work->build->domains = work->tree.domains;
        work->build->octets = (uint64_t)status.st_size;
        return give_name(work);
}

bool recipients_build(struct recipient_build *build, struct conf_complaints *complaints)
{
        struct work *work = calloc(1, sizeof *work);
        bool is_built = false;

        if (work == NULL)
                return false;
        work->lines = (struct lines){.take = recipient_take,
                                     .path = build->input == NULL ? "(standard input)" : build->input,
                                     .complaints = complaints};
        work->build = build;
        work->complaints = complaints;
        if (open_output(work)) {
                is_built = build_file(work);
                if (!is_built)
                        unlink(work->path);
                close(work->file);
        }
        name_table_end(&work->settings);
        free(work);
        return is_built;
}
