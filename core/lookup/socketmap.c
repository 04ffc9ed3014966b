/* The dialogue of socketmap. */
#include "core/lookup/socketmap.h"

#include "core/base/expect.h"

#define DIGITS_MAX 4 /* of SOCKETMAP_ANSWER_MAX */

void socketmap_begin(struct socketmap *map)
{
        map->state = SOCKETMAP_IDLE;
        map->deadline_ms = UINT64_MAX;
        map->fault = NULL;
}

bool socketmap_ask(struct socketmap *map, struct span name, struct span key, uint64_t deadline_ms,
                   struct text *out)
{
        expect(map->state == SOCKETMAP_IDLE);
        expect(name.length > 0 && name.length <= SOCKETMAP_NAME_MAX && text_room(out) >= SOCKETMAP_OUT_ROOM);
        if (key.length > SOCKETMAP_KEY_MAX)
                return false;
        text_put_number(out, name.length + 1 + key.length);
        text_put_char(out, ':');
        text_put(out, name);
        text_put_char(out, ' ');
        text_put(out, key);
        text_put_char(out, ',');
        map->state = SOCKETMAP_IN_LENGTH;
        map->deadline_ms = deadline_ms;
        map->digits = map->wanted = map->taken = 0;
        return true;
}

enum socketmap_event socketmap_fail(struct socketmap *map, const char *fault)
{
        if (map->state == SOCKETMAP_OVER)
                return SOCKETMAP_BROKEN;
        map->state = SOCKETMAP_OVER;
        map->deadline_ms = UINT64_MAX;
        map->fact = FACT_FAILED;
        map->text = SPAN("");
        map->fault = fault;
        return SOCKETMAP_BROKEN;
}

/* No netstring begins with a 0, but for that of no octets, and no answer is that. */
static enum socketmap_event take_length(struct socketmap *map, struct span *input)
{
        char octet = input->at[0];

        *input = span_skip(*input, 1);
        if (octet == ':' && map->digits > 0) {
                map->state = SOCKETMAP_IN_OCTETS;
                return SOCKETMAP_WAITS;
        }
        if (!ascii_is_digit(octet) || (octet == '0' && map->digits == 0))
                return socketmap_fail(map, "the length of its answer is no number");
        map->wanted = (uint16_t)(map->wanted * 10 + (octet - '0'));
        if (++map->digits > DIGITS_MAX || map->wanted > SOCKETMAP_ANSWER_MAX)
                return socketmap_fail(map, "its answer is too long");
        return SOCKETMAP_WAITS;
}

static enum socketmap_event take_octets(struct socketmap *map, struct span *input)
{
        size_t missing = (size_t)(map->wanted - map->taken);
        size_t length = input->length < missing ? input->length : missing;

        memcpy(map->octets + map->taken, input->at, length);
        map->taken = (uint16_t)(map->taken + length);
        *input = span_skip(*input, length);
        if (map->taken == map->wanted)
                map->state = SOCKETMAP_AT_COMMA;
        return SOCKETMAP_WAITS;
}

static enum socketmap_event take_answer(struct socketmap *map)
{
        static const struct {
                const char *word;
                enum fact fact;
        } words[] = {{"OK", FACT_FOUND},
                     {"NOTFOUND", FACT_ABSENT},
                     {"TEMP", FACT_FAILED},
                     {"TIMEOUT", FACT_FAILED},
                     {"PERM", FACT_FAILED}};
        struct span rest = span_of(map->octets, map->wanted);
        struct span word = span_take_word(&rest);

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (span_equals(word, span_from(words[i].word))) {
                        map->state = SOCKETMAP_IDLE;
                        map->deadline_ms = UINT64_MAX;
                        map->fact = words[i].fact;
                        map->text = rest;
                        return SOCKETMAP_ANSWERED;
                }
        return socketmap_fail(map, "its answer begins with none of OK, NOTFOUND, TEMP, TIMEOUT and PERM");
}

static enum socketmap_event take_comma(struct socketmap *map, struct span *input)
{
        bool is_comma = input->at[0] == ',';

        *input = span_skip(*input, 1);
        return is_comma ? take_answer(map) : socketmap_fail(map, "its answer has no end where it should");
}

enum socketmap_event socketmap_input(struct socketmap *map, struct span *input)
{
        enum socketmap_event event = SOCKETMAP_WAITS;

        while (input->length > 0 && event == SOCKETMAP_WAITS)
                switch (map->state) {
                case SOCKETMAP_IDLE:
                        return socketmap_fail(map, "it speaks unasked");
                case SOCKETMAP_IN_LENGTH:
                        event = take_length(map, input);
                        break;
                case SOCKETMAP_IN_OCTETS:
                        event = take_octets(map, input);
                        break;
                case SOCKETMAP_AT_COMMA:
                        event = take_comma(map, input);
                        break;
                case SOCKETMAP_OVER:
                        return SOCKETMAP_BROKEN;
                }
        return event;
}
