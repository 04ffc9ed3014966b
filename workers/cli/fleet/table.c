#include "workers/cli/fleet/table.h"

#include "core/base/date.h"
#include "workers/cli/shared/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_WIDTH_MAX 40

/* ---- figures ------------------------------------------------------------------------------------------- */

static void add_counts(struct machine_counts *sum, const struct machine_counts *counts)
{
        sum->sessions += counts->sessions;
        sum->accepted += counts->accepted;
        sum->refused += counts->refused;
        sum->deferred += counts->deferred;
}

/* In percent, of all decisions. */
static double share(uint64_t part, const struct machine_counts *counts)
{
        double decisions = (double)counts->accepted + (double)counts->refused + (double)counts->deferred;
        return decisions > 0 ? 100.0 * (double)part / decisions : 0;
}

/* "2026-11-30T08:00:00Z" */
struct moment {
        char text[DATE_TEXT_LENGTH + 2];
};

static struct moment moment_of(int64_t time_s)
{
        struct moment moment;
        struct text text;

        text_over(&text, moment.text, sizeof moment.text - 1);
        date_write(&text, time_s);
        text_put_char(&text, 'Z');
        moment.text[text.length] = '\0';
        return moment;
}

/* ---- words --------------------------------------------------------------------------------------------- */

struct shadow_words {
        char text[192];
};

static struct shadow_words words_of(const struct machine_shadow *shadow)
{
        struct shadow_words words = {"none"};

        if (shadow->digest[0] != '\0')
                snprintf(words.text, sizeof words.text,
                         "%s of %" PRIu64 ": refuses %" PRIu64 " more, %" PRIu64 " less, defers %" PRIu64
                         " more, %" PRIu64 " unknown",
                         shadow->digest, shadow->compared, shadow->refuses_more, shadow->refuses_less,
                         shadow->defers_more, shadow->unknown);
        return words;
}

/* Of the columns that are as wide as what stands in them. */
struct widths {
        int names, shadows;
};

static void widen(int *width, const char *text)
{
        if ((int)strlen(text) > *width)
                *width = (int)strlen(text);
}

static struct widths measure(const struct fleet_view *view)
{
        struct widths widths = {(int)strlen("machine"), (int)strlen("shadow")};

        for (size_t i = 0; i < view->count; i++) {
                widen(&widths.names, view->machines[i].name);
                widen(&widths.shadows, words_of(&view->machines[i].record.shadow).text);
        }
        if (widths.names > NAME_WIDTH_MAX)
                widths.names = NAME_WIDTH_MAX;
        return widths;
}

static void print_name(const char *name, int width)
{
        told_print_text(name);
        printf("%*s", width > (int)strlen(name) ? width - (int)strlen(name) : 0, "");
}

static void print_heard(const struct fleet_machine *machine, int64_t now_s)
{
        int64_t ago_s = now_s - machine->record.time_s;

        if (machine->is_silent)
                printf("silent since %s\n", moment_of(machine->record.time_s).text);
        else if (machine->is_ahead)
                printf("its clock is %" PRId64 " s ahead\n", -ago_s);
        else
                printf("%" PRId64 " s ago\n", ago_s < 0 ? 0 : ago_s);
}

static void print_machine(const struct fleet_view *view, const struct fleet_machine *machine,
                          const struct widths *widths)
{
        const struct machine_record *record = &machine->record;

        print_name(machine->name, widths->names);
        if (machine->fault != NULL) {
                printf("  cannot be read: %s\n", machine->fault);
                return;
        }
        printf("  ");
        print_name(record->version, 8);
        printf("  %s%c  %10" PRIu64 "  %s  %10" PRIu64 "  %6.1f %%  %6.1f %%", record->digest,
               machine->is_other ? '*' : ' ', record->generation, moment_of(record->in_force_s).text,
               record->counts.sessions, share(record->counts.refused, &record->counts),
               share(record->counts.deferred, &record->counts));
        printf("  %-*s  ", widths->shadows, words_of(&record->shadow).text);
        print_heard(machine, view->now_s);
}

static struct machine_counts counts_of_others(const struct fleet_view *view)
{
        struct machine_counts sum = {0};

        for (size_t i = 0; i < view->count; i++)
                if (view->machines[i].fault == NULL && !view->machines[i].is_other)
                        add_counts(&sum, &view->machines[i].record.counts);
        return sum;
}

static void print_other(const struct fleet_view *view, const struct fleet_machine *machine)
{
        const struct machine_record *record = &machine->record;
        struct machine_counts others = counts_of_others(view);

        told_print_text(machine->name);
        printf(" runs another one (%s): refuses %.1f %% and defers %.1f %%, the others %.1f %% and %.1f %%\n",
               record->digest, share(record->counts.refused, &record->counts),
               share(record->counts.deferred, &record->counts), share(others.refused, &others),
               share(others.deferred, &others));
}

