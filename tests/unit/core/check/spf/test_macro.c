/* Macros of SPF (RFC 7208 7): values, transformers, escaping, truncation; bounds of hostile ones. */
#include "core/check/spf/macro.h"
#include "tests/unit/core/check/spf/fixture.h"

static struct spf_macro_values values_for(const char *client)
{
        struct spf_macro_values values = {.local = SPAN("Anna-Maria.von+list"),
                                          .sender_domain = SPAN("news.Shop.example"),
                                          .helo = SPAN("out.shop.example"),
                                          .receiver = SPAN("mx.receiver.example"),
                                          .domain = SPAN("_spf.shop.example"),
                                          .validated = SPAN("unknown"),
                                          .now_s = 1700000000};
        cr_assert(address_parse(span_from(client), &values.client));
        return values;
}

static const struct {
        const char *string, *client, *expected;
} expansions[] = {
    {"", "192.0.2.3", ""},
    {"plain text, 100%% %_|%-|", "192.0.2.3", "plain text, 100%  |%20|"},
    {"%{l}", "192.0.2.3", "Anna-Maria.von+list"},
    {"%{s}", "192.0.2.3", "Anna-Maria.von+list@news.Shop.example"},
    {"%{o} %{d} %{h} %{p}", "192.0.2.3", "news.Shop.example _spf.shop.example out.shop.example unknown"},
    {"%{i} %{c} %{v}", "192.0.2.3", "192.0.2.3 192.0.2.3 in-addr"},
    {"%{i} %{c} %{v}", "::ffff:192.0.2.3", "192.0.2.3 192.0.2.3 in-addr"},
    {"%{c} %{v}", "2001:DB8::cb01", "2001:db8::cb01 ip6"},
    {"%{i}", "2001:db8::cb01", "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1"},
    {"%{ir}", "2001:db8::cb01", "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2"},
    {"%{r} %{t}", "192.0.2.3", "mx.receiver.example 1700000000"},
    {"%{d1} %{d2} %{d3} %{d4} %{d999999999999}", "192.0.2.3",
     "example shop.example _spf.shop.example _spf.shop.example _spf.shop.example"},
    {"%{dr} %{d1r} %{d2R}", "192.0.2.3", "example.shop._spf _spf shop._spf"},
    {"%{ir}.%{v}._spf", "192.0.2.3", "3.2.0.192.in-addr._spf"},
    {"%{l-} %{l+} %{l.-+}", "192.0.2.3", "Anna.Maria.von+list Anna-Maria.von.list Anna.Maria.von.list"},
    {"%{lr-} %{l1r-} %{l1-}", "192.0.2.3", "Maria.von+list.Anna Anna Maria.von+list"},
    {"%{l,/_=}", "192.0.2.3", "Anna-Maria.von+list"},
    {"%{L} %{S}", "192.0.2.3", "Anna-Maria.von%2Blist Anna-Maria.von%2Blist%40news.Shop.example"},
    {"%{C}", "2001:db8::1", "2001%3Adb8%3A%3A1"},
    {"%{O1R} %{D2}", "192.0.2.3", "news shop.example"},
};

Test(spf_macro, expansions)
{
        for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++) {
                struct spf_macro_values values = values_for(expansions[i].client);
                struct span string = span_from(expansions[i].string);
                char octets[256];
                struct text text;

                text_over(&text, octets, sizeof octets);
                cr_expect(spf_macro_is_valid(string, true, 40), "%s", expansions[i].string);
                spf_macro_expand(string, &values, &text);
                cr_expect(span_equals(text_span(&text), span_from(expansions[i].expected)), "%s gives %.*s",
                          expansions[i].string, (int)text.length, text.at);
        }
}

static const char *const ill_formed[] = {
    "%",      "a%",      "%a",    "%(d)",   "%{",     "%{}",    "%{d",     "%{a}",  "%{d0}",
    "%{d00}", "%{dr2}",  "%{rd}", "%{d r}", "%{d-r}", "%{d;}",  "%{d-.;}", "%{dd}", "%{d2rr}",
    "%{-d}",  "%{\xe4}", "\xe4",  "\x7f",   "\t",     "%{d}\n", "%\xe4",
};

Test(spf_macro, ill_formed)
{
        for (size_t i = 0; i < sizeof ill_formed / sizeof *ill_formed; i++)
                cr_expect(!spf_macro_is_valid(span_from(ill_formed[i]), true, 40), "%s", ill_formed[i]);
        cr_expect(!spf_macro_is_valid(SPAN("a\0b"), true, 40));
        /* only in explanations */
        cr_expect(!spf_macro_is_valid(SPAN("a b"), false, 40));
        cr_expect(!spf_macro_is_valid(SPAN("%{c}"), false, 40));
        cr_expect(!spf_macro_is_valid(SPAN("%{R}"), false, 40));
        cr_expect(!spf_macro_is_valid(SPAN("%{t}"), false, 40));
        cr_expect(spf_macro_is_valid(SPAN("%{d}%{d}"), false, 2));
        cr_expect(!spf_macro_is_valid(SPAN("%{d}%{d}%%"), false, 2));
}

