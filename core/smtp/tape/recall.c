/* What the session cannot find out again, because it has no text and no ledger of clients. */
#include "core/smtp/tape/recall.h"

#include "core/smtp/internal.h"
#include "core/smtp/tape/taped.h"

bool tape_had_good_history(const struct session *session)
{
        return session->host->recall->taped->had_good_history &&
               client_is_rated(session->snapshot, &session->peer.client);
}

/* A limit of the configuration at hand may be another one: that it was exceeded is taken as it was. */
bool tape_had_excess(const struct session *session, enum rate_kind kind)
{
        const struct tape_recall *recall = session->host->recall;

        return recall != NULL && recall->step != NULL && (recall->step->excesses >> kind & 1) != 0 &&
               client_is_rated(session->snapshot, &session->peer.client);
}

bool tape_lacks_answer(const struct session *session)
{
        return session->host->recall != NULL && session->host->recall->lacks_answer;
}

/* A text that was too large was not read to its end, and one that was not may be now. */
enum reply_id tape_text_fault(const struct session *session, enum reply_id fault)
{
        const struct tape_recall *recall = session->host->recall;

        if (recall == NULL || recall->step == NULL || recall->step->text == NULL)
                return fault;
        if (recall->step->text->size > session->snapshot->options.message_size_max_octets)
                return REPLY_message_too_large;
        return recall->step->text->fault == REPLY_message_too_large ? REPLY_NONE : recall->step->text->fault;
}

/* Nobody knows what it would say: it is put off, unless another check refuses it. */
static const struct verdict *unjudged(struct session *session, enum check_id check)
{
        struct verdict *verdict = arena_take(&session->transaction->arena, sizeof *verdict);

        session->host->recall->unjudged |= check_bit(check);
        if (verdict != NULL)
                *verdict = (struct verdict){.check = check,
                                            .result = VERDICT_DEFER,
                                            .reply = REPLY_overloaded_mail,
                                            .is_of_text = true};
        return verdict;
}

static const struct verdict *known(const struct taped_text *text, enum check_id check)
{
        for (const struct verdict *verdict = text->against.first; verdict != NULL; verdict = verdict->next)
                if (verdict->check == check)
                        return verdict;
        return NULL;
}

void tape_judge_text(struct session *session, struct verdict_list *list)
{
        const struct taped_step *step = session->host->recall->step;
        const struct taped_text *text = step == NULL ? NULL : step->text;
        struct verdict **end = &list->first;

        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                const struct verdict *verdict = NULL;
                if ((session->transaction->text_checks & check_bit(check)) == 0)
                        continue;
                if (text == NULL || (text->judged & check_bit(check)) == 0)
                        verdict = unjudged(session, check);
                else
                        verdict = known(text, check);
                struct verdict *own =
                    verdict == NULL ? NULL : arena_take(&session->transaction->arena, sizeof *own);
                if (own == NULL)
                        continue;
                *own = *verdict;
                own->next = NULL;
                *end = own;
                end = &own->next;
        }
}