static void print_count(size_t count, const char *what)
{
        if (count > 0)
                printf(", %zu %s", count, what);
}

static void print_summary(const struct fleet_view *view, const struct fleet_file *file)
{
        size_t running = 0;

        printf("%zu machine%s, %zu configuration%s", view->count, view->count == 1 ? "" : "s",
               view->configurations, view->configurations == 1 ? "" : "s");
        print_count(view->silent, "silent");
        print_count(view->ahead, "with a clock that is ahead");
        print_count(view->unreadable, "that cannot be read");
        printf("\n");
        for (size_t i = 0; i < view->count; i++) {
                const struct fleet_machine *machine = &view->machines[i];
                if (machine->is_other)
                        print_other(view, machine);
                if (machine->fault == NULL && machine->record.failed_s != 0) {
                        told_print_text(machine->name);
                        printf(" failed to reload at %s\n", moment_of(machine->record.failed_s).text);
                }
                running += machine->fault == NULL && strcmp(machine->record.digest, file->digest) == 0;
        }
        told_print_text(file->path);
        printf(" is %s, which %zu of them run%s\n", file->digest, running, running == 1 ? "s" : "");
}

void fleet_print(const struct fleet_view *view, const struct fleet_file *file)
{
        const struct widths widths = measure(view);

        print_name("machine", widths.names);
        printf("  %-8s  %-13s  %10s  %-20s  %10s  %8s  %8s  %-*s  %s\n", "version", "configuration",
               "generation", "in force since", "sessions", "refused", "deferred", widths.shadows, "shadow",
               "last heard");
        for (size_t i = 0; i < view->count; i++)
                print_machine(view, &view->machines[i], &widths);
        print_summary(view, file);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void put_counts(json_t *object, const struct machine_counts *counts)
{
        told_put_number(object, "sessions", counts->sessions);
        told_put_number(object, "accepted", counts->accepted);
        told_put_number(object, "refused", counts->refused);
        told_put_number(object, "deferred", counts->deferred);
        json_object_set_new(object, "refused_percent", json_real(share(counts->refused, counts)));
        json_object_set_new(object, "deferred_percent", json_real(share(counts->deferred, counts)));
}

static json_t *shadow_json(const struct machine_shadow *shadow)
{
        if (shadow->digest[0] == '\0')
                return json_null();
        json_t *object = json_object();
        told_put_text(object, "configuration", shadow->digest);
        told_put_number(object, "compared", shadow->compared);
        told_put_number(object, "unknown", shadow->unknown);
        told_put_number(object, "refuses_more", shadow->refuses_more);
        told_put_number(object, "refuses_less", shadow->refuses_less);
        told_put_number(object, "defers_more", shadow->defers_more);
        return object;
}

static json_t *machine_json(const struct fleet_view *view, const struct fleet_machine *machine)
{
        const struct machine_record *record = &machine->record;
        json_t *object = json_object();

        json_object_set_new(object, "machine", told_string(span_from(machine->name)));
        told_put_text(object, "fault", machine->fault);
        if (machine->fault != NULL)
                return object;
        told_put_text(object, "version", record->version);
        told_put_text(object, "configuration", record->digest);
        json_object_set_new(object, "is_other", json_boolean(machine->is_other));
        told_put_number(object, "generation", record->generation);
        told_put_text(object, "started", moment_of(record->start_s).text);
        told_put_text(object, "in_force_since", moment_of(record->in_force_s).text);
        if (record->failed_s != 0)
                told_put_text(object, "reload_failed", moment_of(record->failed_s).text);
        put_counts(object, &record->counts);
        json_object_set_new(object, "shadow", shadow_json(&record->shadow));
        told_put_text(object, "heard", moment_of(record->time_s).text);
        json_object_set_new(object, "age_s", json_integer(view->now_s - record->time_s));
        json_object_set_new(object, "is_silent", json_boolean(machine->is_silent));
        return object;
}

void fleet_print_json(const struct fleet_view *view, const struct fleet_file *file)
{
        json_t *object = json_object(), *machines = json_array();

        for (size_t i = 0; i < view->count; i++)
                json_array_append_new(machines, machine_json(view, &view->machines[i]));
        json_object_set_new(object, "machines", machines);
        told_put_number(object, "configurations", view->configurations);
        told_put_text(object, "common", view->common);
        told_put_text(object, "file", file->digest);
        json_object_set_new(object, "is_well", json_boolean(fleet_view_is_well(view)));
        json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        printf("\n");
        json_decref(object);
}
