/* SPF: mechanisms, modifiers and explanations (RFC 7208 4.6.2, 4.7, 5, 6). */
#include "tests/unit/core/check/spf/fixture.h"

#define ZONE                                                                                                 \
        "d.example A 192.0.2.7\n"                                                                            \
        "d.example AAAA 2001:db8::7\n"                                                                       \
        "d.example MX mx1.example\n"                                                                         \
        "d.example MX mx2.example\n"                                                                         \
        "mx1.example A 192.0.2.10\n"                                                                         \
        "mx2.example A 192.0.2.20\n"                                                                         \
        "mx2.example AAAA 2001:db8:2::20\n"                                                                  \
        "null.example MX \n"                                                                                 \
        "half.example MX mx1.example\n"                                                                      \
        "half.example MX dead.example\n"                                                                     \
        "dead.example A !\n"                                                                                 \
        "dead.example MX !\n"                                                                                \
        "dead.example TXT !\n"                                                                               \
        "only6.example AAAA 2001:db8::66\n"                                                                  \
        "listed.example A 127.0.0.2\n"                                                                       \
        "pass.example TXT v=spf1 ip4:192.0.2.1 exp=other.example -all\n"                                     \
        "soft.example TXT v=spf1 ~all\n"                                                                     \
        "neutral.example TXT v=spf1\n"                                                                       \
        "bad.example TXT v=spf1 nonsense\n"                                                                  \
        "twice.example TXT v=spf1\n"                                                                         \
        "twice.example TXT v=spf1\n"                                                                         \
        "inner.example TXT v=spf1 include:pass.example ?all\n"                                               \
        "implicit.example TXT v=spf1 a -all\n"                                                               \
        "implicit.example A 192.0.2.30\n"                                                                    \
        "hop.example TXT v=spf1 redirect=implicit.example\n"                                                 \
        "1.2.0.192.in-addr.arpa PTR a.host.example\n"                                                        \
        "1.2.0.192.in-addr.arpa PTR liar.d.example\n"                                                        \
        "a.host.example A 192.0.2.1\n"                                                                       \
        "liar.d.example A 192.0.2.99\n"                                                                      \
        "2.2.0.192.in-addr.arpa PTR !\n"                                                                     \
        "3.2.0.192.in-addr.arpa PTR dead.example\n"                                                          \
        "3.2.0.192.in-addr.arpa PTR D.example\n"                                                             \
        "d.example A 192.0.2.3\n"                                                                            \
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.d.example\n"       \
        "six.d.example AAAA 2001:db8::1\n"

static const struct spf_case qualifiers[] = {
    {NULL, "192.0.2.1", "none "},
    {"v=spf1 all", "192.0.2.1", "pass all"},
    {"v=spf1 -all", "192.0.2.1", "fail -all"},
    {"v=spf1 ~all", "192.0.2.1", "softfail ~all"},
    {"v=spf1 ?all", "192.0.2.1", "neutral ?all"},
    {"v=spf1 ?ip4:192.0.2.1 -all", "192.0.2.1", "neutral ?ip4:192.0.2.1"},
    {"v=spf1 ip4:192.0.2.2", "192.0.2.1", "neutral default"},
    {"v=spf1 ~ip4:192.0.2.0/24 -ip4:192.0.2.1 +all", "192.0.2.1", "softfail ~ip4:192.0.2.0/24"},
};

Test(spf_evaluate, qualifiers)
{
        SPF_CHECK_CASES(ZONE, qualifiers);
}

/* 5.6 */
static const struct spf_case networks[] = {
    {"v=spf1 ip4:192.0.2.1 -all", "192.0.2.1", "pass"},
    {"v=spf1 ip4:192.0.2.1 -all", "192.0.2.2", "fail"},
    {"v=spf1 ip4:192.0.2.99/24 -all", "192.0.2.1", "pass"}, /* host bits do not matter */
    {"v=spf1 ip4:192.0.2.0/31 -all", "192.0.2.2", "fail"},
    {"v=spf1 ip4:128.0.0.0/1 -all", "192.0.2.1", "pass"},
    {"v=spf1 ip4:10.0.0.0/0 -all", "192.0.2.1", "pass ip4:10.0.0.0/0"},
    {"v=spf1 ip4:10.0.0.0/0 -all", "2001:db8::1", "fail"},
    {"v=spf1 ip6:::/0 -all", "2001:db8::1", "pass ip6:::/0"},
    {"v=spf1 ip6:::/0 -all", "192.0.2.1", "fail"},
    {"v=spf1 ip6:2001:db8::/33 -all", "2001:db8:7fff::1", "pass"},
    {"v=spf1 ip6:2001:db8::/33 -all", "2001:db8:8000::1", "fail"},
    /* IPv4-mapped clients are IPv4, and such networks hold nobody */
    {"v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1", "pass"},
    {"v=spf1 ip6:::ffff:192.0.2.1 ip6:::ffff:0:0/96 -all", "::ffff:192.0.2.1", "fail"},
    {"v=spf1 ip6:::ffff:0:0/96 -all", "192.0.2.1", "fail"},
    {"v=spf1 ip6:::ffff:192.0.2.1/0 -all", "192.0.2.1", "fail"},
    /* but wider ones hold IPv6, whatever their host bits say */
    {"v=spf1 ip6:::ffff:192.0.2.1/0 -all", "2001:db8::1", "pass"},
    {"v=spf1 ip6:::ffff:192.0.2.1/80 -all", "::1", "pass"},
    {"v=spf1 ip6:::ffff:192.0.2.1/81 -all", "::1", "fail"},
    /* no free ride for loopback */
    {"v=spf1 ip4:127.0.0.2 -all", "127.0.0.1", "fail"},
    {"v=spf1 ip4:127.0.0.0/8 -all", "127.0.0.1", "pass"},
    {"v=spf1 -all", "127.0.0.1", "fail"},
    {"v=spf1 -all", "::1", "fail"},
    {"v=spf1 ip6:::1 -all", "::1", "pass"},
    {"v=spf1 a -all", "127.0.0.1", "fail"},
};

