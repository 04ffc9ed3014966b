/* The body goes into those digests that a signature wants; without signatures it costs nothing. */
#include "core/auth/reader.h"

void auth_reader_init(struct auth_reader *reader, struct arena *arena)
{
        reader->text.wants[CANON_SIMPLE] = reader->text.wants[CANON_RELAXED] = false;
        reader->is_parsed = reader->skips_arc = false;
        auth_header_init(&reader->text.header, arena);
        reader->dkim.count = reader->dkim.seen = 0;
}

static void parse(struct auth_reader *reader)
{
        reader->is_parsed = true;
        dkim_begin(&reader->dkim, &reader->text);
        if (!reader->skips_arc)
                arc_begin(&reader->arc, &reader->text);
        for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
                if (reader->text.wants[canon])
                        body_digest_init(&reader->text.bodies[canon], canon);
}

void auth_reader_read(struct auth_reader *reader, struct span octets)
{
        if (!reader->is_parsed) {
                auth_header_read(&reader->text.header, &octets);
                if (!reader->text.header.is_over)
                        return;
                parse(reader);
        }
        for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
                if (reader->text.wants[canon])
                        body_digest_add(&reader->text.bodies[canon], octets);
}

void auth_reader_end(struct auth_reader *reader)
{
        if (!reader->is_parsed) {
                auth_header_end(&reader->text.header);
                parse(reader);
        }
        for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
                if (reader->text.wants[canon])
                        body_digest_end(&reader->text.bodies[canon]);
}

void auth_reader_ask(const struct auth_reader *reader, struct memo *memo)
{
        if (!reader->is_parsed)
                return;
        dkim_ask(&reader->dkim, memo);
        if (!reader->skips_arc)
                arc_ask(&reader->arc, memo);
}

bool auth_reader_judge(struct auth_reader *reader, struct memo *memo, int64_t now_s)
{
        bool has_dkim = dkim_judge(&reader->dkim, &reader->text, memo, now_s);
        bool has_arc = reader->skips_arc || arc_judge(&reader->arc, &reader->text, memo, now_s);

        return has_dkim && has_arc;
}
