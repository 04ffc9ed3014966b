/* Message text on its way past: for the checks that read it, where a recipient's policy asks for one, and for the key
 * of what the client sends. */
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

void text_readers_read(struct session *session, const struct content_block *block, size_t offset)
{
        struct transaction *transaction = session->transaction;

        if (transaction->text_readers == 0 && transaction->text_hash == NULL)
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        for (block = block == NULL ? transaction->message.content.first : block; block != NULL;
             block = block->next, offset = 0) {
                struct span octets = span_of(block->octets + offset, block->length - offset);
                if (transaction->text_hash != NULL)
                        keyed_add(transaction->text_hash, octets);
                transaction->text_readers = hooks_text_read(&facts, transaction->text_readers, octets);
        }
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
