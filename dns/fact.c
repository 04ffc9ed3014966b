/* The memo: what a session or transaction has asked of DNS, and what it has heard. */
#include "dns/fact.h"

#include "core/base/expect.h"
#include "dns/answer.h"
#include "dns/name.h"

/* For questions that no entry keeps. */
static const struct dns_answer failed = {.fact = FACT_FAILED};
static const struct dns_answer unaskable = {.fact = FACT_ABSENT, .is_nxdomain = true, .rcode = 3};

void memo_init(struct memo *memo, struct arena *arena, struct dns_source *source, uint64_t handle,
               uint32_t quota)
{
        *memo = (struct memo){.arena = arena, .source = source, .asker = {.handle = handle}, .quota = quota};
}

/* The link that holds the entry, or the end of the list. */
static struct memo_entry **memo_find(struct memo *memo, const struct dns_question *question)
{
        struct memo_entry **link = &memo->entries;
        while (*link != NULL && ((*link)->question.type != question->type ||
                                 !span_equals((*link)->question.name, question->name)))
                link = &(*link)->next;
        return link;
}

/* `keeps_name`: the name lives as long as the memo; else it is copied. */
static struct memo_entry *entry_create(struct memo *memo, const struct dns_question *question,
                                       bool keeps_name)
{
        struct memo_entry *entry =
            arena_take(memo->arena, sizeof *entry + (keeps_name ? 0 : question->name.length));
        if (entry == NULL)
                return NULL;
        *entry = (struct memo_entry){.question = *question, .answer = failed};
        if (!keeps_name) {
                char *name = (char *)(entry + 1);
                memcpy(name, question->name.at, question->name.length);
                entry->question.name.at = name;
        }
        return entry;
}

/* Half of the memory is kept for urgent questions: whoever chooses names with many records does not thereby
 * make the lists that would name him unreadable. */
static bool has_memory(const struct memo *memo, bool is_urgent, size_t octets)
{
        return is_urgent || memo->arena->total + octets <= memo->arena->limit / 2;
}

static void entry_file(struct memo *memo, struct memo_entry *entry)
{
        struct dns_answer answer = failed;
        enum fact fact =
            memo->source->ask(memo->source, &entry->question, &memo->asker, memo->arena, &answer);
        entry->answer = answer;
        if (fact == FACT_PENDING && !answer.is_unasked && memo->asker.account != NULL)
                memo->asker.account->in_flight++;
        if (fact == FACT_PENDING)
                entry->answer = (struct dns_answer){.fact = FACT_PENDING, .is_unasked = answer.is_unasked};
        expect(entry->answer.fact == fact);
        memo->pending += fact == FACT_PENDING;
}

/* Who knows it by heart is asked beyond the quota. */
static bool entry_ask_first(struct memo *memo, struct memo_entry *entry, struct dns_source *first)
{
        struct dns_answer answer = failed;

        if (first == NULL ||
            first->ask(first, &entry->question, &memo->asker, memo->arena, &answer) == FACT_PENDING)
                return false;
        entry->answer = answer;
        return true;
}

static void entry_ask(struct memo *memo, struct memo_entry *entry)
{
        if (memo->source == NULL || memo->asked >= memo->quota ||
            !has_memory(memo, entry->question.is_urgent, 0))
                return;
        memo->asked++;
        entry_file(memo, entry);
}

/* There may be a place by now. */
static void entry_ask_again(struct memo *memo, struct memo_entry *entry)
{
        if (entry->answer.fact != FACT_PENDING || !entry->answer.is_unasked || memo->is_late)
                return;
        memo->pending--;
        entry_file(memo, entry);
}

static enum fact tell(const struct dns_answer *answer, const struct dns_answer **ret_answer)
{
        if (ret_answer != NULL)
                *ret_answer = answer;
        return answer->fact;
}

