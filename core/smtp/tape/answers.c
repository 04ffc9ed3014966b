/* What a session that is played again asks, answered from the tape. */
#include "core/base/domain_name.h"
#include "core/smtp/internal.h"
#include "core/smtp/tape/internal.h"

#define PLAYER_OF(source, member)                                                                            \
        ((struct tape_player *)(void *)((char *)(source)-offsetof(struct tape_player, member)))

/* Of the session itself: 0; else as tapes count transactions. */
static uint32_t transaction_of(const struct tape_player *player, const struct dns_asker *asker)
{
        return asker == &player->session.memo.asker ? 0 : player->session.tape->transactions + 1;
}

static bool is_same(const struct dns_question *left, const struct dns_question *right)
{
        return left->type == right->type && span_equals(left->name, right->name);
}

/* As this transaction heard it, or else another one. */
static const struct taped_question *find_question(const struct taped *taped, uint32_t transaction,
                                                  const struct dns_question *question)
{
        const struct taped_question *found = NULL;

        for (const struct taped_question *one = taped->questions; one != NULL; one = one->next)
                if (is_same(&one->question, question) && (found == NULL || one->transaction == transaction))
                        found = one;
        return found;
}

/* Nobody knows what these lists say: that they list nobody refuses the least. */
static bool is_supposed_unlisted(const struct tape_player *player, struct span name)
{
        const struct snapshot *snapshot = player->session.snapshot;

        for (size_t i = 0; i < snapshot->zone_count && player->supposes_unlisted; i++)
                if (domain_name_is_within(name, snapshot->zones[i].name))
                        return snapshot->zones[i].options.weight > 0;
        return false;
}

/* What is not on the tape stays open and unasked, so that a check whose verdict needs it waits. */
static enum fact ask_dns(struct dns_source *source, const struct dns_question *question,
                         const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct tape_player *player = PLAYER_OF(source, dns);
        const struct taped_question *found =
            find_question(player->recall.taped, transaction_of(player, asker), question);

        if (found == NULL && is_supposed_unlisted(player, question->name)) {
                *ret_answer = (struct dns_answer){.fact = FACT_ABSENT, .is_nxdomain = true};
                return FACT_ABSENT;
        }
        if (found == NULL && player->further != NULL &&
            player->further->ask(player->further, question, asker, arena, ret_answer) != FACT_PENDING)
                return ret_answer->fact;
        if (found == NULL)
                player->recall.lacks_answer = true;
        *ret_answer =
            found == NULL ? (struct dns_answer){.fact = FACT_PENDING, .is_unasked = true} : found->answer;
        return ret_answer->fact;
}

static enum fact ask_senders(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                             struct sender_record *ret_record)
{
        struct tape_player *player = PLAYER_OF(source, senders);
        uint32_t transaction = player->session.tape->transactions + 1;
        const struct taped_sender *found = NULL;

        (void)handle;
        for (const struct taped_sender *one = player->recall.taped->senders; one != NULL; one = one->next)
                if (memcmp(one->key, key->unkeyed, sizeof one->key) == 0 &&
                    (found == NULL || one->transaction == transaction))
                        found = one;
        if (found == NULL) {
                player->recall.lacks_answer = player->recall.lacks_sender = true;
                return FACT_PENDING;
        }
        *ret_record = found->record;
        return found->fact;
}

static void forget_effect(struct sender_source *source, const struct sender_effect *effect)
{
        (void)source, (void)effect;
}

static enum fact ask_recipients(struct recipient_source *source, const struct recipient_question *question,
                                uint64_t handle, struct ruling *ret_ruling)
{
        struct tape_player *player = PLAYER_OF(source, recipients);
        const struct taped_step *step = player->recall.step;

        (void)question, (void)handle;
        if (step == NULL || step->ruling_fact == FACT_PENDING) {
                player->recall.lacks_ruling = true;
                return FACT_FAILED;
        }
        *ret_ruling = *step->ruling;
        return step->ruling_fact;
}

void player_answer(struct tape_player *player)
{
        player->dns.ask = ask_dns;
        player->senders.ask = ask_senders;
        player->senders.apply = forget_effect;
        player->recipients.ask = ask_recipients;
}