Test(spf_evaluate, networks)
{
        SPF_CHECK_CASES(ZONE, networks);
}

/* 5.3, 5.4, 5.7 */
static const struct spf_case names[] = {
    {"v=spf1 a -all", "192.0.2.7", "pass a"},
    {"v=spf1 a -all", "192.0.2.8", "fail"},
    {"v=spf1 a -all", "2001:db8::7", "pass"},
    {"v=spf1 a/28 -all", "192.0.2.14", "pass a/28"},
    {"v=spf1 a/29 -all", "192.0.2.14", "fail"},
    {"v=spf1 a/28//64 -all", "2001:db8::dead", "pass"},
    {"v=spf1 a/28 -all", "2001:db8::dead", "fail"},
    {"v=spf1 a//0 -all", "2001:db9::1", "pass"},
    {"v=spf1 a/0 -all", "203.0.113.1", "pass"},
    {"v=spf1 a:only6.example/0 -all", "203.0.113.1", "fail"},
    {"v=spf1 a:only6.example//0 -all", "203.0.113.1", "fail"},
    {"v=spf1 a:only6.example -all", "2001:db8::66", "pass"},
    {"v=spf1 A:D.Example. -all", "192.0.2.7", "pass A:D.Example."},
    {"v=spf1 a:nowhere.example/0 -all", "192.0.2.7", "fail"},
    {"v=spf1 a:dead.example all", "192.0.2.7", "temperror "},
    {"v=spf1 a:x..example -all", "192.0.2.7", "fail"}, /* no name to ask for: no match */
    {"v=spf1 mx -all", "192.0.2.20", "pass mx"},
    {"v=spf1 mx -all", "192.0.2.7", "fail"}, /* no implicit MX here */
    {"v=spf1 mx:implicit.example -all", "192.0.2.30", "fail"},
    {"v=spf1 mx//48 -all", "2001:db8:2::1", "pass"},
    {"v=spf1 mx/0 -all", "203.0.113.1", "pass"},
    {"v=spf1 mx:null.example/0 -all", "203.0.113.1", "fail"},
    {"v=spf1 mx:dead.example -all", "192.0.2.10", "temperror"},
    {"v=spf1 mx:half.example -all", "192.0.2.10", "pass"},
    {"v=spf1 mx:half.example -all", "192.0.2.11", "temperror"},
    {"v=spf1 exists:listed.example -all", "192.0.2.1", "pass exists:listed.example"},
    {"v=spf1 exists:listed.example -all", "2001:db8::1", "pass"},
    {"v=spf1 exists:only6.example -all", "2001:db8::66", "fail"},
    {"v=spf1 exists:dead.example -all", "192.0.2.1", "temperror"},
};

Test(spf_evaluate, names)
{
        SPF_CHECK_CASES(ZONE, names);
}

/* 5.5: only names that lead back count; what fails is passed over */
static const struct spf_case ptr[] = {
    {"v=spf1 ptr:host.example -all", "192.0.2.1", "pass ptr:host.example"},
    {"v=spf1 ptr:a.host.example -all", "192.0.2.1", "pass"},
    {"v=spf1 ptr:st.example -all", "192.0.2.1", "fail"},
    {"v=spf1 ptr:b.a.host.example -all", "192.0.2.1", "fail"},
    {"v=spf1 ptr -all", "192.0.2.1", "fail"},
    {"v=spf1 ptr -all", "192.0.2.2", "fail"},
    {"v=spf1 ptr a:dead.example -all", "192.0.2.2", "temperror"},
    {"v=spf1 ptr -all", "192.0.2.3", "pass"},
    {"v=spf1 ptr -all", "192.0.2.4", "fail"},
    {"v=spf1 ptr:unknown -all", "192.0.2.4", "permerror"},
    {"v=spf1 ptr -all", "2001:db8::1", "pass"},
};

