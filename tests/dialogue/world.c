/* Directives about the world around the session: DNS, stores, other machines, load. */
#include "core/senders/rate_notice.h"
#include "core/base/expect.h"
#include "tests/dialogue/play.h"

void play_dns(struct play *play, const struct step *step)
{
        bool is_hold = span_equals(step->argument, SPAN("hold"));

        if (is_hold || span_equals(step->argument, SPAN("release")))
                harness_hold_dns(&play->harness, is_hold);
        else if (!scripted_dns_add(&play->harness.dns, step->argument))
                play_fail(play, step, "expected NAME TYPE DATA");
}

void play_senders(struct play *play, const struct step *step)
{
        static const char *const moods[] = {
            [SENDER_UP] = "up", [SENDER_FAILS] = "fails", [SENDER_SILENT] = "silent"};

        for (size_t i = 0; i < sizeof moods / sizeof moods[0]; i++)
                if (span_equals(step->argument, span_from(moods[i]))) {
                        play->harness.senders.mood = (enum sender_mood)i;
                        return;
                }
        play_fail(play, step, "expected up, fails or silent");
}

/* By the last configuration, as the thread of the store does. */
void play_hears(struct play *play, const struct step *step)
{
        struct harness *harness = &play->harness;
        const struct options *options = &play->snapshots[play->snapshot_count - 1]->options;

        if (!rate_notice_hear(step->argument, &harness->ledger, options, harness->host.now_ms,
                              harness->host.wall_ms))
                play_fail(play, step, "not a notice");
}

/* On that configuration alone: as the main thread does when the list fails its test. */
void play_suspend(struct play *play, const struct step *step)
{
        struct snapshot *snapshot = play->snapshots[play->snapshot_count - 1];

        for (size_t i = 0; i < snapshot->zone_count; i++)
                if (span_equals(snapshot->zones[i].name, step->argument)) {
                        atomic_store(&snapshot->zones[i].is_suspended, true);
                        return;
                }
        play_fail(play, step, "no such zone");
}

void play_load(struct play *play, const struct step *step)
{
        enum rung rung = rung_by_name(step->argument.at, step->argument.length);

        if (rung == RUNG_COUNT)
                play_fail(play, step, "no such rung");
        else if (!play->is_mute)
                harness_load(&play->harness, rung);
}

void play_memory(struct play *play, const struct step *step)
{
        play->harness.host.memory_is_spent = span_equals(step->argument, SPAN("spent"));
}

/* False: it is held. */
static bool read_outcome(struct span word, enum store_outcome *outcome)
{
        static const char *const names[] = {
            [STORE_DONE] = "done",
            [STORE_FULL] = "full",
            [STORE_FAILED] = "failed",
            [STORE_REFUSED_BY_HOP] = "refused",
            [STORE_DEFERRED_BY_HOP] = "deferred",
            [STORE_NO_HOP] = "silent",
        };

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (span_equals(word, span_from(names[i])))
                        *outcome = (enum store_outcome)i;
        return !span_equals(word, SPAN("hold"));
}

void play_hop(struct play *play, const struct step *step)
{
        struct harness *harness = &play->harness;

        harness->hop_is_held = !read_outcome(step->argument, &harness->hop_outcome);
        if (!harness->hop_is_held && harness->is_open && harness->wish == SESSION_OPEN)
                harness_open(harness);
}

void play_store(struct play *play, const struct step *step)
{
        struct harness *harness = &play->harness;

        harness->store_is_held = !read_outcome(step->argument, &harness->store_outcome);
        if (!harness->store_is_held && harness->is_open && harness->wish == SESSION_STORE)
                harness_report(harness, harness->store_outcome);
}

/* "refuse 554 5.7.1 words": code, enhanced code and words are left out where the filter has none. */
static void read_words(struct harness *harness, struct span rest)
{
        struct filter_report *report = &harness->filters_say;
        uint64_t code;

        snprintf(harness->filter_words, sizeof harness->filter_words, "%.*s", (int)rest.length, rest.at);
        rest = span_from(harness->filter_words);
        if (report->outcome != FILTER_FAILED && rest.length > 0) {
                expect(span_number(span_take_line(&rest, SPAN(" ")), &code));
                report->code = (uint16_t)code;
                report->enhanced = span_take_line(&rest, SPAN(" "));
        }
        report->words = rest;
}

void play_filters(struct play *play, const struct step *step)
{
        static const char *const names[] = {
            [FILTER_IS_CONTENT] = "content", [FILTER_REFUSES] = "refuse", [FILTER_DEFERS] = "defer",
            [FILTER_DISCARDS] = "discard",   [FILTER_CLOSES] = "close",   [FILTER_FAILED] = "fail"};
        struct harness *harness = &play->harness;
        struct span rest = step->argument, word = span_take_line(&rest, SPAN(" "));

        harness->filters_are_held = span_equals(word, SPAN("hold"));
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (span_equals(word, span_from(names[i]))) {
                        harness->filters_say = (struct filter_report){.outcome = (enum filter_outcome)i};
                        read_words(harness, rest);
                }
        if (!harness->filters_are_held && harness->is_open && harness->wish == SESSION_FILTER)
                harness_filter(harness);
}
