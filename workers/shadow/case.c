/* A session is played, what it lacks is asked, and it is played again until it lacks nothing, or may ask no more. */
#include "workers/shadow/case.h"

#include "dns/clock.h"
#include "dns/pool/client.h"

#define ROUNDS_MAX    8  /* that a session may wait for answers */
#define QUESTIONS_MAX 64 /* of a session */
#define MEMO_QUOTA    4096

/* Of CPU time in a second it may take this much in any case, and this part of what all other threads have taken. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FREE_NS 500000000 /* one session takes much of what is enough for hundreds else */
#else
#define FREE_NS 20000000
#endif
#define SHARE_OF_OTHERS 10

#define RUN_OF(source) ((struct shadow_run *)(void *)((char *)(source)-offsetof(struct shadow_run, further)))
#define SHADOW_OF(run) ((struct shadow *)(run)->rehearsal->context)

bool shadow_has_cost_enough(const struct shadow_run *run)
{
        uint64_t own = clock_thread_cpu_ns() - run->own_ns, all = clock_process_cpu_ns() - run->all_ns;
        uint64_t others = all > own ? all - own : 0;

        return own > FREE_NS + others / SHARE_OF_OTHERS;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static bool may_ask(const struct shadow_run *run, const struct shadow_case *one)
{
        const struct shadow *shadow = SHADOW_OF(run);

        return one->may_ask && counter_read(&shadow->out) < shadow->out_max && run->asked < SHADOW_ASKS_MAX &&
               one->questions < QUESTIONS_MAX;
}

static void note_question(struct shadow_run *run, struct shadow_case *one)
{
        struct shadow *shadow = SHADOW_OF(run);

        counter_add(&shadow->out, 1);
        run->asked++;
        run->counts.asked_sessions += one->questions == 0;
        run->counts.questions++;
        one->questions++;
        one->out++;
        counter_add(&shadow->counters.metrics[METRIC_shadow_questions], 1);
}

enum fact shadow_ask(struct dns_source *source, const struct dns_question *question,
                     const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct shadow_run *run = RUN_OF(source);
        struct shadow_case *one = run->at_hand;
        const struct dns_answer *answer;
        enum fact fact = memo_look(&one->memo, question, &answer);

        (void)asker, (void)arena; /* the case lives longer */
        if (fact == FACT_PENDING && answer->is_unasked && may_ask(run, one)) {
                fact = memo_ask(&one->memo, question->name, question->type, &answer);
                if (fact == FACT_PENDING && !answer->is_unasked)
                        note_question(run, one);
        }
        one->wanted_more |= fact == FACT_PENDING && answer->is_unasked;
        *ret_answer = *answer;
        return fact;
}

/* ---- its way ------------------------------------------------------------------------------------------- */

/* The last place is for whoever finds no other: it may not ask, and so never waits. */
static struct shadow_case *place_of(struct shadow_run *run)
{
        size_t at = 0;

        while (at < SHADOW_CASES && run->cases[at].parcel != NULL)
                at++;
        return &run->cases[at];
}

static void end_case(struct shadow_case *one)
{
        arena_end(&one->arena);
        shadow_parcel_return(one->parcel);
        *one = (struct shadow_case){0};
}

static void count(struct shadow *shadow, struct shadow_case *one)
{
        struct shadow_run *run = shadow->run;
        struct shadow_counts *counts = &run->counts;

        one->may_ask = false;
        rehearsal_count(run->rehearsal, &one->live, &one->arena);
        counts->over_budget += one->wanted_more;
        counts->waited_ms += one->waited_ms;
        if (one->waited_ms > counts->waited_max_ms)
                counts->waited_max_ms = one->waited_ms;
        counter_add(&shadow->counters.metrics[METRIC_shadow_sessions], 1);
}

/* The pool answers whatever it has taken, within its own time: so nobody waits for long. */
static void go_on(struct shadow *shadow, struct shadow_case *one, uint64_t now_ms)
{
        struct shadow_run *run = shadow->run;

        run->at_hand = one;
        one->wanted_more = false;
        one->may_ask &= one->rounds < ROUNDS_MAX;
        bool is_played = rehearsal_play(run->rehearsal, &one->live);
        if (is_played && one->out > 0) {
                one->rounds++;
                one->asked_ms = now_ms;
                return;
        }
        if (is_played)
                count(shadow, one);
        end_case(one);
}

void shadow_judge(struct shadow *shadow, struct shadow_parcel *parcel, uint64_t now_ms)
{
        struct shadow_run *run = shadow->run;
        struct shadow_case *one = place_of(run);
        uint64_t at = (uint64_t)(one - run->cases);

        *one = (struct shadow_case){.parcel = parcel,
                                    .number = ++shadow->sequence * (SHADOW_CASES + 1) + at,
                                    .may_ask = at < SHADOW_CASES};
        arena_init(&one->arena, &run->pool, REHEARSAL_ARENA_MAX);
        memo_init(&one->memo, &one->arena, dns_client_source(shadow->dns), one->number, MEMO_QUOTA);
        if (taped_read(parcel->text, &one->arena, &one->live))
                go_on(shadow, one, now_ms);
        else
                end_case(one);
}

static bool is_outdated(const struct shadow *shadow, const struct shadow_case *one)
{
        return one->parcel->epoch != atomic_load_explicit(&shadow->epoch, memory_order_relaxed);
}

static void settle(struct shadow *shadow, const struct dns_reply_message *message, uint64_t now_ms)
{
        struct shadow_run *run = shadow->run;
        struct shadow_case *one = run == NULL ? NULL : &run->cases[message->handle % (SHADOW_CASES + 1)];

        if (one == NULL || one->parcel == NULL || one->number != message->handle)
                return;
        memo_settle(&one->memo, &message->question, &message->answer);
        if (--one->out > 0)
                return;
        one->waited_ms += now_ms - one->asked_ms;
        if (is_outdated(shadow, one)) {
                run->counts.outdated++;
                end_case(one);
        } else if (shadow_has_cost_enough(run)) {
                run->counts.over_cost++;
                end_case(one);
        } else {
                go_on(shadow, one, now_ms);
        }
}

void shadow_take_answers(struct shadow *shadow, uint64_t now_ms)
{
        const struct dns_reply_message *message;

        while ((message = dns_client_receive(shadow->dns)) != NULL) {
                counter_set(&shadow->out, counter_read(&shadow->out) - (counter_read(&shadow->out) > 0));
                settle(shadow, message, now_ms);
        }
}

void shadow_drop_cases(struct shadow *shadow)
{
        for (size_t i = 0; i <= SHADOW_CASES; i++)
                if (shadow->run->cases[i].parcel != NULL)
                        end_case(&shadow->run->cases[i]);
}
