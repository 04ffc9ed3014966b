/* What the tests of DKIM share: a message, the signer's key, and a judge. */
#pragma once

#include "tests/auth/signer.h"
#include "tests/auth/world.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW    1700000000
#define FIELDS "From: a@d.example\r\nTo: b@x.example\r\nTo: c@x.example\r\nSubject: Is it?\r\n"
#define BODY   "one\r\ntwo  three\r\n\r\n"
#define REST   FIELDS "\r\n" BODY
#define KEY    "s._domainkey.d.example TXT v=DKIM1; k=ed25519; p=" SIGNER_KEY "\n"
#define TAGS   "v=1; a=ed25519-sha256; d=d.example; s=s; c=relaxed/relaxed; h=from:to:subject"

static struct auth_reader reader;
static struct world world;

static inline void judge(const char *zone, struct span text, size_t cut)
{
        world_begin(&world, span_from(zone), cut != 0);
        world_judge(&world, &reader, text, cut, NOW);
}

static inline struct span sign(char *octets, size_t size, const char *tags, const char *rest)
{
        struct text text;

        text_over(&text, octets, size);
        signer_sign(&text, "DKIM-Signature", tags, span_from(rest));
        text_put_string(&text, rest);
        cr_assert(!text.overflowed);
        return text_span(&text);
}

static inline void check(enum auth_result expected, const char *reason, const char *what)
{
        const struct auth_signature *found = &reader.dkim.signatures[0];

        cr_assert_eq(reader.dkim.count, 1);
        cr_assert_eq(found->result, expected, "%s: %s (%s)", what, auth_result_name(found->result),
                     found->reason);
        cr_assert_str_eq(found->reason, reason, "%s", what);
}