Test(spf_evaluate, ptr)
{
        SPF_CHECK_CASES(ZONE, ptr);
}

/* 5.2, 6.1 */
static const struct spf_case others[] = {
    {"v=spf1 -include:pass.example all", "192.0.2.1", "fail -include:pass.example"},
    {"v=spf1 include:pass.example ?all", "192.0.2.2", "neutral ?all"},
    {"v=spf1 include:soft.example -all", "192.0.2.2", "fail -all"},
    {"v=spf1 include:neutral.example -all", "192.0.2.2", "fail -all"},
    {"v=spf1 include:inner.example -all", "192.0.2.1", "pass include:inner.example"},
    {"v=spf1 include:implicit.example -all", "192.0.2.30", "pass"},
    {"v=spf1 include:implicit.example -all", "192.0.2.7", "fail"},
    {"v=spf1 include:hop.example -all", "192.0.2.30", "pass"},
    {"v=spf1 include:bad.example all", "192.0.2.1", "permerror "},
    {"v=spf1 include:twice.example all", "192.0.2.1", "permerror"},
    {"v=spf1 include:nowhere.example all", "192.0.2.1", "permerror"},
    {"v=spf1 include:x..example all", "192.0.2.1", "permerror"},
    {"v=spf1 include:dead.example all", "192.0.2.1", "temperror"},
    {"v=spf1 redirect=implicit.example", "192.0.2.30", "pass a"},
    {"v=spf1 redirect=implicit.example", "192.0.2.7", "fail -all"},
    {"v=spf1 redirect=implicit.example ?all", "192.0.2.7", "neutral ?all"},
    {"v=spf1 redirect=implicit.example a", "192.0.2.7", "pass a"},
    {"v=spf1 redirect=hop.example", "192.0.2.30", "pass"},
    {"v=spf1 redirect=neutral.example", "192.0.2.30", "neutral default"},
    {"v=spf1 redirect=nowhere.example", "192.0.2.30", "permerror"},
    {"v=spf1 redirect=bad.example", "192.0.2.30", "permerror"},
    {"v=spf1 redirect=dead.example", "192.0.2.30", "temperror"},
};

Test(spf_evaluate, include_and_redirect)
{
        SPF_CHECK_CASES(ZONE, others);
}

/* 6.2 */
#define TEXTS                                                                                                \
        ZONE "why.example TXT %{i} is not ours\n"                                                            \
             "other.example TXT wrong\n"                                                                     \
             "many.example TXT one\n"                                                                        \
             "many.example TXT two\n"                                                                        \
             "ill.example TXT 100%\n"                                                                        \
             "latin.example TXT nein, \xfc"                                                                  \
             "berhaupt nicht\n"                                                                              \
             "empty.example TXT \n"                                                                          \
             "own.example TXT v=spf1 exp=why.example -all\n"                                                 \
             "dead.example TXT !\n"

static const struct {
        struct spf_case policy;
        const char *explanation;
} explanations[] = {
    {{"v=spf1 -all exp=why.example", "192.0.2.1", "fail"}, "192.0.2.1 is not ours"},
    {{"v=spf1 exp=why.example -all", "192.0.2.1", "fail"}, "192.0.2.1 is not ours"},
    {{"v=spf1 exp=why.example ~all", "192.0.2.1", "softfail"}, ""},
    {{"v=spf1 -all", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=nowhere.example", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=dead.example", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=many.example", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=ill.example", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=latin.example", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=empty.example", "192.0.2.1", "fail"}, ""},
    {{"v=spf1 -all exp=x..example", "192.0.2.1", "fail"}, ""},
    /* an include's is not used, a redirect's is */
    {{"v=spf1 -include:pass.example all exp=why.example", "192.0.2.1", "fail"}, "192.0.2.1 is not ours"},
    {{"v=spf1 exp=other.example redirect=own.example", "192.0.2.1", "fail"}, "192.0.2.1 is not ours"},
    {{"v=spf1 exp=why.example redirect=implicit.example", "192.0.2.1", "fail"}, ""},
    /* its lookup counts for nothing */
    {{"v=spf1 a a a a a a a a a a exp=why.example -all", "192.0.2.1", "fail"}, "192.0.2.1 is not ours"},
    {{"v=spf1 a:n1.example a:n2.example exp=n3.example -all", "192.0.2.1", "fail"}, ""},
};

Test(spf_evaluate, explanations)
{
        for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++) {
                char more[512];
                struct spf_request request =
                    spf_request_for(explanations[i].policy.client, "helo.example", "user@d.example");
                snprintf(more, sizeof more, "d.example TXT %s\n", explanations[i].policy.record);
                spf_check(TEXTS, more, &request, explanations[i].policy.expected,
                          explanations[i].explanation);
        }
        block_pool_end(&spf_pool);
}
