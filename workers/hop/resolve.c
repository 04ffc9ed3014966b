/* Questions to DNS about next hops that have a name. Nobody waits in them: answers wake the thread. */
#include "workers/hop/internal.h"

#include "dns/answer.h"

static void take(struct hop_thread *thread, struct hop_target *target, enum dns_type type,
                 const struct dns_answer *answer)
{
        hop_addresses_answer(&target->addresses, type, answer, thread->now_ms);
}

static void ask(struct hop_thread *thread, struct hop_target *target, enum dns_type type)
{
        struct dns_source *source = thread->dns == NULL ? NULL : dns_client_source(thread->dns);
        const struct dns_question question = {.name = span_from(target->hop.name), .type = type};
        const struct dns_asker asker = {.handle = target->number};
        struct dns_answer answer = {.fact = FACT_FAILED};
        enum fact fact = FACT_FAILED;
        struct arena memory;

        arena_init(&memory, &thread->dns_memory, (size_t)2 * DNS_ANSWER_OCTETS_MAX);
        if (source != NULL)
                fact = source->ask(source, &question, &asker, &memory, &answer);
        /* Without a place for the question it is as if it had failed. */
        if (fact != FACT_PENDING || answer.is_unasked)
                take(thread, target, type, &answer);
        arena_end(&memory);
}

void target_leave_gone(struct hop_thread *thread, struct hop_target *target)
{
        struct hop_connection *connection, *next;

        if (target->hop.kind != NEXT_HOP_AT_NAME)
                return;
        for (connection = TAILQ_FIRST(&target->idle); connection != NULL; connection = next) {
                next = TAILQ_NEXT(connection, idle);
                if (!hop_addresses_have(&target->addresses, &connection->address))
                        hop_connection_leave(thread, connection);
        }
}

void target_ask_if_due(struct hop_thread *thread, struct hop_target *target)
{
        if (target->hop.kind != NEXT_HOP_AT_NAME ||
            !hop_addresses_are_due(&target->addresses, thread->now_ms))
                return;
        hop_addresses_begin(&target->addresses);
        for (size_t i = 0; i < HOP_QUESTIONS; i++)
                ask(thread, target, hop_question_types[i]);
        if (thread->dns != NULL)
                dns_client_flush(thread->dns);
}

bool target_has_address(struct hop_thread *thread, struct hop_target *target)
{
        if (target->hop.kind != NEXT_HOP_AT_NAME)
                return true;
        if (hop_addresses_are_asked(&target->addresses))
                return false;
        if (target->addresses.count > 0)
                return true;
        target_unreachable(thread, target, target->addresses.fault);
        return false;
}

static struct hop_target *find(const struct hop_thread *thread, uint64_t number)
{
        struct hop_target *target;

        LIST_FOREACH(target, &thread->targets, entry)
        if (target->number == number)
                return target;
        return NULL;
}

void targets_take_answers(struct hop_thread *thread)
{
        const struct dns_reply_message *message;

        while (thread->dns != NULL && (message = dns_client_receive(thread->dns)) != NULL) {
                struct hop_target *target = find(thread, message->handle);
                if (target != NULL)
                        take(thread, target, message->question.type, &message->answer);
        }
}
