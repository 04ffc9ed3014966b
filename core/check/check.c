/* What checks have in common. */
#include "core/check/check.h"

#define NOTE_INPUT_MAX 100 /* octets of what the client said that a note repeats */

const char *const verdict_result_names[] = {
    [VERDICT_PASS] = "pass", [VERDICT_REFUSE] = "refuse", [VERDICT_DEFER] = "defer", [VERDICT_WAIT] = "wait"};

static struct span joined(struct arena *arena, struct span left, struct span between, struct span right)
{
        if (left.length > NOTE_INPUT_MAX)
                left.length = NOTE_INPUT_MAX;
        size_t length = left.length + between.length + right.length;
        char *octets = arena_take(arena, length);
        struct text text;
        if (octets == NULL)
                return SPAN("");
        text_over(&text, octets, length);
        text_put(&text, left);
        text_put(&text, between);
        text_put(&text, right);
        return text_span(&text);
}

struct span facts_note(const struct facts *facts, struct span what, const char *why)
{
        return joined(facts->arena, what, SPAN(" "), span_from(why));
}

struct span facts_remark(const struct facts *facts, struct span what, struct span remark)
{
        return joined(facts->arena, what, SPAN(": "), remark);
}

enum verdict_result facts_out_of_memory(struct verdict *verdict)
{
        verdict->reply = REPLY_out_of_memory;
        verdict->evidence = SPAN(FACTS_OUT_OF_MEMORY);
        return VERDICT_DEFER;
}
