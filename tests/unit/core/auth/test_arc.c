/* ARC: chains that are whole, altered, broken, too long; whom of a chain can be believed. */
#include "tests/auth/signer.h"
#include "tests/auth/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW     1700000000
#define ROOM    65536
#define MESSAGE "From: a@d.example\r\nTo: b@x.example\r\nSubject: Is it?\r\n\r\none\r\n"
#define ZONE                                                                                                 \
        "arc._domainkey.one.example TXT v=DKIM1; k=ed25519; p=" SIGNER_KEY "\n"                              \
        "arc._domainkey.two.example TXT v=DKIM1; k=ed25519; p=" SIGNER_KEY "\n"                              \
        "arc._domainkey.three.example TXT v=DKIM1; k=ed25519; p=" SIGNER_KEY "\n"

static struct auth_reader reader;
static struct world world;
static char octets[2][ROOM];

/* A chain of so many sets; before the one of number `altered` is made (0: none) Subject is made another. */
static struct span chain(unsigned sets, unsigned altered)
{
        static const char *const domains[] = {"one.example", "two.example", "three.example"};
        struct text text;

        text_over(&text, octets[0], ROOM);
        text_put_string(&text, MESSAGE);
        for (unsigned i = 1; i <= sets; i++) {
                struct span before = span_of(octets[(i + 1) % 2], text.length);
                if (i == altered)
                        *(char *)memmem(before.at, before.length, "Is it", 5) = 'X';
                text_over(&text, octets[i % 2], ROOM);
                signer_seal(&text, i, domains[(i - 1) % 3], i == 1 ? "none" : "pass",
                            i == 1 ? "spf=fail (x; dmarc=pass); dmarc=pass header.from=d.example"
                                   : "dmarc = fail",
                            before);
        }
        cr_assert(!text.overflowed);
        return text_span(&text);
}

static void judge(const char *zone, struct span text, size_t cut)
{
        world_begin(&world, span_from(zone), cut != 0);
        world_judge(&world, &reader, text, cut, NOW);
}

static void check(enum auth_result expected, unsigned oldest, const char *reason)
{
        cr_assert_eq(reader.arc.result, expected, "%s %s", auth_result_name(reader.arc.result),
                     reader.arc.reason);
        cr_assert_eq(reader.arc.oldest_pass, oldest, "%u", reader.arc.oldest_pass);
        cr_assert_str_eq(reader.arc.reason, reason);
        world_end(&world);
}

Test(auth_arc, none)
{
        judge(ZONE, SPAN(MESSAGE), 0);
        check(AUTH_NONE, 0, "");
        cr_assert_eq(world.asked, 0);
}

Test(auth_arc, whole_chains)
{
        for (unsigned sets = 1; sets <= ARC_SETS_MAX; sets++)
                for (size_t cut = 0; cut < 2; cut++) {
                        judge(ZONE, chain(sets, 0), cut * 17);
                        cr_assert_eq(reader.arc.count, sets);
                        cr_assert_leq(world.asked, 3);
                        check(AUTH_PASS, 1, "");
                }
        judge(ZONE, chain(ARC_SETS_MAX + 1, 0), 0);
        check(AUTH_POLICY, 0, "the chain has more sets than are judged");
        cr_assert_eq(world.asked, 0);
}

/* A list makes another message of it, and seals that: the chain stands, from there on. */
Test(auth_arc, altered_on_the_way)
{
        judge(ZONE, chain(3, 2), 0);
        check(AUTH_PASS, 2, "");
        judge(ZONE, chain(3, 3), 0);
        check(AUTH_PASS, 3, "");
}

/* After the last seal nothing may change that it, or its message signature, covers. */
Test(auth_arc, altered_after_the_last_seal)
{
        static char altered[ROOM];
        struct span text = chain(2, 0);
        size_t passed = 0;

        for (size_t i = 0; i < text.length; i++) {
                memcpy(altered, text.at, text.length);
                altered[i] ^= 1;
                judge(ZONE, span_of(altered, text.length), 0);
                passed += reader.arc.result == AUTH_PASS;
                world_end(&world);
        }
        /* To is signed, and so is all else but names of fields, whose case does not count, and white space. */
        cr_assert_leq(passed, 4, "%zu", passed);
}

static struct span replaced(struct span text, const char *what, const char *with)
{
        static char made[ROOM];
        const char *at = memmem(text.at, text.length, what, strlen(what));

        cr_assert_not_null(at);
        int length = snprintf(made, sizeof made, "%.*s%s%.*s", (int)(at - text.at), text.at, with,
                              (int)(text.length - (size_t)(at - text.at) - strlen(what)), at + strlen(what));
        return span_of(made, (size_t)length);
}

static const struct {
        const char *what, *with;
        const char *reason;
} breaks[] = {
    {"ARC-Seal: i=2", "X-Seal: i=2", "a set is not whole"},
    {"ARC-Seal: i=1", "X-Seal: i=1", "a set is not whole"},
    {"ARC-Message-Signature: i=1", "X: i=1", "a set is not whole"},
    {"ARC-Authentication-Results: i=1", "X: i=1", "a set is not whole"},
    {"ARC-Seal: i=2", "ARC-Seal: i=1", "a set has a field twice"},
    {"ARC-Seal: i=2", "ARC-Seal: i=0", "a field of ARC has no instance"},
    {"ARC-Seal: i=2", "ARC-Seal: i=51", "a field of ARC has no instance"},
    {"ARC-Seal: i=2", "ARC-Seal: j=2", "a field of ARC has no instance"},
    {"ARC-Seal: i=2", "ARC-Seal: i=2; h=from", "the seal has h= or bh="},
    {"cv=pass", "cv=none", "cv= does not fit its place in the chain"},
    {"cv=none", "cv=pass", "cv= does not fit its place in the chain"},
    {"cv=pass", "cv=fail", "a sealer has found the chain broken"},
    {"cv=pass", "cv=x", "cv= is unknown"},
    {"cv=pass; ", "", "a tag is missing"},
    {"h=from:to", "h=arc-seal:to", "h= names ARC-Seal"},
    {"h=from:to", "h=date:to", "From is not signed"},
    {"Is it", "Is xt", "the signature does not verify"},
    {"\r\none", "\r\ntwo", "the body was altered"},
    {"i=1; one.example; spf=fail", "i=1; one.example; spf=pass", "the signature does not verify"},
};

