/* Recipients of text files: who is found, and as whom. */
#include "tests/unit/conf/fixture.h"

static void folder_with_mixed(void)
{
        static const char people[] = "Alice\nbob+list\n\"With blank\"\n";
        folder_begin();
        write_file("mixed", people, sizeof people - 1);
}

static void folder_with_utf8(void)
{
        static const char people[] = "M\xc3\xbcller\nSTRASSE\n\xce\xa3\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce"
                                     "\xbf\xcf\x82\njo\xcc\x88rg+x\n";
        folder_begin();
        write_file("utf8", people, sizeof people - 1);
}

TestSuite(utf8, .init = folder_with_utf8, .fini = folder_end);
TestSuite(mixed, .init = folder_with_mixed, .fini = folder_end);

static const char *find(const struct domain *domain, const char *local_part)
{
        static char octets[128];
        struct text mailbox;
        text_over(&mailbox, octets, sizeof octets - 1);
        if (domain_find_recipient(domain, span_from(local_part), &mailbox) != RECIPIENT_KNOWN)
                return "unknown";
        octets[mailbox.length] = '\0';
        return octets;
}

#define UTF8_DOMAIN(casing)                                                                                  \
        HOSTNAME "domain \"a.example\" { recipients = \"utf8\" deliver = \"discard:\" extension = \"+\"\n"   \
                 "local_part_case = " casing " }\n"

/* Letter case of every script, and one form of what looks alike (NFC). */
Test(utf8, letter_case_of_every_script_is_folded)
{
        static const char *const cases[][2] = {
            {"m\xc3\xbcller", "m\xc3\xbcller"},
            {"M\xc3\x9cLLER", "m\xc3\xbcller"},
            {"mu\xcc\x88ller", "m\xc3\xbcller"},
            {"MU\xcc\x88LLER+x", "m\xc3\xbcller"},
            {"muller", "unknown"},
            {"Stra\xc3\x9f"
             "e",
             "strasse"},
            {"\xce\xa3\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xce\xa3",
             "\xcf\x83\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83"},
            {"J\xc3\x96RG+X", "j\xc3\xb6rg+x"},
            {"POSTMASTER", "postmaster"},
        };
        struct snapshot *snapshot = load(UTF8_DOMAIN("fold"));

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                cr_expect_str_eq(find(&snapshot->domains[0], cases[i][0]), cases[i][1], "%s", cases[i][0]);
        snapshot_free(snapshot);
        snapshot = load(UTF8_DOMAIN("exact"));
        cr_expect_str_eq(find(&snapshot->domains[0], "Mu\xcc\x88ller"), "M\xc3\xbcller");
        cr_expect_str_eq(find(&snapshot->domains[0], "m\xc3\xbcller"), "unknown");
        cr_expect_str_eq(find(&snapshot->domains[0], "STRASSE"), "STRASSE");
        snapshot_free(snapshot);
}

/* A mailbox that does not fit is none, rather than a part of one. */
Test(utf8, a_mailbox_without_room_is_unknown)
{
        char octets[4];
        struct text mailbox;
        struct snapshot *snapshot = load(UTF8_DOMAIN("fold"));

        text_over(&mailbox, octets, sizeof octets);
        cr_expect_eq(domain_find_recipient(&snapshot->domains[0], SPAN("strasse"), &mailbox),
                     RECIPIENT_UNKNOWN);
        cr_expect_eq(mailbox.length, 0);
        snapshot_free(snapshot);
}

Test(mixed, recipients_are_found)
{
        struct snapshot *snapshot = load(
            HOSTNAME
            "domain \"fold.example\" { recipients = \"mixed\" deliver = \"discard:\" extension = \"+\" }\n"
            "domain \"exact.example\" { recipients = \"mixed\" deliver = \"discard:\" local_part_case = "
            "exact }\n");
        const struct domain *fold = &snapshot->domains[0], *exact = &snapshot->domains[1];

        cr_expect_str_eq(find(fold, "ALICE"), "alice");
        cr_expect_str_eq(find(fold, "alice+x+y"), "alice");
        cr_expect_str_eq(find(fold, "bob+list"), "bob+list", "known as such");
        cr_expect_str_eq(find(fold, "bob+other"), "unknown");
        cr_expect_str_eq(find(fold, "+alice"), "unknown");
        cr_expect_str_eq(find(fold, "with blank"), "with blank");
        cr_expect_str_eq(find(fold, "PostMaster"), "postmaster");
        cr_expect_str_eq(find(fold, "postmaster+x"), "postmaster");
        cr_expect_str_eq(find(fold, ""), "unknown");
        cr_expect_str_eq(find(exact, "Alice"), "Alice");
        cr_expect_str_eq(find(exact, "alice"), "unknown");
        cr_expect_str_eq(find(exact, "Alice+x"), "unknown");
        cr_expect_str_eq(find(exact, "POSTMASTER"), "postmaster");
        snapshot_free(snapshot);
}
