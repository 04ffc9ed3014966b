/* Message text on its way past, for the checks that read it: only where a recipient's policy asks for one. */
#include "core/check/hooks.h"
#include "core/smtp/internal.h"

void text_readers_begin(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (session->is_trusted)
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        transaction->text_checks = pipeline_asked_for(&facts, STAGE_DATA);
        transaction->text_readers = hooks_text_begin(&facts, transaction->text_checks);
}

static void read_octets(struct session *session, struct span octets)
{
        struct transaction *transaction = session->transaction;

        if (transaction->text_hash != NULL)
                keyed_add(transaction->text_hash, octets);
        if (transaction->text_readers == 0)
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        transaction->text_readers = hooks_text_read(&facts, transaction->text_readers, octets);
}

void text_readers_read(struct session *session, const struct content_block *block, size_t offset)
{
        const struct transaction *transaction = session->transaction;

        if (transaction->text_readers == 0 && transaction->text_hash == NULL)
                return;
        for (block = block == NULL ? transaction->message.content.first : block; block != NULL;
             block = block->next, offset = 0)
                read_octets(session, span_of(block->octets + offset, block->length - offset));
}

void text_readers_end(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (transaction->text_readers == 0)
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        hooks_text_end(&facts, transaction->text_readers);
        transaction->text_readers = 0;
}
