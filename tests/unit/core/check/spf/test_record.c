/* SPF: which record counts and what it must look like (RFC 7208 3, 4.3 to 4.6.1, 12). */
#include "tests/unit/core/check/spf/fixture.h"

#define ZONE                                                                                                 \
        "host.example A 192.0.2.1\n"                                                                         \
        "x.d.example A 192.0.2.1\n"                                                                          \
        "example A 192.0.2.1\n"                                                                              \
        "two.example TXT v=spf1 -all\n"                                                                      \
        "two.example TXT v=spf1 +all\n"                                                                      \
        "case.example TXT V=SPF1 -ALL\n"                                                                     \
        "noise.example TXT v=spf10 +all\n"                                                                   \
        "noise.example TXT some v=spf1 +all\n"                                                               \
        "noise.example TXT v=spf1 -all\n"                                                                    \
        "noise.example TXT \xc3\xa4\n"                                                                       \
        "only-noise.example TXT v=spf1+all\n"                                                                \
        "dead.example TXT !\n"                                                                               \
        "xn--bcher-kva.example TXT v=spf1 -all\n"                                                            \
        "single TXT v=spf1 +all\n"                                                                           \
        "192.0.2.1 TXT v=spf1 +all\n"                                                                        \
        "a123456789a123456789a123456789a123456789a123456789a123456789abc.example TXT v=spf1 -all\n"

/* 4.3, 4.4, 4.5 */
static const struct {
        const char *helo, *sender, *expected;
} identities[] = {
    {"helo.example", "u@two.example", "permerror "},
    {"helo.example", "u@case.example", "fail -ALL"},
    {"helo.example", "u@CASE.Example", "fail -ALL"},
    {"helo.example", "u@case.example.", "fail -ALL"},
    {"helo.example", "u@noise.example", "fail -all"},
    {"helo.example", "u@only-noise.example", "none "},
    {"helo.example", "u@nowhere.example", "none "},
    {"helo.example", "u@dead.example", "temperror "},
    {"helo.example",
     "u@b\xc3\xbc"
     "cher.example",
     "fail -all"},
    {"helo.example", "u@\xff.example", "none "},
    {"helo.example", "u@single", "none "},
    {"helo.example", "u@single.", "none "},
    {"helo.example", "u@", "none "},
    {"helo.example", "u@.case.example", "none "},
    {"helo.example", "u@case..example", "none "},
    {"helo.example", "u@[192.0.2.1]", "none "},
    {"helo.example", "u@a123456789a123456789a123456789a123456789a123456789a123456789abc.example",
     "fail -all"},
    {"helo.example", "u@a123456789a123456789a123456789a123456789a123456789a123456789abcd.example", "none "},
    /* 2.4: the null sender stands for postmaster@HELO */
    {"case.example", "", "fail -ALL"},
    {"case.example", "@noise.example", "fail -all"},
    {"nowhere.example", "", "none "},
    {"[192.0.2.1]", "", "none "},
    {"single", "", "none "},
    {"", "", "none "},
};

Test(spf_record, identities)
{
        for (size_t i = 0; i < sizeof identities / sizeof *identities; i++) {
                struct spf_request request =
                    spf_request_for("198.51.100.1", identities[i].helo, identities[i].sender);
                spf_check(ZONE, "", &request, identities[i].expected, NULL);
        }
        block_pool_end(&spf_pool);
}