/* 7.3: labels are cut on the left until 253 octets are left. */
Test(spf_macro, long_names)
{
        struct spf_macro_values values = values_for("192.0.2.3");
        char label[65], buffer[SPF_NAME_MAX + 2], spec[512];

        for (size_t length = 1; length <= 64; length++) {
                memset(label, 'a', length);
                label[length] = '\0';
                values.local = span_from(label);
                for (int dot = 0; dot < 2; dot++) {
                        snprintf(spec, sizeof spec, "%s.%%{l}.%%{l}.%%{l}.%%{l}.%%{l}.example%s", label,
                                 dot ? "." : "");
                        struct span name = spf_macro_expand_name(span_from(spec), &values, buffer);
                        size_t kept = (SPF_NAME_MAX - 7) / (length + 1);
                        kept = kept > 6 ? 6 : kept;
                        cr_expect(name.length == kept * (length + 1) + 7, "%zu of %zu", name.length, length);
                        cr_expect(name.at[0] == 'a' && span_ends_nocase(name, SPAN("a.example")));
                }
        }
        memset(spec, 'b', 300);
        snprintf(spec + 300, sizeof spec - 300, "%%{o}");
        struct span name = spf_macro_expand_name(span_from(spec), &values, buffer);
        cr_expect(span_equals(name, SPAN("Shop.example")), "%.*s", (int)name.length, name.at);
        snprintf(spec + 300, sizeof spec - 300, "%%%%");
        cr_expect(spf_macro_expand_name(span_from(spec), &values, buffer).length == 0);
        values.validated = SPAN("");
        cr_expect(spf_macro_expand_name(SPAN("%{p}"), &values, buffer).length == 0);
}

#define ZONE                                                                                                 \
        "1.2.0.192.in-addr.arpa PTR far.example\n"                                                           \
        "1.2.0.192.in-addr.arpa PTR in.d.example\n"                                                          \
        "far.example A 192.0.2.1\n"                                                                          \
        "in.d.example A 192.0.2.1\n"                                                                         \
        "2.2.0.192.in-addr.arpa PTR in.d.example\n"                                                          \
        "2.2.0.192.in-addr.arpa PTR d.example\n"                                                             \
        "d.example A 192.0.2.2\n"                                                                            \
        "in.d.example A 192.0.2.2\n"                                                                         \
        "3.2.0.192.in-addr.arpa PTR far.example\n"                                                           \
        "in.d.example.p.example A 127.0.0.2\n"                                                               \
        "d.example.p.example A 127.0.0.2\n"                                                                  \
        "unknown.p.example A 127.0.0.2\n"                                                                    \
        "d.example.r.example TXT v=spf1 ~all\n"                                                              \
        "user.l.example A 127.0.0.2\n"                                                                       \
        "p.text.example TXT %{p}\n"                                                                          \
        "s.text.example TXT %{s} %{h}\n"

/* 7.3: the name that is or is below the current domain comes first. */
static const struct spf_case places[] = {
    {"v=spf1 exists:%{p}.p.example -all", "192.0.2.1", "pass"},
    {"v=spf1 exists:%{p3}.p.example -all", "192.0.2.1", "pass"},
    {"v=spf1 exists:%{p2}.nowhere.example exists:%{P}.p.example -all", "192.0.2.2", "pass"},
    {"v=spf1 exists:%{p}.p.example -all", "192.0.2.3", "pass"},
    {"v=spf1 exists:%{p}.p.example -all", "192.0.2.4", "pass"},
    {"v=spf1 exists:%{l}.l.%{d1} -all", "192.0.2.4", "pass"},
    {"v=spf1 exists:%{l}.l.%{d2} -all", "192.0.2.4", "fail"},
    {"v=spf1 redirect=%{o1}", "192.0.2.4", "permerror"},
    {"v=spf1 redirect=%{p}.r.example", "192.0.2.2", "softfail ~all"},
    {"v=spf1 -all exp=%{p}.r.example", "192.0.2.2", "fail"},
};

Test(spf_macro, places)
{
        SPF_CHECK_CASES(ZONE, places);
}

static const struct {
        const char *client, *helo, *sender, *text, *explanation;
} texts[] = {
    {"192.0.2.1", "h.example", "u@d.example", "p", "in.d.example"},
    {"192.0.2.2", "h.example", "u@d.example", "p", "d.example"},
    {"192.0.2.3", "h.example", "u@d.example", "p", "unknown"},
    {"192.0.2.1", "h.example", "a b@d.example", "s", "a b@d.example h.example"},
    /* no control character, nothing beyond ASCII */
    {"192.0.2.1", "h\r\nX: y", "\xc3\xbc\"\n@d.example", "s", "??\"?@d.example h??X: y"},
    {"192.0.2.1", "d.example", "", "s", "postmaster@d.example d.example"},
    {"192.0.2.1", "h.example", "@d.example", "s", "postmaster@d.example h.example"},
};

Test(spf_macro, texts)
{
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
                char more[128];
                struct spf_request request = spf_request_for(texts[i].client, texts[i].helo, texts[i].sender);
                snprintf(more, sizeof more, "d.example TXT v=spf1 -all exp=%s.text.example\n", texts[i].text);
                spf_check(ZONE, more, &request, "fail", texts[i].explanation);
        }
        block_pool_end(&spf_pool);
}