/* `is_kept`: the name lives as long as the memo. `first`: is asked before the memo's source; NULL: nobody. */
static enum fact ask(struct memo *memo, struct dns_source *first, const struct dns_question *asked,
                     bool is_kept, const struct dns_answer **ret_answer)
{
        struct dns_question question = *asked;
        char buffer[DNS_NAME_MAX];
        struct text text;

        /* Most names come in normal form, and most questions again. */
        struct memo_entry **link = memo_find(memo, asked);
        if (*link != NULL && (*link)->answer.fact != FACT_PENDING)
                return tell(&(*link)->answer, ret_answer);
        text_over(&text, buffer, sizeof buffer);
        if (!dns_name_normalise(asked->name, &text))
                return tell(&unaskable, ret_answer);
        if (!span_equals(text_span(&text), asked->name)) {
                is_kept = false;
                question.name = text_span(&text);
                link = memo_find(memo, &question);
        }
        if (*link == NULL) {
                *link = entry_create(memo, &question, is_kept);
                if (*link == NULL)
                        return tell(&failed, ret_answer);
                if (!entry_ask_first(memo, *link, first))
                        entry_ask(memo, *link);
        } else {
                entry_ask_again(memo, *link);
        }
        if (memo->is_late && (*link)->answer.fact == FACT_PENDING)
                return tell(&failed, ret_answer);
        return tell(&(*link)->answer, ret_answer);
}

enum fact memo_ask(struct memo *memo, struct span name, enum dns_type type,
                   const struct dns_answer **ret_answer)
{
        return ask(memo, NULL, &(struct dns_question){.name = name, .type = type}, false, ret_answer);
}

enum fact memo_ask_urgently(struct memo *memo, struct span name, enum dns_type type,
                            const struct dns_answer **ret_answer)
{
        return ask(memo, NULL, &(struct dns_question){.name = name, .type = type, .is_urgent = true}, false,
                   ret_answer);
}

enum fact memo_ask_kept(struct memo *memo, struct span name, enum dns_type type,
                        const struct dns_answer **ret_answer)
{
        return ask(memo, NULL, &(struct dns_question){.name = name, .type = type}, true, ret_answer);
}

enum fact memo_ask_first(struct memo *memo, struct dns_source *first, const struct dns_question *question,
                         bool looks_only, const struct dns_answer **ret_answer)
{
        bool looked_only = memo->asker.looks_only;

        memo->asker.looks_only = looked_only || looks_only;
        enum fact fact = ask(memo, first, question, false, ret_answer);
        memo->asker.looks_only = looked_only;
        return fact;
}

enum fact memo_look(struct memo *memo, const struct dns_question *question,
                    const struct dns_answer **ret_answer)
{
        return memo_ask_first(memo, NULL, question, true, ret_answer);
}

bool memo_has_unasked(const struct memo *memo)
{
        const struct memo_entry *entry = memo->entries;

        while (entry != NULL && (entry->answer.fact != FACT_PENDING || !entry->answer.is_unasked))
                entry = entry->next;
        return entry != NULL;
}

void memo_settle(struct memo *memo, const struct dns_question *question, const struct dns_answer *answer)
{
        struct memo_entry *entry = *memo_find(memo, question);
        if (entry == NULL || entry->answer.fact != FACT_PENDING)
                return;
        if (has_memory(memo, entry->question.is_urgent, dns_answer_octets(answer)))
                dns_answer_copy(memo->arena, answer, &entry->answer);
        else
                entry->answer = failed;
        memo->pending--;
}

void memo_begin_stage(struct memo *memo)
{
        for (struct memo_entry *entry = memo->entries; memo->is_late && entry != NULL; entry = entry->next)
                if (entry->answer.fact == FACT_PENDING) {
                        entry->answer = failed;
                        memo->pending--;
                }
        memo->is_late = false;
}

void dns_answer_copy(struct arena *arena, const struct dns_answer *answer, struct dns_answer *ret_copy)
{
        void *memory = arena_take(arena, dns_answer_octets(answer));
        if (memory == NULL)
                *ret_copy = failed;
        else
                dns_answer_write(memory, answer, ret_copy);
}

const char *dns_type_name(enum dns_type type)
{
        switch (type) {
        case DNS_A:
                return "A";
        case DNS_NS:
                return "NS";
        case DNS_CNAME:
                return "CNAME";
        case DNS_SOA:
                return "SOA";
        case DNS_PTR:
                return "PTR";
        case DNS_MX:
                return "MX";
        case DNS_TXT:
                return "TXT";
        case DNS_AAAA:
                return "AAAA";
        case DNS_TLSA:
                return "TLSA";
        }
        return "?";
}
