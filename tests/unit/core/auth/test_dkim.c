/* DKIM: the examples of RFC 6376 A and RFC 8463 A, and what a signature and a key may say. */
#include "tests/unit/core/auth/dkim_fixture.h"

/* ---- examples ------------------------------------------------------------------------------------------ */

static const char example_keys[] = "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; "
                                   "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                   "test._domainkey.football.example.com TXT v=DKIM1; k=rsa; "
                                   "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
                                   "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/"
                                   "byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4h"
                                   "stT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
                                   "brisbane._domainkey.example.com TXT v=DKIM1; "
                                   "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/Dk"
                                   "MoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/"
                                   "RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY"
                                   "9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB\n";

static const char rfc8463[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                              " d=football.example.com; i=@football.example.com;\r\n"
                              " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                              " subject : date : message-id : from : subject : date;\r\n"
                              " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                              " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
                              " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
                              "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                              " d=football.example.com; i=@football.example.com;\r\n"
                              " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                              " date : message-id : from : subject : date;\r\n"
                              " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                              " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
                              " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
                              " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
                              "From: Joe SixPack <joe@football.example.com>\r\n"
                              "To: Suzie Q <suzie@shopping.example.net>\r\n"
                              "Subject: Is dinner ready?\r\n"
                              "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                              "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                              "\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

static const char rfc6376[] = "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
                              "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
                              "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
                              "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                              "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"
                              "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"
                              "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"
                              "      4bmp/YzhwvcubU4=;\r\n"
                              "Received: from client1.football.example.com  [192.0.2.1]\r\n"
                              "      by submitserver.example.com with SUBMISSION;\r\n"
                              "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n"
                              "From: Joe SixPack <joe@football.example.com>\r\n"
                              "To: Suzie Q <suzie@shopping.example.net>\r\n"
                              "Subject: Is dinner ready?\r\n"
                              "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                              "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                              "\r\nHi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";

Test(auth_dkim, examples_in_any_pieces)
{
        for (size_t cut = 0; cut < 80; cut++) {
                judge(example_keys, span_from(rfc8463), cut);
                cr_assert_eq(reader.dkim.count, 2);
                cr_assert_eq(reader.dkim.signatures[0].result, AUTH_PASS, "%s",
                             reader.dkim.signatures[0].reason);
                cr_assert_eq(reader.dkim.signatures[1].result, AUTH_PASS, "%s",
                             reader.dkim.signatures[1].reason);
                cr_assert_eq(reader.dkim.signatures[1].key_bits, 1024);
                cr_assert(span_equals(reader.dkim.signatures[0].domain, SPAN("football.example.com")));
                world_end(&world);
                judge(example_keys, span_from(rfc6376), cut);
                cr_assert_eq(dkim_result(&reader.dkim), AUTH_PASS, "%s", reader.dkim.signatures[0].reason);
                world_end(&world);
        }
}

/* Any octet of the simple form that changes makes another message of it. What is not signed is the field that is
 * judged:
 * what stands behind b=, and letters of tags that mean the same. */
Test(auth_dkim, examples_altered_anywhere)
{
        static char altered[sizeof rfc6376];
        size_t from = (size_t)(strstr(rfc6376, "Received:") - rfc6376), passed = 0;

        for (size_t i = 0; i < sizeof rfc6376 - 1; i++) {
                memcpy(altered, rfc6376, sizeof altered);
                altered[i] ^= 1;
                judge(example_keys, span_from(altered), 0);
                passed += dkim_result(&reader.dkim) == AUTH_PASS;
                cr_assert(i < from || dkim_result(&reader.dkim) != AUTH_PASS, "at %zu", i);
                world_end(&world);
        }
        /* The last digit of b= has two bits of no meaning. */
        cr_assert_eq(passed, 1);
}

/* ---- signatures ---------------------------------------------------------------------------------------- */

static const struct {
        const char *tags;
        enum auth_result expected;
        const char *reason;
} signatures[] = {
    {TAGS, AUTH_PASS, ""},
    {"v=1; a=ed25519-sha256; d=d.example; s=s; h=from:to:subject", AUTH_PASS, ""},
    {"v=1; a=ed25519-sha256; d=d.example; s=s; c=relaxed; h=from", AUTH_PASS, ""},
    {"v=1; a=ed25519-sha256; d=D.Example; s=S; c=simple/relaxed; h=FROM : To :\r\n subject", AUTH_PASS, ""},
    /* oversigned: what is not there is signed as well */
    {TAGS ":from:to:to:to:reply-to", AUTH_PASS, ""},
    {TAGS "; unknown=1; z=From:a", AUTH_PASS, ""},
    {TAGS "; i=x@mail.d.example", AUTH_PASS, ""},
    {TAGS "; i=@D.example", AUTH_PASS, ""},
    {TAGS "; i=@xd.example", AUTH_PERMERROR, "i= is not within d="},
    {TAGS "; i=@example", AUTH_PERMERROR, "i= is not within d="},
    {TAGS "; i=d.example", AUTH_NEUTRAL, "i= is no mailbox"},
    {TAGS "; q=dns/txt", AUTH_PASS, ""},
    {TAGS "; q=x/y : dns/txt", AUTH_PASS, ""},
    {TAGS "; q=http", AUTH_NEUTRAL, "the key is not in DNS"},
    {TAGS "; t=1699999999; x=1700000000", AUTH_PASS, ""},
    {TAGS "; t=1699999998; x=1699999999", AUTH_FAIL, "the signature has expired"},
    {TAGS "; t=1700000300", AUTH_PASS, ""},
    {TAGS "; t=1700000301", AUTH_POLICY, "the signature is of the future"},
    {TAGS "; t=1700000001; x=1700000000", AUTH_NEUTRAL, "it expires before it was signed"},
    {TAGS "; t=x", AUTH_NEUTRAL, "t= is no time"},
    {TAGS "; x=-1", AUTH_NEUTRAL, "x= is no time"},
    {TAGS "; x=99999999999999999999", AUTH_NEUTRAL, "x= is no time"},
    {TAGS "; l=16", AUTH_PASS, ""}, /* all of it, in its canonical form */
    {TAGS "; l=15", AUTH_POLICY, "the signature covers a part of the body only"},
    {TAGS "; l=0", AUTH_POLICY, "the signature covers a part of the body only"},
    {TAGS "; l=17", AUTH_FAIL, "the body is shorter than what was signed"},
    {TAGS "; l=", AUTH_NEUTRAL, "l= is no number"},
    {TAGS "; v=1", AUTH_NEUTRAL, "a tag stands twice"},
    {TAGS "; x", AUTH_NEUTRAL, "the field is no list of tags"},
    {"v=2; a=ed25519-sha256; d=d.example; s=s; h=from", AUTH_NEUTRAL,
     "the version of the signature is unknown"},
    {"a=ed25519-sha256; d=d.example; s=s; h=from", AUTH_NEUTRAL, "a tag is missing"},
    {"v=1; d=d.example; s=s; h=from", AUTH_NEUTRAL, "a tag is missing"},
    {"v=1; a=ed25519-sha256; s=s; h=from", AUTH_NEUTRAL, "a tag is missing"},
    {"v=1; a=ed25519-sha256; d=d.example; h=from", AUTH_NEUTRAL, "a tag is missing"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s", AUTH_NEUTRAL, "a tag is missing"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s; h=to:subject", AUTH_PERMERROR, "From is not signed"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s; h=", AUTH_NEUTRAL, "h= is empty"},
    {"v=1; a=rsa-sha1; d=d.example; s=s; h=from", AUTH_FAIL, "rsa-sha1 is no longer a signature"},
    {"v=1; a=rsa-md5; d=d.example; s=s; h=from", AUTH_NEUTRAL, "the algorithm of the signature is unknown"},
    {"v=1; a=rsa-sha256; d=d.example; s=s; h=from", AUTH_PERMERROR, "the key is one for another algorithm"},
    {"v=1; a=ed25519-sha256; d=d..example; s=s; h=from", AUTH_NEUTRAL, "d= is no domain"},
    {"v=1; a=ed25519-sha256; d=; s=s; h=from", AUTH_NEUTRAL, "d= is no domain"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s/t; h=from", AUTH_NEUTRAL, "s= is no selector"},
    {"v=1; a=ed25519-sha256; d=d.example; s=; h=from", AUTH_NEUTRAL, "s= is no selector"},
    {"v=1; a=ed25519-sha256; d=d.example; s=none; h=from", AUTH_PERMERROR, "there is no such key"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s..; h=from", AUTH_PERMERROR, "there is no such key"},
    {"v=1; a=ed25519-sha256; d=d.example; s=dead; h=from", AUTH_TEMPERROR, "DNS did not answer for the key"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s; c=nofws; h=from", AUTH_NEUTRAL,
     "the canonical form is unknown"},
    {"v=1; a=ed25519-sha256; d=d.example; s=s; c=simple/; h=from", AUTH_NEUTRAL,
     "the canonical form is unknown"},
};

Test(auth_dkim, what_a_signature_says)
{
        char octets[8192];

        for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
                for (size_t cut = 0; cut < 2; cut++) {
                        struct span text = sign(octets, sizeof octets, signatures[i].tags, REST);
                        judge(KEY "dead._domainkey.d.example TXT !\n", text, cut);
                        check(signatures[i].expected, signatures[i].reason, signatures[i].tags);
                        world_end(&world);
                }
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

#define RSA "v=1; a=rsa-sha256; d=d.example; s=s; h=from; c=relaxed/relaxed"

static const struct {
        const char *record, *tags;
        enum auth_result expected;
        const char *reason;
} keys[] = {
    {"k=ed25519; p=" SIGNER_KEY, TAGS, AUTH_PASS, ""},
    {"v=DKIM1;k=ed25519;p=" SIGNER_KEY ";", TAGS, AUTH_PASS, ""},
    {"p=" SIGNER_KEY "; k=ed25519; n=a note; h=sha1:sha256; s=x:email; t=y:s", TAGS, AUTH_PASS, ""},
    {"k=ed25519; s=*; p=" SIGNER_KEY, TAGS, AUTH_PASS, ""},
    {"k=ed25519; s=tlsrpt; p=" SIGNER_KEY, TAGS, AUTH_PERMERROR, "the key is not for mail"},
    {"k=ed25519; h=sha1; p=" SIGNER_KEY, TAGS, AUTH_PERMERROR, "the key is not for SHA-256"},
    {"k=ed25519; p=", TAGS, AUTH_PERMERROR, "the key is revoked"},
    {"v=DKIM1; k=ed25519", TAGS, AUTH_PERMERROR, "the key record has no key"},
    {"v=DKIM2; k=ed25519; p=" SIGNER_KEY, TAGS, AUTH_PERMERROR, "the key record has another version"},
    {"k=ed25519; v=DKIM1; p=" SIGNER_KEY, TAGS, AUTH_PERMERROR, "the key record has another version"},
    {"k=ed25519; p=" SIGNER_KEY "; p=" SIGNER_KEY, TAGS, AUTH_PERMERROR, "the key record is ill-formed"},
    {"k=ed25519; p=!!", TAGS, AUTH_PERMERROR, "the key is no base64, or too long"},
    {"k=ed25519; p=QUJD", TAGS, AUTH_PERMERROR, "the key is no Ed25519 key"},
    {"k=ed25519; t=s; p=" SIGNER_KEY, TAGS "; i=@d.example", AUTH_PASS, ""},
    {"k=ed25519; t=s; p=" SIGNER_KEY, TAGS "; i=@x.d.example", AUTH_PERMERROR,
     "i= is another domain than d="},
    {"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", TAGS, AUTH_FAIL,
     "the signature does not verify"},
    {"k=ed25519; t=y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", TAGS, AUTH_NEUTRAL,
     "the signature does not verify"},
    {"something else", TAGS, AUTH_PERMERROR, "the key record is ill-formed"},
    {"p=QUJD", RSA, AUTH_PERMERROR, "the key is no RSA key"},
};

Test(auth_dkim, what_a_key_says)
{
        char octets[8192], zone[4096];

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                struct span text = sign(octets, sizeof octets, keys[i].tags, REST);
                snprintf(zone, sizeof zone, "s._domainkey.d.example TXT %s\n", keys[i].record);
                judge(zone, text, 0);
                check(keys[i].expected, keys[i].reason, keys[i].record);
                world_end(&world);
        }
}

/* Of several records the first one that would be a key. */
Test(auth_dkim, several_records)
{
        char octets[8192];
        struct span text = sign(octets, sizeof octets, TAGS, REST);

        judge("s._domainkey.d.example TXT v=spf1 -all\n" KEY "s._domainkey.d.example TXT p=\n", text, 0);
        check(AUTH_PASS, "", "several");
        world_end(&world);
}

static void put_der(struct text *out, char type, struct span value)
{
        text_put_char(out, type);
        if (value.length >= 256)
                text_put(out, SPAN("\x82"));
        else if (value.length >= 128)
                text_put(out, SPAN("\x81"));
        if (value.length >= 256)
                text_put_char(out, (char)(value.length >> 8));
        text_put_char(out, (char)value.length);
        text_put(out, value);
}

/* RSAPublicKey (RFC 8017 A.1.1) of a modulus of so many octets, and of an exponent that is given in DER. */
static enum auth_result rsa_read(size_t modulus, struct span exponent, struct auth_key *key)
{
        char octets[700], whole_octets[700], number[600] = {0}, record[1000] = "p=";
        const char *reason = "";
        struct text inner, whole;

        memset(number + 1, 0xa5, modulus);
        text_over(&inner, octets, sizeof octets);
        put_der(&inner, 0x02, span_of(number, modulus + 1));
        text_put(&inner, exponent);
        text_over(&whole, whole_octets, sizeof whole_octets);
        put_der(&whole, 0x30, text_span(&inner));
        EVP_EncodeBlock((unsigned char *)record + 2, (unsigned char *)whole.at, (int)whole.length);
        return auth_key_read(span_from(record), KEY_RSA, key, &reason);
}

/* Bits and exponents out of bounds, and lengths that lie. */
Test(auth_dkim, rsa_keys)
{
        static const struct {
                size_t modulus;
                struct span exponent;
                enum auth_result expected;
        } rsas[] = {
            {128, {"\x02\x03\x01\x00\x01", 5}, AUTH_PASS},
            {512, {"\x02\x03\x01\x00\x01", 5}, AUTH_PASS},
            {127, {"\x02\x03\x01\x00\x01", 5}, AUTH_POLICY},
            {513, {"\x02\x03\x01\x00\x01", 5}, AUTH_POLICY},
            {256, {"\x02\x01\x03", 3}, AUTH_PASS},
            {256, {"\x02\x01\x01", 3}, AUTH_POLICY},
            {256, {"\x02\x01\x04", 3}, AUTH_POLICY},
            {256, {"\x02\x05\x01\x00\x00\x00\x01", 7}, AUTH_POLICY},
            {256, {"\x02\x01\x83", 3}, AUTH_PERMERROR}, /* negative */
            {256, {"\x02\x01\x00", 3}, AUTH_PERMERROR},
            {256, {"\x02\x00", 2}, AUTH_PERMERROR},
            {256, {"\x02\x7f\x01", 3}, AUTH_PERMERROR},     /* longer than what there is */
            {256, {"\x02\x81\x01\x03", 4}, AUTH_PERMERROR}, /* a length that has a shorter form */
            {256, {"\x03\x03\x01\x00\x01", 5}, AUTH_PERMERROR},
            {256, {"\x02\x01\x03\x02\x01\x03", 6}, AUTH_PERMERROR},
            {256, {"", 0}, AUTH_PERMERROR},
        };
        struct auth_key key;

        for (size_t i = 0; i < sizeof rsas / sizeof *rsas; i++) {
                enum auth_result found = rsa_read(rsas[i].modulus, rsas[i].exponent, &key);
                cr_assert_eq(found, rsas[i].expected, "%zu: %s", i, auth_result_name(found));
                cr_assert(found != AUTH_PASS || key.bits == 8 * rsas[i].modulus);
        }
}

/* ---- order of fields ----------------------------------------------------------------------------------- */

/* Names take fields from the bottom up (5.4.2): one that is added on top of those signed shows only if oversigned. */
Test(auth_dkim, fields_on_top)
{
        static const struct {
                const char *names;
                enum auth_result expected;
        } cases[] = {{"from:to", AUTH_PASS}, {"from:to:to", AUTH_PASS}, {"from:to:to:to", AUTH_FAIL}};
        char octets[8192], all[8192];

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char tags[200];
                snprintf(tags, sizeof tags,
                         "v=1; a=ed25519-sha256; d=d.example; s=s; c=relaxed/relaxed; h=%s", cases[i].names);
                struct span text = sign(octets, sizeof octets, tags, REST);
                int length =
                    snprintf(all, sizeof all, "To: evil@x.example\r\n%.*s", (int)text.length, text.at);
                judge(KEY, span_of(all, (size_t)length), 0);
                cr_assert_eq(reader.dkim.signatures[0].result, cases[i].expected, "%s", cases[i].names);
                world_end(&world);
        }
}
