/* See session_modes.h. A snapshot that is loaded anew for each input would cost more than its session. */
#include "tests/fuzz/session_modes.h"

#include "conf/build/load.h"
#include "core/base/expect.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MODE_DOMAINS 2

struct session_modes {
        struct check_setting global[CHECK_COUNT], of_domains[MODE_DOMAINS][CHECK_COUNT];
        bool are_wanted[CHECK_COUNT];
};

static void modes_read(struct session_modes *ret_modes, const struct snapshot *snapshot)
{
        expect(snapshot->domain_count >= MODE_DOMAINS);
        memcpy(ret_modes->global, snapshot->checks, sizeof ret_modes->global);
        memcpy(ret_modes->are_wanted, snapshot->check_is_wanted, sizeof ret_modes->are_wanted);
        for (size_t i = 0; i < MODE_DOMAINS; i++)
                memcpy(ret_modes->of_domains[i], snapshot->domains[i].checks,
                       sizeof ret_modes->of_domains[i]);
}

static void set_check(struct snapshot *snapshot, enum check_id check, unsigned modes)
{
        static const enum check_mode digits[] = {CHECK_MODE_ENFORCE, CHECK_MODE_OBSERVE, CHECK_MODE_OFF};

        if (check_infos[check].kind == CHECK_KIND_RULE)
                return;
        snapshot->checks[check].mode = digits[modes % 3];
        bool is_wanted = snapshot->checks[check].mode != CHECK_MODE_OFF;
        for (size_t i = 0; i < MODE_DOMAINS; i++) {
                modes /= 3;
                snapshot->domains[i].checks[check].mode = digits[modes % 3];
                is_wanted = is_wanted || snapshot->domains[i].checks[check].mode != CHECK_MODE_OFF;
        }
        snapshot->check_is_wanted[check] = is_wanted;
}

static void modes_set(struct snapshot *snapshot, const struct session_modes *modes, struct span line)
{
        memcpy(snapshot->checks, modes->global, sizeof modes->global);
        memcpy(snapshot->check_is_wanted, modes->are_wanted, sizeof modes->are_wanted);
        for (size_t i = 0; i < MODE_DOMAINS; i++)
                memcpy(snapshot->domains[i].checks, modes->of_domains[i], sizeof modes->of_domains[i]);
        for (size_t check = 0; check < CHECK_COUNT && check < line.length; check++)
                set_check(snapshot, (enum check_id)check, (unsigned char)line.at[check] % 27u);
}

/* ---- configurations ----------------------------------------------------------------------------------- */

#define PEOPLE_NUMBER 42

#define TEXT_WAITS                                                                                           \
        "bounce_reference { mode = enforce }\n dnsbl { mode = off }\n sender_tld { mode = off }\n"           \
        "sender_mx { mode = off }\n spf { mode = off }\n"

#define SYNTAX_TAKES "syntax { bare_newline = normalise  lenient = yes }\n"

#define FILTER "milter \"spam\" { connect = \"inet:127.0.0.1:1\"  text_max = 2k }\n"

#define AUTHOR                                                                                               \
        "authentication_results = yes\n dmarc { mode = enforce  arc_trusted = {\"d.example\"} }\n"           \
        "spf { on_fail = dmarc }\n sender_tld { mode = off }\n sender_mx { mode = off }\n dnsbl { mode = "   \
        "off }\n"

#define TLS "tls { certificate = {\"certificate.pem\"} handshake_timeout = 5s }\n"

/* By "M" and a digit: what early_talker does, how long the pause is, who is trusted, whether texts wait, how much
 * may be in flight, what the rule syntax takes, who is offered TLS, whether filters are asked, whether we tell who
 * wrote a mail. Without it: the first. */
