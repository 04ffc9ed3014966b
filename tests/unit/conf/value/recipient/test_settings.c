/* Settings of single recipients: how they are read, and which hold. */
#include "conf/recipients/build/build.h"
#include "conf/value/recipient/settings.h"
#include "tests/unit/conf/fixture.h"

TestSuite(settings, .init = folder_begin, .fini = folder_end);

Test(settings, are_read_behind_an_address)
{
        const struct {
                const char *entry, *address, *settings, *deliver, *fault;
                uint64_t checks;
        } cases[] = {
            {"alice", "alice", "", "", NULL, 0},
            {"alice  spf=observe", "alice", "spf=observe", "", NULL, check_bit(CHECK_spf)},
            {"\"a b=c\"@isp.example\tspf=off", "\"a b=c\"@isp.example", "spf=off", "", NULL,
             check_bit(CHECK_spf)},
            {"a=b@isp.example", "a=b@isp.example", "", "", NULL, 0},
            {"* greylist=off  spf=enforce", "*", "greylist=off  spf=enforce", "", NULL,
             check_bit(CHECK_spf) | check_bit(CHECK_greylist)},
            {"a deliver=discard:", "a", "deliver=discard:", "discard:", NULL, 0},
            {"a deliver=\"lmtp://127.0.0.1:24 weight=2\" spf=off", "a",
             "deliver=\"lmtp://127.0.0.1:24 weight=2\" spf=off", "lmtp://127.0.0.1:24 weight=2", NULL,
             check_bit(CHECK_spf)},
            /* Not settings at all: the line is wrong as a whole. */
            {"a OK", "a OK", "", "", NULL, 0},
            {"a spf=maybe", "a", "spf=maybe", "", "must be enforce, observe or off: spf", 0},
            {"a quota=1G", "a", "quota=1G", "", "there is no check, and no setting, quota", 0},
            {"a client_rate=off", "a", "client_rate=off", "", "holds for all recipients alike: client_rate",
             0},
            {"a recipient=off", "a", "recipient=off", "", "holds for all recipients alike: recipient", 0},
            {"a spf=off OK", "a", "spf=off OK", "", "needs KEY=VALUE, or a # comment: OK", 0},
            {"a spf=off spf=observe", "a", "spf=off spf=observe", "", "is set twice: spf", 0},
            {"a deliver=discard: deliver=discard:", "a", "deliver=discard: deliver=discard:", "",
             "is set twice: deliver", 0},
            {"a deliver=elsewhere", "a", "deliver=elsewhere", "",
             "must be maildir:PATH, next hops or discard:, not elsewhere", 0},
            {"a =off", "a", "=off", "", "there is no check, and no setting, ", 0},
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct span entry = span_from(cases[i].entry), deliver = {0};
                struct span text = recipient_settings_split(&entry);
                struct recipient_settings settings = {0};
                char message[RECIPIENT_FAULT_MAX];
                const char *fault =
                    text.length == 0 ? NULL : recipient_settings_read(text, &settings, &deliver, message);
                cr_expect(span_equals(entry, span_from(cases[i].address)), "%s", cases[i].entry);
                cr_expect(span_equals(text, span_from(cases[i].settings)), "%s", cases[i].entry);
                cr_expect_eq(fault == NULL, cases[i].fault == NULL, "%s", cases[i].entry);
                if (fault != NULL && cases[i].fault != NULL)
                        cr_expect_str_eq(fault, cases[i].fault);
                if (fault == NULL) {
                        cr_expect(span_equals(deliver, span_from(cases[i].deliver)), "%s", cases[i].entry);
                        cr_expect_eq(settings.checks, cases[i].checks, "%s", cases[i].entry);
                }
        }
}

static const struct recipient_settings *settings_of(const struct snapshot *snapshot, const char *domain,
                                                    const char *local_part)
{
        const struct recipient_settings *settings;
        char octets[300];
        struct text mailbox;

        text_over(&mailbox, octets, sizeof octets);
        cr_expect_eq(domain_find_settings(snapshot_find_domain(snapshot, span_from(domain)),
                                          span_from(local_part), &mailbox, &settings),
                     RECIPIENT_KNOWN, "%s", local_part);
        return settings;
}

#define PEOPLE                                                                                               \
        "alice@isp.example spf=observe\nbob@isp.example\nzoe@isp.example  spf=observe # as alice\n"          \
        "carl@isp.example greylist=off deliver=\"maildir:other/%u\"\n"                                       \
        "* helo_name=enforce\npostmaster@isp.example deliver=lmtp://127.0.0.1:24\n"

