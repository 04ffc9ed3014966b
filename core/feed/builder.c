/* Files in pieces become lines, and their sets a feed. */
#include "core/feed/internal.h"
#include "core/feed/numbers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define FAULTS_PER_ENTRIES 100  /* one line in so many may be in error */
#define MEMORY_LOOK_LINES  1024 /* how often the memory is added up */

/* ---- complaints ----------------------------------------------------------------------------------------- */

static void tell(struct feed_builder *builder, const char *reason)
{
        struct feed_report *report = &builder->report;
        size_t place = report->told_count < FEED_FAULTS_TOLD ? report->told_count++ : FEED_FAULTS_TOLD - 1;
        struct text told;

        text_over(&told, report->told[place], FEED_FAULT_MAX - 1);
        if (builder->file[0] != '\0')
                text_put_string(&told, builder->file);
        if (builder->line > 0)
                text_printf(&told, ":%u", builder->line);
        text_put_string(&told, told.length > 0 ? ": " : "");
        text_put_string(&told, reason);
        report->told[place][told.length] = '\0';
}

void feed_complain(struct feed_builder *builder, const char *reason)
{
        /* The last place is for what breaks the feed. */
        if (builder->report.faults++ < FEED_FAULTS_TOLD - 1)
                tell(builder, reason);
}

void feed_break(struct feed_builder *builder, const char *reason)
{
        if (builder->report.is_broken)
                return;
        builder->report.is_broken = true;
        tell(builder, reason);
}

/* ---- sets ----------------------------------------------------------------------------------------------- */

const struct feed_default feed_default_first = {.address = {127, 0, 0, 2}};

/* The number of the value that feed_default_first means. */
static bool add_first(struct feed_values *values, uint32_t *ret_number)
{
        static const struct feed_value value = {FEED_BOTH, {127, 0, 0, 2}, {NULL, 0}};

        return feed_values_add(values, &value, ret_number);
}

bool feed_default_reset(struct feed_builder *builder)
{
        builder->given = feed_default_first;
        return add_first(&builder->feed->values, &builder->given.number);
}

/* The set takes the variables that it has not: the first one counts. */
static void inherit(struct feed_builder *builder, struct feed_set *set, const struct feed_set *common)
{
        for (size_t i = 0; i < FEED_VARIABLES; i++) {
                const char *variable = common->variables[i];
                if (variable == NULL || set->variables[i] != NULL)
                        continue;
                set->variables[i] = strdup(variable);
                if (set->variables[i] == NULL)
                        feed_break(builder, "no memory");
        }
}

void feed_know_format(struct feed_builder *builder, enum feed_format format)
{
        struct feed_set *unknown = &builder->common[FEED_AUTO];

        builder->format = format;
        inherit(builder, &builder->common[format], unknown);
        feed_set_end(unknown);
        *unknown = (struct feed_set){0};
}

struct feed_set *feed_set_begin(struct feed_builder *builder, enum feed_format format)
{
        if (builder->feed->set_count == FEED_SETS_MAX || !feed_default_reset(builder)) {
                feed_break(builder, "no room for one more data set");
                return NULL;
        }
        struct feed_set *set = &builder->feed->sets[builder->feed->set_count++];
        set->format = format;
        inherit(builder, set, &builder->common[builder->format]);
        builder->set = set;
        return set;
}

static struct feed_subzone *subzone_of(struct feed *feed, const char *name)
{
        for (size_t i = 0; i < feed->subzone_count; i++)
                if (strcmp(feed->subzones[i].name, name) == 0)
                        return &feed->subzones[i];
        struct feed_subzone *subzones =
            feed->subzone_count == FEED_SUBZONES_MAX
                ? NULL
                : realloc(feed->subzones, (feed->subzone_count + 1) * sizeof *subzones);
        if (subzones == NULL)
                return NULL;
        feed->subzones = subzones;
        struct feed_subzone *subzone = &subzones[feed->subzone_count];
        *subzone = (struct feed_subzone){.name = strdup(name)};
        if (subzone->name == NULL)
                return NULL;
        feed->subzone_count++;
        return subzone;
}

