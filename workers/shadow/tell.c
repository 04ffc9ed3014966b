/* Figures and JSON. */
#include "workers/shadow/tell.h"

#define TOP_MAX     10 /* names that are told */
#define REASONS_MAX 16

/* As in host-192-0-2-7.example, or [192.0.2.7]: the log hides an address in a name as well. */
static bool may_hold_address(const char *name)
{
        unsigned numbers = 0;

        for (size_t i = 0; name[i] != '\0'; i++)
                numbers += ascii_is_digit(name[i]) && !ascii_is_digit(name[i + 1]);
        return name[0] == '[' || numbers >= 3;
}

static void look_at_top(struct tally_table *table, enum rehearse_change change, struct shadow_top *ret_top)
{
        size_t count = tally_sort(table, change);

        ret_top->count = 0;
        for (size_t i = 0; i < count && ret_top->count < SHADOW_TOP; i++) {
                if (may_hold_address(table->rows[i].name))
                        continue;
                memcpy(ret_top->names[ret_top->count].name, table->rows[i].name, TALLY_NAME_SIZE);
                ret_top->names[ret_top->count++].answers = table->rows[i].changes[change];
        }
}

static void look(struct shadow_run *run, struct shadow_figures *ret_figures)
{
        struct rehearsal_result *result = &run->rehearsal->result;

        *ret_figures = (struct shadow_figures){
            .share_ppm = run->subject->share_ppm,
            .since_s = run->since_s,
            .judged = result->judged,
            .changed = result->changed,
            .unknown = result->unknown,
            .answers = tally_answers(&result->tally),
            .counts = run->counts,
        };
        memcpy(ret_figures->path, run->subject->path, sizeof ret_figures->path);
        memcpy(ret_figures->changes, result->tally.changes, sizeof ret_figures->changes);
        memcpy(ret_figures->by_check, result->tally.by_check, sizeof ret_figures->by_check);
}

/* The run, and the lock; NULL, and no lock: there is no shadow. */
static struct shadow_run *lock_run(struct shadow *shadow)
{
        if (shadow->lanes == NULL)
                return NULL;
        pthread_mutex_lock(&shadow->lock);
        struct shadow_run *run = shadow->run;
        if (run == NULL)
                pthread_mutex_unlock(&shadow->lock);
        return run;
}

bool shadow_look(struct shadow *shadow, struct shadow_figures *ret_figures)
{
        struct shadow_run *run = lock_run(shadow);

        if (run == NULL)
                return false;
        look(run, ret_figures);
        pthread_mutex_unlock(&shadow->lock);
        return true;
}

