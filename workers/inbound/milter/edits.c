/* What a filter wants changed: fields and the body make another text, and the envelope is changed where the session
 * lets it be. A message that is to be put into quarantine gets a field that says so. */
#include "workers/inbound/milter/internal.h"

#include "core/smtp/command/envelope_edits.h"
#include "workers/inbound/worker_log.h"

#define QUARANTINE_FIELD "X-Quarantine"
#define QUARANTINE_MAX   300

static void refuse(struct filtering *filtering, const struct filter_link *link, const char *reason,
                   uint64_t count)
{
        struct worker *worker = filtering->worker;

        counter_add(&worker->counters.metrics[METRIC_filter_edits_refused], count);
        worker_log_event(worker, "milter_edit_refused", "milter", link->filter->name.at, "id",
                         filtering->question.message->id, "reason", reason, NULL);
}

/* At the front of what the filter was shown. */
static enum milter_edit_outcome add_quarantine(struct filter_link *link)
{
        char octets[QUARANTINE_MAX];
        struct text value;

        text_over(&value, octets, sizeof octets);
        text_put_char(&value, ' ');
        text_put(&value, link->filter->name);
        text_put_string(&value, ": ");
        text_put(&value, link->edits.quarantine);
        return milter_edit_field(&link->edits, MILTER_INSERTS_FIELD, 0, SPAN(QUARANTINE_FIELD),
                                 text_span(&value), true);
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

static bool apply_to_text(struct filtering *filtering, const struct milter_edits *edits)
{
        struct content *content = &filtering->question.message->content, changed;
        struct content_pool *pool = &filtering->worker->host.content_pool;

        if (!changes_text(edits))
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

bool edits_apply(struct filtering *filtering, struct filter_link *link)
{
        struct milter_edits *edits = &link->edits;

        if (edits->arena == NULL)
                return true;
        if (edits->quarantines && add_quarantine(link) == MILTER_EDIT_BOUND)
                refuse(filtering, link, "no room is left for its quarantine", 1);
        if (edits->refused > 0)
                refuse(filtering, link, edits->refusal, edits->refused);
        bool is_applied = apply_to_text(filtering, edits);
        for (const struct milter_edit *edit = edits->first; is_applied && edit != NULL; edit = edit->next) {
                const char *reason = apply_to_envelope(&filtering->connection->session, edit);
                if (reason != NULL)
                        refuse(filtering, link, reason, 1);
        }
        edits_drop(link);
        return is_applied;
}

void edits_drop(struct filter_link *link)
{
        if (link->edits.arena == NULL)
                return;
        milter_edits_end(&link->edits);
        link->edits.arena = NULL;
        arena_end(&link->arena);
}
