/* What a message can make DKIM do is so much and no more: counted in fields and octets, not in time. */
#include "tests/unit/core/auth/dkim_fixture.h"

/* ---- bounds -------------------------------------------------------------------------------------------- */

/* Octets repeated so often, for a text that ends in `rest`. */
static struct span repeat(const char *what, size_t count, const char *rest)
{
        size_t length = strlen(what);
        char *octets = malloc(length * count + strlen(rest) + 1);

        cr_assert_not_null(octets);
        for (size_t i = 0; i < count; i++)
                memcpy(octets + i * length, what, length);
        memcpy(octets + length * count, rest, strlen(rest));
        return span_of(octets, length * count + strlen(rest));
}

static uint64_t work(void)
{
        uint64_t sum = 0;
        for (size_t i = 0; i < reader.dkim.count; i++)
                sum += reader.dkim.signatures[i].fields_looked_at + reader.dkim.signatures[i].octets_digested;
        return sum;
}

Test(auth_dkim_bounds, ten_thousand_signatures)
{
        char octets[8192];
        struct span text = sign(octets, sizeof octets, TAGS, "");
        octets[text.length] = '\0';

        /* Within the bound of fields eight are judged, and asked for with one question. */
        struct span many = repeat(octets, 300, REST);
        judge(KEY, many, 0);
        cr_assert(reader.dkim.count == DKIM_SIGNATURES_MAX && reader.dkim.seen == 300 && world.asked <= 1);
        cr_assert_leq(work(), 8 * 4096);
        free((char *)many.at);
        world_end(&world);
        /* Beyond it none is. */
        many = repeat(octets, 10000, REST);
        judge(KEY, many, 0);
        cr_assert(reader.dkim.count == DKIM_SIGNATURES_MAX && world.asked == 0 && work() == 0);
        cr_assert_eq(dkim_result(&reader.dkim), AUTH_POLICY);
        cr_assert_lt(world.arena.total, 1 << 20);
        free((char *)many.at);
        world_end(&world);
}

Test(auth_dkim_bounds, a_hundred_thousand_names)
{
        struct span names = repeat("from:", 100000, "to; bh=" SIGNER_KEY "; b=QUJD\r\n" REST);
        char *octets = malloc(names.length + 200);

        cr_assert_not_null(octets);
        int begin = sprintf(octets, "DKIM-Signature: v=1; a=ed25519-sha256; d=d.example; s=s; h=");
        memcpy(octets + begin, names.at, names.length);
        judge(KEY, span_of(octets, (size_t)begin + names.length), 0);
        /* The header is too large to be kept; so nothing is known of it. */
        cr_assert(world.asked == 0 && work() == 0 && dkim_result(&reader.dkim) != AUTH_PASS);
        world_end(&world);
        /* As many as a field of 16 KiB has. */
        judge(KEY, span_of(octets, (size_t)begin + 5 * 3000), 0);
        cr_assert(world.asked == 0 && work() == 0);
        cr_assert_eq(dkim_result(&reader.dkim), AUTH_NEUTRAL); /* cut off: a tag is missing */
        world_end(&world);
        free(octets);
        free((char *)names.at);
}

Test(auth_dkim_bounds, as_many_names_as_are_judged)
{
        char tags[4096], octets[16384];
        int length = sprintf(tags, "v=1; a=ed25519-sha256; d=d.example; s=s; c=relaxed/relaxed; h=from");

        for (unsigned i = 1; i < SIGNATURE_NAMES_MAX; i++)
                length += sprintf(tags + length, ":x-%u", i);
        judge(KEY, sign(octets, sizeof octets, tags, REST), 0);
        check(AUTH_PASS, "", "128 names");
        world_end(&world);
        sprintf(tags + length, ":x");
        judge(KEY, sign(octets, sizeof octets, tags, REST), 0);
        check(AUTH_POLICY, "h= has more names than are judged", "129 names");
        cr_assert_eq(world.asked, 0);
        world_end(&world);
}

/* A record of a megabyte, which no resolver of ours would keep: it is not read. */
Test(auth_dkim_bounds, a_megabyte_of_key)
{
        struct span key = repeat("A", 1 << 20, "");
        char *zone = malloc(key.length + 200), octets[8192];

        cr_assert_not_null(zone);
        int begin = sprintf(zone, "s._domainkey.d.example TXT k=ed25519; p=");
        memcpy(zone + begin, key.at, key.length);
        zone[(size_t)begin + key.length] = '\0';
        judge(zone, sign(octets, sizeof octets, TAGS, REST), 0);
        check(AUTH_PERMERROR, "the key record is too long", "a megabyte");
        world_end(&world);
        free(zone);
        free((char *)key.at);
}

/* All in one: what a message can make us do is so much and no more. */
Test(auth_dkim_bounds, the_dearest_message)
{
        static char octets[AUTH_HEADER_MAX + 1000], field[4096];
        int length = sprintf(
            field, "DKIM-Signature: v=1; a=ed25519-sha256; d=d.example; s=s; "
                   "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=QUJD; c=relaxed/relaxed; h=from");
        struct text text;

        for (unsigned i = 1; i < SIGNATURE_NAMES_MAX; i++)
                length += sprintf(field + length, ":x");
        text_over(&text, octets, sizeof octets);
        for (unsigned i = 0; i < DKIM_SIGNATURES_MAX; i++) {
                text_put_string(&text, field);
                text_put_string(&text, "\r\n");
        }
        text_put_string(&text, "From: a@d.example\r\n");
        while (text.length < 120000 && text.length / 240 < 490)
                text_printf(&text, "X: %0230d\r\n", 1);
        text_put_string(&text, "\r\n");
        judge(KEY, text_span(&text), 0);
        cr_assert_eq(dkim_result(&reader.dkim), AUTH_FAIL, "%s", reader.dkim.signatures[0].reason);
        for (size_t i = 0; i < reader.dkim.count; i++) {
                cr_assert_leq(reader.dkim.signatures[i].fields_looked_at,
                              SIGNATURE_NAMES_MAX * AUTH_FIELDS_MAX);
                cr_assert_leq(reader.dkim.signatures[i].octets_digested, AUTH_HEADER_MAX);
        }
        cr_assert(work() > 100000 && world.asked == 1);
        world_end(&world);
}

Test(auth_dkim_bounds, memory_that_is_out_is_no_fault_of_the_field)
{
        static const char field[] =
            "DKIM-Signature: " TAGS "; i=@d.example; bh=" SIGNER_KEY "; b=QUJD\r\n\r\n";
        struct span octets = span_of(field, sizeof field - 1);
        struct auth_signature signature;
        struct auth_header header;
        struct block_pool pool;
        struct arena arena;

        block_pool_init(&pool, 16384, 0);
        arena_init(&arena, &pool, 1 << 20);
        auth_header_init(&header, &arena);
        auth_header_read(&header, &octets);
        cr_assert(header.is_over && auth_header_is_kept(&header));
        signature_parse(&header, 0, SIGNATURE_DKIM, &signature);
        cr_assert_eq(signature.result, AUTH_WAIT, "%s", signature.reason);
        /* d=, s= and i= are made in the arena: whichever has no room, tomorrow it may. */
        arena.limit = arena.total;
        while (arena_take(&arena, 8) != NULL)
                ;
        signature_parse(&header, 0, SIGNATURE_DKIM, &signature);
        cr_assert_eq(signature.result, AUTH_TEMPERROR);
        cr_assert_str_eq(signature.reason, "memory is out");
        arena_end(&arena);
        block_pool_end(&pool);
}