static const char *const variants[] = {
    "early_talker { mode = enforce }\n",
    "early_talker { mode = observe }\n",
    "early_talker { mode = off }\n",
    "early_talker { mode = enforce }\n greeting_pause = 2s\n",
    "early_talker { mode = observe }\n greeting_pause = 2s\n",
    "early_talker { mode = off }\n greeting_pause = 2s\n",
    "early_talker { mode = enforce }\n greeting_pause = 2s\n trusted_networks = {\"198.51.100.0/24\"}\n",
    "early_talker { mode = observe }\n greeting_pause = 2s\n" TEXT_WAITS,
    "early_talker { mode = enforce }\n reject_at = first\n" TEXT_WAITS,
    "early_talker { mode = off }\n helo_name { must_resolve = yes }\n dns_in_flight_per_session = 2\n"
    "dns_in_flight_per_client = 3\n" TEXT_WAITS,
    "early_talker { mode = enforce }\n" SYNTAX_TAKES,
    "early_talker { mode = observe }\n" SYNTAX_TAKES TEXT_WAITS,
    "early_talker { mode = off }\n greeting_pause = 2s\n" SYNTAX_TAKES,
    "early_talker { mode = enforce }\n" TLS,
    "early_talker { mode = off }\n tls_no_go = 0\n" TLS,
    "early_talker { mode = observe }\n starttls = require\n helo_name { must_resolve = yes }\n" TLS,
    "early_talker { mode = off }\n starttls = off\n ehlo_without = {\"SIZE\", \"LIMITS\"}\n"
    "network \"198.51.0.0/16\" { starttls = require }\n" TLS,
    "early_talker { mode = off }\n reject_at = first\n greeting_pause = 2s\n" TLS TEXT_WAITS,
    "early_talker { mode = off }\n" FILTER,
    "early_talker { mode = enforce }\n" FILTER TEXT_WAITS,
    "early_talker { mode = off }\n" AUTHOR,
    "early_talker { mode = off }\n" AUTHOR FILTER,
};

static_assert(sizeof variants / sizeof variants[0] == SESSION_VARIANTS, "the letters of M");

static const char configuration[] =
    "hostname = \"mx.isp.example\"\n proxy_networks = {\"192.0.2.0/24\"}\n message_size_max = 4k\n"
    "recipients_max = 3\n errors_max = 30\n policy_url = \"https://policy.isp.example/\"\n text_line_max = "
    "500\n"
    "resolvers = {\"127.0.0.1:53\"}\n sender_store = \"lmdb:/nowhere\"\n greylist { mode = observe }\n"
    "client_rate { mode = enforce  connections = 3/1m  messages = 2/1m  recipients = 3/1m\n"
    "unknown_recipients = 2/1m  errors = 8/1m  history = 1 }\n"
    "domain \"isp.example\" { recipients = \"/proc/self/fd/42\" deliver = \"discard:\"\n"
    "sender_tld { mode = observe } }\n"
    "domain \"observe.example\" { recipients = \"/proc/self/fd/42\" deliver = \"discard:\"\n"
    "bounce_reference { mode = observe } }\n"
    "domain \"hop.example\" { recipients = \"/proc/self/fd/42\" deliver = \"lmtp://192.0.2.1:24\" }\n";

static struct snapshot *snapshot_make(const char *variant)
{
        struct conf_complaints complaints = {0};
        char *text;

        expect(asprintf(&text, "%s%s", configuration, variant) > 0);
        struct snapshot *snapshot = snapshot_load_text(text, "/", &complaints);
        expect(snapshot != NULL);
        conf_complaints_end(&complaints);
        free(text);
        return snapshot;
}

static void people_open(void)
{
        int people = memfd_create("people", 0);
        expect(people >= 0 && write(people, "alice\nbob\n", 10) == 10 &&
               dup2(people, PEOPLE_NUMBER) == PEOPLE_NUMBER);
        close(people);
}

const struct snapshot *session_snapshot(size_t variant, struct span line)
{
        static struct snapshot *snapshots[SESSION_VARIANTS];
        static struct session_modes modes[SESSION_VARIANTS];

        if (snapshots[variant] == NULL) {
                people_open();
                snapshots[variant] = snapshot_make(variants[variant]);
                modes_read(&modes[variant], snapshots[variant]);
        }
        modes_set(snapshots[variant], &modes[variant], line);
        return snapshots[variant];
}
