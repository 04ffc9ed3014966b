#include "workers/cli/fleet/gather.h"

#include <stdlib.h>
#include <string.h>

static struct fleet_machine *find(const struct fleet_view *view, const char *name)
{
        for (size_t i = 0; i < view->count; i++)
                if (strcmp(view->machines[i].name, name) == 0)
                        return &view->machines[i];
        return NULL;
}

/* NULL when memory is out. */
static struct fleet_machine *add(struct fleet_view *view)
{
        if (view->count == view->room && view->room < FLEET_MACHINES_MAX) {
                size_t room = view->room == 0 ? 32 : 2 * view->room;
                struct fleet_machine *machines = realloc(view->machines, room * sizeof *machines);
                if (machines == NULL)
                        return NULL;
                view->machines = machines;
                view->room = room;
        }
        return view->count < view->room ? &view->machines[view->count++] : NULL;
}

static bool is_better(const struct fleet_machine *one, const struct fleet_machine *other)
{
        if (one->fault != NULL || other->fault != NULL)
                return one->fault == NULL;
        return one->record.time_s > other->record.time_s;
}

void fleet_view_add(void *argument, struct span name, struct span record)
{
        struct fleet_view *view = argument;
        struct fleet_machine machine = {.name = ""};

        machine.fault = machine_record_read(record, name, &machine.record);
        span_copy_cut(name, machine.name, sizeof machine.name);
        struct fleet_machine *known = find(view, machine.name);
        if (known != NULL && !is_better(&machine, known))
                return;
        if (known == NULL)
                known = add(view);
        if (known == NULL)
                view->is_out_of_memory = true;
        else
                *known = machine;
}

/* ---- judging ------------------------------------------------------------------------------------------- */

static int by_name(const void *left, const void *right)
{
        return strcmp(((const struct fleet_machine *)left)->name,
                      ((const struct fleet_machine *)right)->name);
}

/* How many run this, and since when the first of them does. */
struct following {
        size_t speaking, all;
        int64_t since_s;
};

static struct following count(const struct fleet_view *view, const char *digest)
{
        struct following following = {.since_s = INT64_MAX};

        for (size_t i = 0; i < view->count; i++) {
                const struct fleet_machine *machine = &view->machines[i];
                if (machine->fault != NULL || strcmp(machine->record.digest, digest) != 0)
                        continue;
                following.all++;
                following.speaking += !machine->is_silent;
                if (machine->record.in_force_s < following.since_s)
                        following.since_s = machine->record.in_force_s;
        }
        return following;
}

/* A machine that is silent may be gone; and of two halves the newer configuration is the one that is being tried. */
static bool is_more_common(struct following one, struct following other)
{
        if (one.speaking != other.speaking)
                return one.speaking > other.speaking;
        if (one.all != other.all)
                return one.all > other.all;
        return one.since_s < other.since_s;
}

static void judge_time(struct fleet_view *view, struct fleet_machine *machine)
{
        machine->is_silent = view->now_s - machine->record.time_s > FLEET_SILENT_S;
        machine->is_ahead = machine->record.time_s - view->now_s > FLEET_SILENT_S;
        view->silent += machine->is_silent;
        view->ahead += machine->is_ahead;
}

static bool run_the_same(const struct fleet_machine *one, const struct fleet_machine *other)
{
        return one->fault == NULL && other->fault == NULL &&
               strcmp(one->record.digest, other->record.digest) == 0;
}

/* The first machine that runs what this one runs. */
static size_t first_of(const struct fleet_view *view, size_t machine)
{
        size_t first = 0;

        while (first < machine && !run_the_same(&view->machines[first], &view->machines[machine]))
                first++;
        return first;
}

static void find_common(struct fleet_view *view)
{
        struct following best = {0};

        for (size_t i = 0; i < view->count; i++) {
                const struct fleet_machine *machine = &view->machines[i];
                if (machine->fault != NULL || first_of(view, i) < i)
                        continue;
                struct following following = count(view, machine->record.digest);
                if (view->configurations++ > 0 && !is_more_common(following, best))
                        continue;
                best = following;
                memcpy(view->common, machine->record.digest, sizeof view->common);
        }
}

void fleet_view_judge(struct fleet_view *view)
{
        if (view->count > 0)
                qsort(view->machines, view->count, sizeof view->machines[0], by_name);
        for (size_t i = 0; i < view->count; i++) {
                if (view->machines[i].fault != NULL)
                        view->unreadable++;
                else
                        judge_time(view, &view->machines[i]);
        }
        find_common(view);
        for (size_t i = 0; i < view->count; i++)
                view->machines[i].is_other = view->machines[i].fault == NULL &&
                                             strcmp(view->machines[i].record.digest, view->common) != 0;
}

bool fleet_view_is_well(const struct fleet_view *view)
{
        return view->configurations == 1 && view->silent == 0 && view->ahead == 0 && view->unreadable == 0;
}

void fleet_view_end(struct fleet_view *view)
{
        free(view->machines);
        *view = (struct fleet_view){0};
}