Test(auth_arc, broken_chains)
{
        for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
                judge(ZONE, replaced(chain(2, 0), breaks[i].what, breaks[i].with), i % 2);
                cr_assert_eq(reader.arc.result, AUTH_FAIL, "%s", breaks[i].with);
                cr_assert_str_eq(reader.arc.reason, breaks[i].reason, "%s", breaks[i].with);
                world_end(&world);
        }
}

Test(auth_arc, keys)
{
        judge("arc._domainkey.one.example TXT !\n" ZONE, chain(2, 0), 1);
        check(AUTH_TEMPERROR, 2, "DNS did not answer for the key");
        judge("", chain(2, 0), 1);
        check(AUTH_FAIL, 0, "there is no such key");
}

/* ---- trust --------------------------------------------------------------------------------------------- */

struct some {
        struct arc_trust trust; /* first */
        const char *domains;
};

static bool is_some(const struct arc_trust *trust, struct span sealer)
{
        return memmem(((const struct some *)trust)->domains, strlen(((const struct some *)trust)->domains),
                      sealer.at, sealer.length) != NULL;
}

static uint16_t trusted(const char *domains)
{
        struct some some = {{is_some}, domains};
        return arc_trusted_instance(&reader.arc, &some.trust);
}

Test(auth_arc, trust)
{
        judge(ZONE, chain(3, 0), 0);
        cr_assert_eq(trusted(""), 0);
        cr_assert_eq(trusted("one.example"), 1); /* nobody has altered what it covers */
        cr_assert_eq(trusted("three.example"), 3);
        cr_assert_eq(trusted("three.example two.example"), 2);
        cr_assert(arc_says_pass(&reader.arc, &reader.text.header, 1, SPAN("dmarc")));
        cr_assert_not(arc_says_pass(&reader.arc, &reader.text.header, 1, SPAN("spf")));
        cr_assert_not(arc_says_pass(&reader.arc, &reader.text.header, 2, SPAN("dmarc")));
        cr_assert_not(arc_says_pass(&reader.arc, &reader.text.header, 0, SPAN("dmarc")));
        cr_assert_not(arc_says_pass(&reader.arc, &reader.text.header, 4, SPAN("dmarc")));
        world_end(&world);
        /* The second one, who is not trusted, has made another message of it: what the first one saw is gone. */
        judge(ZONE, chain(3, 2), 0);
        cr_assert_eq(trusted("one.example"), 0);
        cr_assert_eq(trusted("one.example three.example"), 3);
        cr_assert_eq(trusted("one.example two.example three.example"), 1);
        world_end(&world);
        judge(ZONE, replaced(chain(3, 0), "Is it", "Is xt"), 0);
        cr_assert_eq(trusted("one.example two.example three.example"), 0);
        world_end(&world);
}

/* Sealers write what strangers have said between what they have found, and not all of them quote it. */
static const struct {
        const char *results;
        bool says_pass;
} sayings[] = {
    {"i=1; mx.example; spf=fail; dmarc=pass header.from=d.example", true},
    {"i=1; mx.example; DMARC = Pass(p=reject) header.from=d.example; arc=none", true},
    {"i=1; mx.example;\r\n\tdmarc=pass;\r\n\tdmarc=pass", true},
    {"i=1; mx.example; dmarc=passed", false},
    {"i=1; mx.example; xdmarc=pass", false},
    {"i=1; mx.example; spf=pass smtp.mailfrom=\"a; dmarc=pass\"@d.example", false},
    {"i=1; mx.example; spf=none (of a; dmarc=pass b)", false},
    {"i=1; mx.example; spf=none (of x) ; dmarc=pass (@d.example); dmarc=fail", false},
    {"i=1; mx.example; dmarc=fail; spf=none (of x) ; dmarc=pass", false},
    {"i=1; mx.example; spf=none (of x) ; dmarc=pass ((@d.example); dmarc=fail", false},
    {"i=1; mx.example; dmarc=pass; spf=none \"; dmarc=fail", false},
    {"i=1; mx.example; dmarc=pass; dmarc=", false},
};

Test(auth_arc, sayings)
{
        for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
                struct arc arc = {.count = 1};
                char text[512];
                snprintf(text, sizeof text, "ARC-Authentication-Results: %s\r\n\r\n", sayings[i].results);
                judge("", span_from(text), 0);
                cr_assert_eq(arc_says_pass(&arc, &reader.text.header, 1, SPAN("dmarc")), sayings[i].says_pass,
                             "%s", sayings[i].results);
                world_end(&world);
        }
}

/* What a chain can make us do grows with the square of its sets, of which there are sixteen at most. */
Test(auth_arc, bound_of_work)
{
        struct span text = chain(ARC_SETS_MAX, 0);

        judge(ZONE, text, 0);
        cr_assert(reader.arc.octets_digested > text.length &&
                  reader.arc.octets_digested < ARC_SETS_MAX * (uint64_t)text.length);
        check(AUTH_PASS, 1, "");
}
