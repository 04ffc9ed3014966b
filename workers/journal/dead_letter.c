/* A dead letter: fields of ours, and the message as it came. */
#include "workers/journal/dead_letter.h"

#include "core/base/date.h"
#include "core/mail/front.h"

#include <errno.h>

#define FIELD_MAX 1200

/* A field. Strangers wrote what is in it. */
static bool put_field(struct content *fields, struct content_pool *pool, const char *name, struct span value)
{
        char octets[FIELD_MAX];
        struct text field;

        text_over(&field, octets, sizeof octets);
        text_put_string(&field, name);
        text_put_string(&field, ": ");
        if (value.length > FIELD_MAX / 2)
                value.length = FIELD_MAX / 2;
        text_put_printable(&field, value, false);
        text_put_string(&field, "\r\n");
        return content_append(fields, pool, text_span(&field));
}

static bool put_date(struct content *fields, struct content_pool *pool, uint64_t time_ms)
{
        char octets[DATE_TEXT_LENGTH];
        struct text date;

        text_over(&date, octets, sizeof octets);
        date_write(&date, (int64_t)(time_ms / 1000));
        return put_field(fields, pool, "X-Dead-Letter-Received", text_span(&date));
}

static bool put_fields(struct content *fields, struct content_pool *pool,
                       const struct journal_message *message, const uint8_t *states, const uint8_t *before,
                       const char *reason)
{
        struct span recipients = message->recipients, recipient;
        bool fits = true;

        for (uint32_t i = 0; fits && journal_string_take(&recipients, &recipient); i++)
                if (states[i] == RECIPIENT_DEAD && before[i] != RECIPIENT_DEAD)
                        fits = put_field(fields, pool, "X-Dead-Letter-For", recipient);
        return fits && put_field(fields, pool, "X-Dead-Letter-Reason", span_from(reason)) &&
               put_field(fields, pool, "X-Dead-Letter-Next-Hop", message->destination) &&
               put_field(fields, pool, "X-Dead-Letter-Id", message->id) &&
               put_date(fields, pool, message->time_ms);
}

bool dead_letter_write(const char *mailbox, struct mail_namer *namer, struct content_pool *pool,
                       const struct journal_message *message, const struct content *content,
                       const uint8_t *states, const uint8_t *before, const char *reason)
{
        struct mail_copy copy = {.mailbox = mailbox};
        char octets[FRONT_MAX];
        struct text front;
        struct mail mail = {.fd = -1};
        struct content fields = {0};
        bool is_written = false;

        text_over(&front, octets, sizeof octets);
        front_put_return_path(&front, message->sender, NEWLINE_LF);
        copy.front = text_span(&front);
        errno = ENOMEM;
        if (put_fields(&fields, pool, message, states, before, reason))
                is_written = mail_begin(&mail, namer, &copy, &fields, NEWLINE_LF) &&
                             mail_write(&mail, content, NEWLINE_LF) && mail_sync(&mail) &&
                             mail_publish(&mail, &copy) && maildir_sync_new(mailbox);
        int error = errno;
        if (!is_written)
                mail_undo(&mail, &copy);
        content_release(&fields, pool);
        errno = error;
        return is_written;
}
