/* One zone, one message. */
#include "tests/auth/world.h"

#include "core/base/address.h"
#include "core/base/expect.h"

static struct span take(struct span *rest, char end)
{
        size_t at = span_find(*rest, end);
        struct span taken = span_of(rest->at, at == SIZE_MAX ? rest->length : at);
        *rest = span_skip(*rest, taken.length + 1);
        return taken;
}

static struct dns_answer find(const struct world *world, const struct dns_question *question,
                              struct arena *arena)
{
        struct dns_record *records = arena_take(arena, WORLD_RECORDS_MAX * sizeof *records);
        struct dns_answer answer = {.fact = FACT_ABSENT, .is_nxdomain = true, .records = records};

        expect(records != NULL);
        for (struct span rest = world->zone; rest.length > 0;) {
                struct span line = take(&rest, '\n'), name = take(&line, ' '), type = take(&line, ' ');
                if (!span_equals(name, question->name) && !span_equals(name, SPAN("*")))
                        continue;
                answer.is_nxdomain = false;
                if (!span_equals(type, span_from(dns_type_name(question->type))))
                        continue;
                if (span_equals(line, SPAN("!")))
                        return (struct dns_answer){.fact = FACT_FAILED};
                if (answer.record_count < WORLD_RECORDS_MAX)
                        records[answer.record_count++] = (struct dns_record){.data = arena_copy(arena, line)};
        }
        if (answer.record_count > 0)
                answer.fact = FACT_FOUND;
        return answer;
}

static enum fact ask(struct dns_source *source, const struct dns_question *question,
                     const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct world *world = (struct world *)source;

        (void)asker;
        world->asked++;
        if (world->is_late) {
                expect(world->waiting_count < WORLD_QUESTIONS_MAX);
                world->waiting[world->waiting_count++] = *question;
                return FACT_PENDING;
        }
        *ret_answer = find(world, question, arena);
        return ret_answer->fact;
}

void world_begin(struct world *world, struct span zone, bool is_late)
{
        *world = (struct world){.source.ask = ask, .zone = zone, .is_late = is_late};
        block_pool_init(&world->pool, 16384, 4);
        arena_init(&world->arena, &world->pool, 16 << 20);
        memo_init(&world->memo, &world->arena, &world->source, 1, WORLD_QUESTIONS_MAX);
}

void world_end(struct world *world)
{
        arena_end(&world->arena);
        block_pool_end(&world->pool);
}

bool world_answer(struct world *world)
{
        if (world->waiting_count == 0)
                return false;
        struct dns_question question = world->waiting[--world->waiting_count];
        struct dns_answer answer = find(world, &question, &world->arena);
        memo_settle(&world->memo, &question, &answer);
        return true;
}

void world_judge(struct world *world, struct auth_reader *reader, struct span text, size_t cut, int64_t now_s)
{
        memset(reader, 0x5a, sizeof *reader); /* nothing may lean on zeros */
        auth_reader_init(reader, &world->arena);
        while (text.length > 0) {
                struct span piece = span_of(text.at, cut == 0 || cut > text.length ? text.length : cut);
                auth_reader_read(reader, piece);
                auth_reader_ask(reader, &world->memo);
                text = span_skip(text, piece.length);
        }
        auth_reader_end(reader);
        while (!auth_reader_judge(reader, &world->memo, now_s))
                expect(world_answer(world));
}

void world_dmarc(struct world *world, const struct dmarc_request *request, struct dmarc_verdict *ret_verdict)
{
        while (dmarc_evaluate(request, &world->memo, ret_verdict), ret_verdict->result == AUTH_WAIT)
                expect(world_answer(world));
}

void world_check_results(const struct auth_reader *reader, const struct dmarc_author *author,
                         const struct dmarc_verdict *verdict, struct span hostile)
{
        struct auth_results results = {.server = SPAN("mx.example"),
                                       .iprev = "fail",
                                       .client = SPAN("192.0.2.1"),
                                       .spf = "fail",
                                       .mail_from = hostile,
                                       .dkim = &reader->dkim,
                                       .author = author,
                                       .dmarc = verdict,
                                       .arc = &reader->arc};
        char octets[AUTH_RESULTS_MAX];
        struct text field;

        text_over(&field, octets, sizeof octets);
        auth_results_write(&field, &results);
        expect(!field.overflowed && span_ends_nocase(text_span(&field), SPAN("\r\n")));
        for (size_t i = 0; i < field.length; i++) {
                char c = field.at[i];
                expect((c >= ' ' && c < 0x7f) || c == '\r' || c == '\n' || c == '\t');
                expect(c != '\n' ||
                       (field.at[i - 1] == '\r' && (i + 1 == field.length || field.at[i + 1] == '\t')));
        }
}
