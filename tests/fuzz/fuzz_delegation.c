/* Fuzzes the dialogue with a policy service. Some controls are what happens, see `happen`; the rest is said by
 * the service. However that is cut, what comes of it is the same; and no answer has a control in it, or a reply
 * of another class. */
#include "core/base/expect.h"
#include "core/delegation/delegation.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX 20000
#define KEPT      (4 * INPUT_MAX)

struct play {
        struct delegation delegation;
        struct delegation_terms terms;
        struct text events;
        bool is_open;
        char unread[INPUT_MAX], event_octets[KEPT], said[1024];
        size_t unread_length;
};

static struct play whole, cut;

static void check_answer(const struct delegation_answer *answer)
{
        expect(!span_has_control(span_from(answer->text)) && !span_has_control(span_from(answer->name)));
        expect(answer->code == 0 || (answer->code >= 400 && answer->code < 600));
        expect(answer->code == 0 || answer->enhanced[0] - '0' == answer->code / 100);
        expect((answer->verdict == DELEGATION_PREPENDS) == (answer->name[0] != '\0'));
}

static void note(struct play *play, enum delegation_event event)
{
        const struct delegation_answer *answer = &play->delegation.answer;

        text_put_char(&play->events, (char)('0' + event));
        if (event == DELEGATION_ANSWERED) {
                check_answer(answer);
                text_put_char(&play->events, (char)('0' + answer->verdict));
                text_put_string(&play->events, answer->text);
        }
        if (event == DELEGATION_FAILED)
                text_put_string(&play->events, play->delegation.why);
        play->is_open = play->is_open && event != DELEGATION_CLOSE;
}

static void tell(struct play *play, enum delegation_event event)
{
        struct span nothing = SPAN("");

        while (event != DELEGATION_WAITS && play->is_open) {
                note(play, event);
                event = delegation_input(&play->delegation, &nothing);
        }
}

static void hear(struct play *play, struct span octets, size_t most)
{
        while (octets.length > 0 && play->is_open) {
                size_t piece = octets.length < most ? octets.length : most;
                memcpy(play->unread + play->unread_length, octets.at, piece);
                octets = span_skip(octets, piece);
                struct span input = span_of(play->unread, play->unread_length + piece);
                enum delegation_event event;
                while (play->is_open &&
                       (event = delegation_input(&play->delegation, &input)) != DELEGATION_WAITS)
                        note(play, event);
                expect(input.length < DELEGATION_LINE_MAX);
                memmove(play->unread, input.at, input.length);
                play->unread_length = input.length;
        }
}

static void happen(struct play *play, char what)
{
        static const struct delegation_attribute attribute = {"helo_name", {"a\nb", 3}};
        struct delegation *delegation = &play->delegation;
        struct text out;

        text_over(&out, play->said, sizeof play->said);
        if (what == 1 && delegation_ask(delegation, &attribute, 1, &out))
                expect(span_equals(text_span(&out), SPAN("helo_name=a?b\n\n")));
        if (what == 2) {
                delegation->now_ms = delegation->deadline_ms;
                tell(play, delegation_timeout(delegation));
        }
        if (what == 3)
                tell(play, delegation_lost(delegation));
        if (what == 4 || what == 5)
                tell(play, delegation_stop(delegation, what == 5));
}

static void run(struct play *play, struct span input, size_t most)
{
        size_t said = 0;

        play->is_open = true;
        play->unread_length = 0;
        text_over(&play->events, play->event_octets, sizeof play->event_octets);
        memcpy(play->terms.patience_ms, delegation_patience_most_ms, sizeof delegation_patience_most_ms);
        delegation_begin(&play->delegation, &play->terms, 0);
        while (said < input.length && play->is_open) {
                char what = input.at[said++];
                if (what < 1 || what > 5)
                        continue;
                hear(play, span_of(input.at, said - 1), most);
                input = span_skip(input, said);
                said = 0;
                if (play->is_open)
                        happen(play, what);
                expect(!play->is_open || play->delegation.deadline_ms != UINT64_MAX);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static const size_t cuts[] = {1, 3, 50};
        struct span input = span_of((const char *)octets, length);

        if (length > INPUT_MAX)
                return 0;
        run(&whole, input, SIZE_MAX);
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                run(&cut, input, cuts[i]);
                expect(span_equals(text_span(&whole.events), text_span(&cut.events)));
        }
        return 0;
}
