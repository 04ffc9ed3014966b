/* What a filter wants changed: fields and the body make another text, and the envelope is changed where the session
 * lets it be. A message that is to be put into quarantine gets a field that says so, and a folder of its own in a
 * Maildir. */
#include "workers/inbound/filter/internal.h"

#include "core/smtp/command/envelope_edits.h"
#include "workers/inbound/worker_log.h"

#define QUARANTINE_MAX 600

static void refuse(struct filtering *filtering, const struct mail_filter *filter, const char *reason,
                   uint64_t count)
{
        struct worker *worker = filtering->worker;

        counter_add(&worker->counters.metrics[METRIC_filter_edits_refused], count);
        worker_log_event(worker, "filter_edit_refused", "filter", filter->name.at, "id",
                         filtering->question.message->id, "reason", reason, NULL);
}

/* A reason for which there is no room is cut, between two characters. */
static struct span quarantine_value(const struct mail_filter *filter, struct span reason, struct text *value)
{
        text_put(value, filter->name);
        text_put_string(value, ": ");
        text_put_printable(value, reason, true);
        return text_span(value);
}

/* At the front of what the filter was shown. */
static enum milter_edit_outcome add_quarantine(struct filter_link *link)
{
        char octets[QUARANTINE_MAX];
        struct text value;

        text_over(&value, octets, sizeof octets);
        return milter_edit_field(&link->edits, MILTER_INSERTS_FIELD, 0, SPAN(QUARANTINE_MARK),
                                 quarantine_value(link->filter, link->edits.quarantine, &value), false);
}

static bool is_of_text(const struct milter_edit *edit)
{
        return edit->kind == MILTER_ADDS_FIELD || edit->kind == MILTER_INSERTS_FIELD ||
               edit->kind == MILTER_CHANGES_FIELD;
}

static bool changes_text(const struct milter_edits *edits)
{
        for (const struct milter_edit *edit = edits->first; edit != NULL; edit = edit->next)
                if (is_of_text(edit))
                        return true;
        return edits->replaces_body;
}

static bool apply_to_text(struct filtering *filtering, const struct milter_edits *edits,
                          bool lacks_blank_line)
{
        struct content *content = &filtering->question.message->content, changed;
        struct content_pool *pool = &filtering->worker->host.content_pool;

        if (!changes_text(edits) && !lacks_blank_line)
                return true;
        if (!milter_apply(edits, content, filtering->question.own, &changed, pool))
                return false;
        content_release(content, pool);
        *content = changed;
        return true;
}

static const char *apply_to_envelope(struct session *session, const struct milter_edit *edit)
{
        switch (edit->kind) {
        case MILTER_ADDS_RECIPIENT:
                return session_edit_add_recipient(session, edit->name);
        case MILTER_DELETES_RECIPIENT:
                return session_edit_delete_recipient(session, edit->name);
        case MILTER_CHANGES_SENDER:
                return session_edit_sender(session, edit->name);
        case MILTER_ADDS_FIELD:
        case MILTER_INSERTS_FIELD:
        case MILTER_CHANGES_FIELD:
                break;
        }
        return NULL;
}

enum edits_outcome edits_apply(struct filtering *filtering, struct filter_link *link)
{
        struct milter_edits *edits = &link->edits;

        if (edits->arena == NULL && !link->giving.lacks_blank_line)
                return EDITS_DONE;
        if (edits->arena == NULL) /* it has judged before the end */
                edits_begin(filtering, true, &link->arena, edits);
        if (edits->quarantines && add_quarantine(link) != MILTER_EDIT_TAKEN) {
                edits_drop(link);
                return EDITS_LEFT_OUT;
        }
        if (edits->refused > 0)
                refuse(filtering, link->filter, edits->refusal, edits->refused);
        bool is_applied = apply_to_text(filtering, edits, link->giving.lacks_blank_line);
        if (is_applied && edits->quarantines)
                session_filter_quarantine(&filtering->connection->session);
        for (const struct milter_edit *edit = edits->first; is_applied && edit != NULL; edit = edit->next) {
                const char *reason = apply_to_envelope(&filtering->connection->session, edit);
                if (reason != NULL)
                        refuse(filtering, link->filter, reason, 1);
        }
        edits_drop(link);
        return is_applied ? EDITS_DONE : EDITS_NO_MEMORY;
}

void edits_begin(const struct filtering *filtering, bool speaks_for_us, struct arena *arena,
                 struct milter_edits *edits)
{
        struct worker *worker = filtering->worker;
        const struct snapshot *snapshot = filtering_session(filtering)->snapshot;

        arena_init(arena, &worker->filters->pool, (size_t)MILTER_EDITS_OCTETS_MAX * 2);
        milter_edits_begin(edits, arena, &worker->host.content_pool, speaks_for_us ? NULL : snapshot,
                           snapshot->options.message_size_max_octets);
}

void edits_drop(struct filter_link *link)
{
        if (link->edits.arena == NULL)
                return;
        milter_edits_end(&link->edits);
        link->edits.arena = NULL;
        arena_end(&link->arena);
}

/* ---- of policy services --------------------------------------------------------------------------------- */

static enum edits_outcome add_to_text(struct filtering *filtering, const struct mail_filter *filter,
                                      struct span name, struct span value)
{
        struct milter_edits edits;
        struct arena arena;

        edits_begin(filtering, true, &arena, &edits);
        bool is_done =
            milter_edit_field(&edits, MILTER_INSERTS_FIELD, 0, name, value, false) != MILTER_EDIT_BOUND &&
            apply_to_text(filtering, &edits, false);
        bool is_refused = edits.refused > 0;
        if (is_refused)
                refuse(filtering, filter, edits.refusal, edits.refused);
        milter_edits_end(&edits);
        arena_end(&arena);
        return !is_done ? EDITS_NO_MEMORY : is_refused ? EDITS_LEFT_OUT : EDITS_DONE;
}

enum edits_outcome edits_add_field(struct filtering *filtering, const struct mail_filter *filter,
                                   struct span name, struct span value)
{
        if (filtering->question.about == FILTER_ABOUT_TEXT)
                return add_to_text(filtering, filter, name, value);
        const char *reason = session_filter_add_field(&filtering->connection->session, name, value);
        if (reason != NULL)
                refuse(filtering, filter, reason, 1);
        return reason != NULL ? EDITS_LEFT_OUT : EDITS_DONE;
}

enum edits_outcome edits_quarantine(struct filtering *filtering, const struct mail_filter *filter,
                                    struct span reason)
{
        char octets[QUARANTINE_MAX];
        struct text value;

        text_over(&value, octets, sizeof octets);
        enum edits_outcome outcome = edits_add_field(filtering, filter, SPAN(QUARANTINE_MARK),
                                                     quarantine_value(filter, reason, &value));
        if (outcome == EDITS_DONE)
                session_filter_quarantine(&filtering->connection->session);
        return outcome;
}