bool shadow_look_at_domains(struct shadow *shadow, struct shadow_top ret_domains[static REHEARSE_CHANGES])
{
        struct shadow_run *run = lock_run(shadow);

        if (run == NULL)
                return false;
        for (enum rehearse_change change = CHANGE_REFUSES_MORE; change < CHANGE_UNKNOWN; change++)
                look_at_top(&run->rehearsal->result.tally.tables[TALLY_SENDER_DOMAIN], change,
                            &ret_domains[change]);
        pthread_mutex_unlock(&shadow->lock);
        return true;
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void put_names(struct text *out, struct tally *tally, enum tally_kind kind, bool with_persons,
                      enum rehearse_change change)
{
        struct tally_table *table = &tally->tables[kind];
        size_t count = tally_sort(table, change), told = 0;

        text_printf(out, ",\"%s\":[", tally_kind_names[kind]);
        for (size_t i = 0; i < count && told < TOP_MAX; i++) {
                if (kind == TALLY_SENDER_DOMAIN && !with_persons && may_hold_address(table->rows[i].name))
                        continue;
                text_put(out, told++ == 0 ? SPAN("{\"name\":") : SPAN(",{\"name\":"));
                text_put_json(out, span_from(table->rows[i].name));
                text_put_json_number(out, "count", table->rows[i].changes[change]);
                text_put_char(out, '}');
        }
        text_put_char(out, ']');
}

static void put_left_out(struct text *out, const struct tally *tally, enum rehearse_change change)
{
        text_put(out, SPAN(",\"left_out\":{"));
        for (enum tally_kind kind = 0; kind < TALLY_KINDS; kind++)
                text_printf(out, "%s\"%s\":%llu", kind == 0 ? "" : ",", tally_kind_names[kind],
                            (unsigned long long)tally->tables[kind].left_out[change]);
        text_put_char(out, '}');
}

/* The id and the check stand before the mailboxes. */
static struct span without_persons(struct span example)
{
        size_t id = span_find(example, ' ');
        size_t check = id == SIZE_MAX ? SIZE_MAX : span_find(span_skip(example, id + 1), ' ');

        return check == SIZE_MAX ? example : span_of(example.at, id + 1 + check);
}

static void put_change(struct text *out, struct tally *tally, bool with_persons, enum rehearse_change change)
{
        const char *comma = "";

        text_printf(out, ",\"%s\":{\"count\":%llu,\"checks\":{", rehearse_change_names[change],
                    (unsigned long long)tally->changes[change]);
        for (size_t check = 0; check <= CHECK_COUNT; check++) {
                if (tally->by_check[check][change] == 0)
                        continue;
                text_printf(out, "%s\"%s\":%llu", comma, tally_check_word(check),
                            (unsigned long long)tally->by_check[check][change]);
                comma = ",";
        }
        text_put_char(out, '}');
        for (enum tally_kind kind = 0; kind < TALLY_KINDS; kind++)
                put_names(out, tally, kind, with_persons, change);
        put_left_out(out, tally, change);
        text_put(out, SPAN(",\"examples\":["));
        for (size_t i = 0; i < tally->example_count[change]; i++) {
                text_put_string(out, i == 0 ? "" : ",");
                struct span example = span_from(tally->examples[change][i]);
                text_put_json(out, with_persons ? example : without_persons(example));
        }
        text_put(out, SPAN("]}"));
}

static void put_reasons(struct text *out, const struct rehearsal_result *result)
{
        text_put(out, SPAN(",\"lacking\":["));
        for (size_t i = 0; i < result->reason_count && i < REASONS_MAX; i++) {
                const struct rehearsal_reason *reason = &result->reasons[i];
                text_printf(out, "%s{\"check\":\"%s\",\"zone\":", i == 0 ? "" : ",",
                            tally_check_word(reason->check));
                text_put_json(out, span_from(reason->zone));
                text_put_json_number(out, "sessions", reason->sessions);
                text_put_char(out, '}');
        }
        text_put_char(out, ']');
}

static void put_counts(struct text *out, const struct shadow *shadow, const struct shadow_run *run)
{
        const struct shadow_counts *counts = &run->counts;
        struct shadow_lane_counts lanes = shadow_count_lanes(shadow), before = run->before;

        text_put_json_number(out, "dropped", lanes.lost - before.lost);
        text_put_json_number(out, "over_cost", counts->over_cost);
        text_put_json_number(out, "outdated", counts->outdated + lanes.outdated - before.outdated);
        text_put_json_number(out, "too_long",
                             lanes.too_long - before.too_long + run->rehearsal->result.too_long);
        text_put_json_number(out, "over_budget", counts->over_budget);
        text_put_json_number(out, "questions", counts->questions);
        text_put_json_number(out, "asked_sessions", counts->asked_sessions);
        text_put_json_number(out, "waited_ms", counts->waited_ms);
        text_put_json_number(out, "waited_max_ms", counts->waited_max_ms);
}

static void put_all(struct text *out, const struct shadow *shadow, bool with_persons, struct shadow_run *run)
{
        struct rehearsal_result *result = &run->rehearsal->result;

        text_put(out, SPAN("{\"configuration\":"));
        text_put_json(out, span_from(run->subject->path));
        text_printf(out, ",\"share\":%g", run->subject->share_ppm / 1e6);
        text_put_json_number(out, "begun", (uint64_t)run->begun_s);
        text_put_json_number(out, "since", (uint64_t)run->since_s);
        text_put_json_number(out, "reloads", run->reloads);
        text_put_json_number(out, "judged", result->judged);
        text_put_json_number(out, "changed", result->changed);
        text_put_json_number(out, "unknown", result->unknown);
        text_put_json_number(out, "answers", tally_answers(&result->tally));
        text_put_json_number(out, "same", result->tally.changes[CHANGE_NONE]);
        put_counts(out, shadow, run);
        for (enum rehearse_change change = CHANGE_REFUSES_MORE; change < CHANGE_UNKNOWN; change++)
                put_change(out, &result->tally, with_persons, change);
        put_reasons(out, result);
        text_put(out, SPAN("}\n"));
}

bool shadow_tell(struct shadow *shadow, bool with_persons, struct text *out)
{
        struct shadow_run *run = lock_run(shadow);

        if (run == NULL)
                return false;
        put_all(out, shadow, with_persons, run);
        pthread_mutex_unlock(&shadow->lock);
        return true;
}
