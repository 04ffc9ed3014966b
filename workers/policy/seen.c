/* Takes out of a line of the log what its sender may know. */
#include "workers/policy/seen.h"

#include "core/base/domain_name.h"
#include "core/policy/texts.h"
#include "workers/json/value.h"
#include "workers/policy/occurrence.h"

static void add_recipient(struct refusal *refusal, const json_t *recipient)
{
        struct span domain = address_domain(value_of(recipient, "to"));

        for (size_t i = 0; i < refusal->recipient_count; i++)
                if (span_equals_nocase(refusal->recipients[i], domain))
                        return;
        if (domain.length > 0 && refusal->recipient_count < REFUSAL_DOMAINS_MAX)
                refusal->recipients[refusal->recipient_count++] = domain;
}

static void read_envelope(const struct occurrence *occurrence, struct refusal *refusal)
{
        struct span sender = value_of(occurrence->transaction, "from");
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");

        refusal->sender = address_domain(sender);
        refusal->has_null_sender =
            json_object_get(occurrence->transaction, "from") != NULL && sender.length == 0;
        if (occurrence->recipient != NULL)
                add_recipient(refusal, occurrence->recipient);
        for (size_t i = 0; occurrence->recipient == NULL && i < json_array_size(recipients); i++)
                add_recipient(refusal, json_array_get(recipients, i));
}

/* Of the verdict, or of what was refused outside of a mail. */
static struct span evidence_of(const struct occurrence *occurrence, const json_t *innermost)
{
        struct span evidence = value_of(occurrence_verdict(occurrence), "evidence");

        if (evidence.length == 0)
                evidence = value_of(innermost, "evidence");
        return evidence.length > 0 ? evidence : value_of(innermost, "early");
}

static enum reply_id reply_of(const struct occurrence *occurrence, const json_t *innermost)
{
        struct span name = value_of(innermost, "reply");

        if (name.length == 0)
                name = value_of(occurrence_verdict(occurrence), "reply");
        enum reply_id reply = reply_by_name(name);
        return reply != REPLY_NONE && reply_infos[reply].text[0] >= '4' ? reply : REPLY_NONE;
}

/* CHECK_COUNT: none; a reply that ended a session says by itself whose it is. */
static enum check_id check_of(const struct occurrence *occurrence, enum reply_id reply)
{
        const char *name = occurrence_check(occurrence);
        enum check_id check = name == NULL ? CHECK_COUNT : check_by_name(span_from(name));

        if (check == CHECK_COUNT && reply != REPLY_NONE && subject_of_reply(reply) < CHECK_COUNT)
                check = subject_of_reply(reply);
        return check;
}

bool seen_read(const json_t *line, const char *id, struct refusal *ret_refusal)
{
        struct occurrence occurrence;

        if (!occurrence_find(line, id, &occurrence))
                return false;
        const json_t *innermost = occurrence_innermost(&occurrence);
        if (!span_equals(value_of(innermost, "reject_id"), span_from(id)))
                return false;
        enum reply_id reply = reply_of(&occurrence, innermost);
        struct refusal refusal = {
            .id = span_from(id),
            .time = value_of(line, "time"),
            .client = value_of(line, "client"),
            .helo = value_of(line, "helo"),
            .evidence = evidence_of(&occurrence, innermost),
            .code = value_of(innermost, "code"),
            .check = check_of(&occurrence, reply),
            .reply = reply,
        };
        read_envelope(&occurrence, &refusal);
        *ret_refusal = refusal;
        return true;
}