bool feed_connect(struct feed_builder *builder, const char *name, const struct feed_set *set)
{
        struct feed_subzone *subzone = subzone_of(builder->feed, name);

        if (subzone == NULL || subzone->set_count == FEED_SETS_MAX) {
                feed_break(builder, "no room for one more subzone");
                return false;
        }
        subzone->sets[subzone->set_count++] = (size_t)(set - builder->feed->sets);
        return true;
}

/* Files of one format are one set, as if they were one file. */
static void choose_set(struct feed_builder *builder)
{
        size_t *plain = &builder->plain[builder->format];

        if (*plain != 0) {
                builder->set = &builder->feed->sets[*plain - 1];
                inherit(builder, builder->set, &builder->common[builder->format]);
                return;
        }
        struct feed_set *set = feed_set_begin(builder, builder->format);
        if (set != NULL && feed_connect(builder, "", set))
                *plain = (size_t)(set - builder->feed->sets) + 1;
}

/* ---- lines ---------------------------------------------------------------------------------------------- */

static struct span without_spaces(struct span line)
{
        feed_skip_spaces(&line);
        while (line.length > 0 &&
               (feed_is_space(line.at[line.length - 1]) || line.at[line.length - 1] == '\r'))
                line.length--;
        return line;
}

/* What is special begins with a dollar sign, also behind a mark that hides it from others. */
static size_t special_at(struct span line)
{
        if (line.length > 0 && line.at[0] == '$')
                return 1;
        bool is_hidden =
            line.length > 1 && (feed_is_comment(line.at[0]) || line.at[0] == ':') && line.at[1] == '$';
        return is_hidden ? 2 : 0;
}

static void take(struct feed_builder *builder, struct span line)
{
        if (++builder->line % MEMORY_LOOK_LINES == 0 &&
            feed_octets(builder->feed) > builder->wish.memory_max) {
                feed_break(builder, "needs more memory than it may have");
                return;
        }
        line = without_spaces(builder->line == 1 ? span_without_mark(line) : line);
        if (line.length == 0)
                return;
        size_t special = special_at(line);
        if (special > 0) {
                feed_take_special(builder, span_skip(line, special));
                return;
        }
        if (feed_is_comment(line.at[0]))
                return;
        if (builder->format == FEED_AUTO)
                feed_know_format(builder, FEED_LIST);
        if (builder->set == NULL && builder->format == FEED_COMBINED)
                feed_break(builder, "stands before the first $DATASET");
        else if (builder->set == NULL)
                choose_set(builder);
        if (builder->set != NULL && !builder->report.is_broken)
                feed_take_line(builder, line);
}

/* Keeps what has no end yet. */
static void keep(struct feed_builder *builder, struct span part)
{
        if (builder->is_skipping || part.length == 0)
                return;
        if (part.length > sizeof builder->part - builder->part_length) {
                builder->is_skipping = true;
                return;
        }
        memcpy(builder->part + builder->part_length, part.at, part.length);
        builder->part_length += part.length;
}

static void end_line(struct feed_builder *builder, struct span rest)
{
        bool is_torn = builder->part_length > 0 || builder->is_skipping;

        if (is_torn || rest.length > sizeof builder->part)
                keep(builder, rest);
        if (builder->is_skipping) {
                builder->line++;
                feed_complain(builder, "a line longer than 4096 octets");
        } else {
                take(builder, is_torn ? span_of(builder->part, builder->part_length) : rest);
        }
        builder->part_length = 0;
        builder->is_skipping = false;
}

bool feed_read(struct feed_builder *builder, struct span octets)
{
        while (octets.length > 0 && !builder->report.is_broken) {
                const char *end = memchr(octets.at, '\n', octets.length);
                if (end == NULL) {
                        keep(builder, octets);
                        break;
                }
                size_t length = (size_t)(end - octets.at);
                end_line(builder, span_of(octets.at, length));
                octets = span_skip(octets, length + 1);
        }
        return !builder->report.is_broken;
}

/* ---- files ---------------------------------------------------------------------------------------------- */

static const char *const format_names[] = {FEED_FORMAT_NAMES};
static_assert(sizeof format_names / sizeof *format_names == FEED_FORMATS, "each has a name");