/* What is ill-formed is so wherever it stands, behind a match too (4.6). */
static const struct spf_case grammar[] = {
    {"v=spf1", "192.0.2.1", "neutral default"},
    {"v=spf1 ", "192.0.2.1", "neutral default"},
    {"v=spf1   a:host.example   -all  ", "192.0.2.1", "pass a:host.example"},
    {"v=spf1 +all", "192.0.2.1", "pass +all"},
    {"v=spf1 all nonsense", "192.0.2.1", "permerror "},
    {"v=spf1 all -", "192.0.2.1", "permerror"},
    {"v=spf1 all --all", "192.0.2.1", "permerror"},
    {"v=spf1 all\t-all", "192.0.2.1", "permerror"},
    {"v=spf1 all \x01", "192.0.2.1", "permerror"},
    {"v=spf1 all \xc3\xa4", "192.0.2.1", "permerror"},
    {"v=spf1 all a:h\xc3\xa4.example", "192.0.2.1", "permerror"},
    {"v=spf1 all all.", "192.0.2.1", "permerror"},
    {"v=spf1 all all:", "192.0.2.1", "permerror"},
    {"v=spf1 all all/8", "192.0.2.1", "permerror"},
    {"v=spf1 all all:d.example", "192.0.2.1", "permerror"},
    /* domain-spec */
    {"v=spf1 all a:", "192.0.2.1", "permerror"},
    {"v=spf1 all a:/24", "192.0.2.1", "permerror"},
    {"v=spf1 all a:example", "192.0.2.1", "permerror"},
    {"v=spf1 all a:example.", "192.0.2.1", "permerror"},
    {"v=spf1 all a:host.example..", "192.0.2.1", "permerror"},
    {"v=spf1 all a:192.0.2.1", "192.0.2.1", "permerror"},
    {"v=spf1 all a:host.123", "192.0.2.1", "permerror"},
    {"v=spf1 all a:host.-com", "192.0.2.1", "permerror"},
    {"v=spf1 all a:host.com-", "192.0.2.1", "permerror"},
    {"v=spf1 all a:host.c_m", "192.0.2.1", "permerror"},
    {"v=spf1 all a:host.example:25", "192.0.2.1", "permerror"},
    {"v=spf1 all a:%{d}com", "192.0.2.1", "permerror"},
    {"v=spf1 all a:%{d}.com", "192.0.2.1", "pass all"},
    {"v=spf1 all a:host.1-2", "192.0.2.1", "pass all"},
    {"v=spf1 all a:host.xn--p1ai.", "192.0.2.1", "pass all"},
    {"v=spf1 all a:a/b:c.example", "192.0.2.1", "pass all"},
    {"v=spf1 all include", "192.0.2.1", "permerror"},
    {"v=spf1 all include:", "192.0.2.1", "permerror"},
    {"v=spf1 all include:host.example/24", "192.0.2.1", "permerror"},
    {"v=spf1 all exists", "192.0.2.1", "permerror"},
    {"v=spf1 all exists/24", "192.0.2.1", "permerror"},
    {"v=spf1 all ptr:", "192.0.2.1", "permerror"},
    {"v=spf1 all ptr/24", "192.0.2.1", "permerror"},
    {"v=spf1 all mx:", "192.0.2.1", "permerror"},
    {"v=spf1 all mxx", "192.0.2.1", "permerror"},
    {"v=spf1 all a=host.example", "192.0.2.1", "pass all"}, /* an unknown modifier */
    /* cidr-length */
    {"v=spf1 all a/0 a/32 a//0 a//128 a/0//0 mx/9//99", "192.0.2.1", "pass all"},
    {"v=spf1 all a/33", "192.0.2.1", "permerror"},
    {"v=spf1 all a//129", "192.0.2.1", "permerror"},
    {"v=spf1 all a/024", "192.0.2.1", "permerror"},
    {"v=spf1 all a//064", "192.0.2.1", "permerror"},
    {"v=spf1 all a/24/64", "192.0.2.1", "permerror"},
    {"v=spf1 all a//64/24", "192.0.2.1", "permerror"},
    {"v=spf1 all a///64", "192.0.2.1", "permerror"},
    {"v=spf1 all a/", "192.0.2.1", "permerror"},
    {"v=spf1 all a//", "192.0.2.1", "permerror"},
    {"v=spf1 all a/2 4", "192.0.2.1", "permerror"},
    {"v=spf1 all a/-1", "192.0.2.1", "permerror"},
    {"v=spf1 all a/4294967296", "192.0.2.1", "permerror"},
    /* networks */
    {"v=spf1 all ip4", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4/24", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2.256", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2.01", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2.1/33", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2.1/032", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2.1//32", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:192.0.2.1:25", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:2001:db8::1", "192.0.2.1", "permerror"},
    {"v=spf1 all ip4:%{i}", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:192.0.2.1", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:2001:db8::/129", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:2001:db8::g", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:1::2::3", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:[2001:db8::1]", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:fe80::1%eth0", "192.0.2.1", "permerror"},
    {"v=spf1 all ip6:::/0 ip6:::192.0.2.1 ip6:2001:DB8::/32", "192.0.2.1", "pass all"},
    /* modifiers */
    {"v=spf1 all x=", "192.0.2.1", "pass all"},
    {"v=spf1 all x.y-z_1=a:b/c=%{d}%%", "192.0.2.1", "pass all"},
    {"v=spf1 all default=deny", "192.0.2.1", "pass all"},
    {"v=spf1 all x=%", "192.0.2.1", "permerror"},
    {"v=spf1 all x=%{z}", "192.0.2.1", "permerror"},
    {"v=spf1 all =x", "192.0.2.1", "permerror"},
    {"v=spf1 all 1x=y", "192.0.2.1", "permerror"},
    {"v=spf1 all +x=y", "192.0.2.1", "permerror"},
    {"v=spf1 all -redirect=host.example", "192.0.2.1", "permerror"},
    {"v=spf1 all redirect:host.example", "192.0.2.1", "permerror"},
    {"v=spf1 all redirect", "192.0.2.1", "permerror"},
    {"v=spf1 all redirect=", "192.0.2.1", "permerror"},
    {"v=spf1 all redirect=x", "192.0.2.1", "permerror"},
    {"v=spf1 all exp=", "192.0.2.1", "permerror"},
    {"v=spf1 all exp=%{c}.example", "192.0.2.1", "permerror"},
    {"v=spf1 all exp=a.example EXP=b.example", "192.0.2.1", "permerror"},
    {"v=spf1 all redirect=a.example Redirect=a.example", "192.0.2.1", "permerror"},
    {"v=spf1 all exp=a.example redirect=a.example x=1 x=1", "192.0.2.1", "pass all"},
};

Test(spf_record, grammar)
{
        SPF_CHECK_CASES(ZONE, grammar);
}
