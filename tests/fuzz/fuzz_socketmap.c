/* Fuzzes what a socketmap daemon says. Whole and octet by octet it must lead to the same answers and the same end. */
#include "core/base/expect.h"
#include "core/lookup/socketmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

struct end {
        unsigned found, absent, failed;
        uint64_t sum; /* of the octets of all answers */
        const char *fault;
};

static void note(struct end *end, const struct socketmap *map)
{
        end->found += map->fact == FACT_FOUND;
        end->absent += map->fact == FACT_ABSENT;
        end->failed += map->fact == FACT_FAILED;
        for (size_t i = 0; i < map->text.length; i++)
                end->sum = end->sum * 31 + (unsigned char)map->text.at[i];
}

static void ask(struct socketmap *map)
{
        char octets[SOCKETMAP_OUT_ROOM];
        struct text out;

        text_over(&out, octets, sizeof octets);
        expect(socketmap_ask(map, SPAN("rcpt"), SPAN("alice@isp.example"), 1, &out) && !out.overflowed);
}

static struct end play(const uint8_t *octets, size_t length, size_t piece)
{
        struct span all = {(const char *)octets, length};
        struct socketmap map;
        struct end end = {0};

        socketmap_begin(&map);
        ask(&map);
        while (all.length > 0) {
                struct span input = span_of(all.at, all.length < piece ? all.length : piece);
                size_t given = input.length;
                enum socketmap_event event = socketmap_input(&map, &input);
                expect(event != SOCKETMAP_WAITS || input.length == 0);
                if (event == SOCKETMAP_BROKEN)
                        break;
                all = span_skip(all, given - input.length);
                if (event == SOCKETMAP_ANSWERED) {
                        note(&end, &map);
                        ask(&map);
                }
        }
        socketmap_fail(&map, "it has closed");
        expect(map.fact == FACT_FAILED && map.deadline_ms == UINT64_MAX);
        end.fault = map.fault;
        return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct end whole = play(octets, length, SIZE_MAX), pieces = play(octets, length, 1);

        expect(whole.found == pieces.found && whole.absent == pieces.absent && whole.failed == pieces.failed);
        expect(whole.sum == pieces.sum && whole.fault == pieces.fault);
        return 0;
}