bool feed_format_parse(struct span name, enum feed_format *ret_format)
{
        for (size_t i = 0; i < FEED_FORMATS; i++)
                if (span_equals(name, span_from(format_names[i]))) {
                        *ret_format = (enum feed_format)i;
                        return true;
                }
        return false;
}

/* A word of the file's name is that of a format. */
static enum feed_format format_by_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        struct span rest = span_from(slash != NULL ? slash + 1 : path);
        enum feed_format format;

        while (rest.length > 0) {
                size_t length = 0;
                while (length < rest.length && ascii_is_alnum(rest.at[length]))
                        length++;
                if (feed_format_parse(span_of(rest.at, length), &format) && format != FEED_AUTO)
                        return format;
                rest = span_skip(rest, length + 1);
        }
        return FEED_AUTO;
}

static void end_file(struct feed_builder *builder)
{
        if (builder->part_length > 0 || builder->is_skipping)
                end_line(builder, (struct span){0});
        if (builder->format == FEED_AUTO)
                feed_know_format(builder, FEED_LIST);
}

void feed_begin_file(struct feed_builder *builder, const char *name)
{
        end_file(builder);
        /* The end of a long path says more than its begin. */
        size_t length = strlen(name), room = sizeof builder->file - 1;
        span_copy_cut(span_skip(span_from(name), length > room ? length - room : 0), builder->file,
                      sizeof builder->file);
        builder->line = 0;
        builder->set = NULL;
        builder->format = builder->wish.format != FEED_AUTO ? builder->wish.format : format_by_name(name);
        if (!feed_default_reset(builder))
                feed_break(builder, "no memory");
}

struct feed_builder *feed_builder_create(const struct feed_wish *wish)
{
        struct feed_builder *builder = calloc(1, sizeof *builder);

        if (builder == NULL)
                return NULL;
        builder->wish = *wish;
        builder->feed = calloc(1, sizeof *builder->feed);
        if (builder->feed == NULL) {
                free(builder);
                return NULL;
        }
        return builder;
}

static void finish_set(struct feed_builder *builder, struct feed_set *set)
{
        struct feed_values *values = &builder->feed->values;
        bool is_trie = set->format == FEED_IP4TRIE;

        bool is_made = feed_ranges_make(
            &set->prefixes, is_trie ? FEED_FIRST_COUNTS : FEED_BOTH_COUNT, values,
            builder->wish.take_memory != NULL ? builder->wish.take_memory : malloc, &set->ranges);
        if (!is_made || (!set->has_own_value && !add_first(values, &set->own_value)))
                feed_break(builder, "no memory");
}

static void judge(struct feed_builder *builder)
{
        struct feed_report *report = &builder->report;
        char reason[128];

        builder->file[0] = '\0';
        builder->line = 0;
        if (!builder->wish.takes_faults &&
            report->faults * FAULTS_PER_ENTRIES > report->entries + report->faults) {
                snprintf(reason, sizeof reason, "%llu of %llu lines are in error: one in %d may be",
                         (unsigned long long)report->faults,
                         (unsigned long long)(report->entries + report->faults), FAULTS_PER_ENTRIES);
                feed_break(builder, reason);
        } else if (feed_octets(builder->feed) > builder->wish.memory_max) {
                feed_break(builder, "needs more memory than it may have");
        }
}

struct feed *feed_finish(struct feed_builder *builder, struct feed_report *ret_report)
{
        struct feed *feed = builder->feed;

        if (!builder->report.is_broken)
                end_file(builder);
        if (!builder->report.is_broken)
                judge(builder);
        /* Of files without an entry behind those of the set. */
        for (size_t i = 0; i < FEED_FORMATS && !builder->report.is_broken; i++)
                if (builder->plain[i] != 0)
                        inherit(builder, &feed->sets[builder->plain[i] - 1], &builder->common[i]);
        for (size_t i = 0; i < feed->set_count && !builder->report.is_broken; i++)
                finish_set(builder, &feed->sets[i]);
        feed->entries = builder->report.entries;
        *ret_report = builder->report;
        for (size_t i = 0; i < FEED_FORMATS; i++)
                feed_set_end(&builder->common[i]);
        free(builder);
        if (!ret_report->is_broken)
                return feed;
        feed_free(feed);
        return NULL;
}
