/* The table of actions, and codes beside it. */
#include "core/delegation/action.h"

#include "conf/replies.h"
#include "core/mail/field_name.h"

#define CODE_LENGTH 3

enum action_text { TEXT_MAY, TEXT_FIELD };

static const struct action {
        const char *word;
        enum delegation_verdict verdict;
        uint16_t code;
        const char *enhanced;
        enum action_text text;
} actions[] = {
#define ACTION(word, verdict, code, enhanced, text) {word, DELEGATION_##verdict, code, enhanced, TEXT_##text},
#include "core/delegation/actions.def"
#undef ACTION
};

static bool put_text(struct delegation_answer *answer, struct span words)
{
        struct text text;

        text_over(&text, answer->text, sizeof answer->text - 1);
        text_put_printable(&text, words, true);
        return !text.overflowed;
}

/* The words may begin with an enhanced code, which has to be of the class of the code. */
static const char *put_reply(struct delegation_answer *answer, uint16_t code, const char *enhanced,
                             struct span words)
{
        size_t length = enhanced_code_length(words);

        answer->code = code;
        span_copy_cut(span_from(enhanced), answer->enhanced, sizeof answer->enhanced);
        if (code > 0 && length > 0) {
                if (words.at[0] - '0' != code / 100)
                        return "its enhanced code is of another class";
                span_copy_cut(span_of(words.at, length), answer->enhanced, sizeof answer->enhanced);
                words = span_trim(span_skip(words, length));
        }
        return put_text(answer, words) ? NULL : "its text is too long";
}

static const char *put_field(struct delegation_answer *answer, struct span field)
{
        size_t colon = span_find(field, ':');
        struct span name = span_of(field.at, colon == SIZE_MAX ? 0 : colon);
        struct span value = span_trim(span_skip(field, name.length + 1));

        if (!field_name_is_valid(name, DELEGATION_NAME_MAX))
                return "its field has no name";
        if (value.length == 0)
                return "its field has no value";
        span_copy_cut(name, answer->name, sizeof answer->name);
        if (name.length + 2 + value.length > DELEGATION_TEXT_MAX || !put_text(answer, value))
                return "its field is too long";
        return NULL;
}

/* 4xx or 5xx; 0: it is none. */
static uint16_t code_of(struct span word)
{
        uint64_t code;

        if (word.length != CODE_LENGTH || !span_number(word, &code) || code < 400 || code > 599)
                return 0;
        return (uint16_t)code;
}

static const char *read_code(struct delegation_answer *answer, uint16_t code, struct span words)
{
        answer->verdict = code < 500 ? DELEGATION_DEFERS : DELEGATION_REJECTS;
        return put_reply(answer, code, code < 500 ? "4.7.1" : "5.7.1", words);
}

const char *delegation_action_read(struct span action, struct delegation_answer *ret_answer)
{
        struct delegation_answer answer = {0};
        struct span words = span_trim(action), word = span_take_word(&words);
        uint16_t code = code_of(word);
        const char *fault = "an action that is unknown here";

        words = span_trim(words);
        if (code > 0)
                fault = read_code(&answer, code, words);
        for (size_t i = 0; code == 0 && i < sizeof actions / sizeof actions[0]; i++) {
                if (!span_equals_nocase(word, span_from(actions[i].word)))
                        continue;
                answer.verdict = actions[i].verdict;
                fault = actions[i].text == TEXT_FIELD
                            ? put_field(&answer, words)
                            : put_reply(&answer, actions[i].code, actions[i].enhanced, words);
        }
        if (fault == NULL)
                *ret_answer = answer;
        return fault;
}