static void expect_people(const struct snapshot *snapshot)
{
        const struct recipient_settings *alice = settings_of(snapshot, "isp.example", "ALICE+x");
        const struct recipient_settings *carl = settings_of(snapshot, "isp.example", "carl"), *other;
        char path[300];

        cr_assert_not_null(alice);
        cr_expect_eq(alice->modes[CHECK_spf], CHECK_MODE_OBSERVE);
        cr_expect_eq(settings_of(snapshot, "isp.example", "zoe"), alice, "equal settings are kept once");
        cr_expect_null(settings_of(snapshot, "isp.example", "bob"));
        cr_expect_eq(settings_of(snapshot, "alias.example", "alice"), alice);
        cr_assert_not_null(carl);
        snprintf(path, sizeof path, "%s/other/%%u", folder);
        cr_expect_eq(carl->deliver.kind, DELIVER_MAILDIR);
        cr_expect_str_eq(carl->deliver.path, path);
        cr_expect_eq(domain_find_catch_all(&snapshot->domains[0], &other), RECIPIENT_KNOWN);
        cr_expect(other != NULL && other->checks == check_bit(CHECK_helo_name));
        cr_expect_eq(settings_of(snapshot, "isp.example", "postmaster")->deliver.kind, DELIVER_HOPS);
        cr_expect(snapshot->check_is_wanted[CHECK_helo_name], "one recipient wants it");
        cr_expect_not(snapshot->check_is_everywhere[CHECK_sender_tld], "one recipient does not enforce it");
}

#define DOMAINS(source)                                                                                      \
        HOSTNAME "helo_name { mode = off } domain \"isp.example\" { recipients = \"" source                  \
                 "\" deliver = \"discard:\" extension = \"+\" }\n"                                           \
                 "domain \"alias.example\" { alias_of = \"isp.example\" }\n"

Test(settings, of_a_file_of_lines)
{
        write_file("list", PEOPLE "dora sender_tld=observe\n", sizeof PEOPLE "dora sender_tld=observe\n" - 1);
        struct snapshot *snapshot = load(DOMAINS("list"));
        expect_people(snapshot);
        const struct recipient_settings *alice = settings_of(snapshot, "isp.example", "alice");
        cr_expect_eq(alice->place.line, 1);
        cr_expect(strstr(alice->place.file, "/list") != NULL);
        snapshot_free(snapshot);
}

Test(settings, of_a_mapped_file)
{
        struct conf_complaints complaints = {0};
        char list[300], db[300];
        struct recipient_build build = {
            .input = list, .output = db, .folds = true, .memory = "1M", .domain = SPAN("isp.example")};

        snprintf(list, sizeof list, "%s/list", folder);
        snprintf(db, sizeof db, "%s/db", folder);
        write_file("list", PEOPLE "dora sender_tld=observe\n", sizeof PEOPLE "dora sender_tld=observe\n" - 1);
        cr_assert(recipients_build(&build, &complaints), "%s", complaints.text);
        struct snapshot *snapshot = load(DOMAINS("lmdb:db"));
        expect_people(snapshot);
        cr_expect_eq(settings_of(snapshot, "isp.example", "alice")->place.line, 1, "where the file is named");
        cr_expect_eq(snapshot->domains[0].recipient_count, 7);
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
}

/* ---- what is wrong ------------------------------------------------------------------------------------- */

Test(settings, faults_have_their_line)
{
        struct conf_complaints complaints = {0};
        char path[300];
        static const char list[] = "alice spf=often\nbob\nbob spf=off\ncarl deliver=\"maildir:x\"\n"
                                   "dora deliver=\"lmtp://127.0.0.1:99999\"\n";

        write_file("list", list, sizeof list - 1);
        write_file("gatepost.conf", DOMAINS("list"), sizeof DOMAINS("list") - 1);
        snprintf(path, sizeof path, "%s/gatepost.conf", folder);
        struct snapshot *snapshot = snapshot_load(path, &complaints);
        cr_expect_null(snapshot);
        static const char *const told[] = {
            "list:1: error: \"alice spf=often\": must be enforce, observe or off: spf",
            "list:3: error: \"bob spf=off\": has settings, and stands in a line before as well",
            "list:4: error: deliver: needs %u (local part) in maildir:x",
            "list:5: error: deliver = \"lmtp://127.0.0.1:99999\"",
        };
        for (size_t i = 0; i < sizeof told / sizeof *told; i++)
                cr_expect(strstr(complaints.text, told[i]) != NULL, "%s is not in %s", told[i],
                          complaints.text);
        conf_complaints_end(&complaints);
}

Test(settings, are_bounded)
{
        static char text[RECIPIENT_SETTINGS_MAX + 20] = "deliver=maildir:";
        struct recipient_settings settings;
        struct span deliver;
        char message[RECIPIENT_FAULT_MAX];

        memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
        cr_expect_str_eq(recipient_settings_read(span_from(text), &settings, &deliver, message),
                         "has too long settings");
}
