/* What checks have in common. */
#include "core/check/check.h"

#define NOTE_INPUT_MAX 100 /* octets of what the client said that a note repeats */

struct span facts_note(const struct facts *facts, struct span what, const char *why)
{
        if (what.length > NOTE_INPUT_MAX)
                what.length = NOTE_INPUT_MAX;
        char *note = arena_take(facts->arena, what.length + strlen(why) + 2);
        struct text text;
        if (note == NULL)
                return SPAN("");
        text_over(&text, note, what.length + strlen(why) + 2);
        text_put(&text, what);
        text_put(&text, SPAN(": "));
        text_put_string(&text, why);
        return text_span(&text);
}

enum verdict_result facts_out_of_memory(struct verdict *verdict)
{
        verdict->reply = REPLY_out_of_memory;
        verdict->evidence = SPAN(FACTS_OUT_OF_MEMORY);
        return VERDICT_DEFER;
}
