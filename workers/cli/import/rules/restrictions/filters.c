/* Policy services and milters. */
#include "workers/cli/import/rules/restrictions/filters.h"

#include "conf/snapshot.h"
#include "conf/value/list.h"
#include "workers/cli/import/cf/expand.h"
#include "workers/cli/import/cf/words.h"

#define SENDER_STORE "lmdb:/var/lib/gatepost/state"
#define DEFAULTS_MAX ((size_t)64 << 10) /* octets of /etc/default/postgrey */
#define NAMES_MAX    100
#define SECONDS_MAX  300
#define S_FORMAT     "%llus"

/* ---- where a filter listens ---------------------------------------------------------------------------- */

/* "inet:127.0.0.1:10023", "unix:private/x", "local:/run/x": as `connect` has it. False: by a name that only DNS
 * knows. */
static bool read_connect(struct import *import, struct span word, struct span *ret_connect)
{
        struct endpoint endpoint;
        size_t colon = span_find(word, ':');
        struct span kind = span_of(word.at, colon == SIZE_MAX ? 0 : colon),
                    rest = span_skip(word, kind.length + 1);

        if (span_equals(kind, SPAN("unix")) || span_equals(kind, SPAN("local"))) {
                struct span path = import_socket(import, import->front, rest);
                *ret_connect = keep_format(import->keep, "unix:%.*s", SPAN_ARG(path));
                return rest.length > 0 && draft_takes(*ret_connect) && ret_connect->at[5] == '/' &&
                       ret_connect->length - 5 <= 100;
        }
        if (!span_equals(kind, SPAN("inet")) && !span_equals(kind, SPAN("inet6")))
                return false;
        if (span_starts_nocase(rest, SPAN("localhost:")))
                rest = keep_format(import->keep, "127.0.0.1%.*s",
                                   SPAN_ARG(span_skip(rest, sizeof "localhost" - 1)));
        *ret_connect = keep_format(import->keep, "inet:%.*s", SPAN_ARG(rest));
        return endpoint_parse(rest, &endpoint);
}

/* The last part of a path, or the port's usual owner: letters and digits. */
static struct span name_of(struct span connect, const char *kind)
{
        static const struct {
                const char *port, *name;
        } ports[] = {{":11332", "rspamd"},   {":8891", "opendkim"},   {":12301", "opendkim"},
                     {":8893", "opendmarc"}, {":54321", "opendmarc"}, {":7357", "clamav"},
                     {":10040", "postfwd"},  {":783", "spamassassin"}};
        static const char *const words[] = {"rspamd",  "opendkim", "opendmarc", "clamav",
                                            "spamass", "amavis",   "postfwd"};

        for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
                if (span_ends_nocase(connect, span_from(ports[i].port)))
                        return span_from(ports[i].name);
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                if (memmem(connect.at, connect.length, words[i], strlen(words[i])) != NULL)
                        return span_from(words[i]);
        return span_from(kind);
}

/* Those of this name; of all where it is empty. */
static size_t count_filters(const struct draft *draft, struct span name)
{
        size_t count = 0;

        for (const struct draft_section *section = draft->first; section != NULL; section = section->next)
                if (strcmp(section->kind, "milter") == 0 || strcmp(section->kind, "policy_service") == 0)
                        count += name.length == 0 || span_equals_nocase(section->title, name);
        return count;
}

/* A section under a name that no other filter has. NULL: there are too many. */
static struct draft_section *add_section(struct import *import, const char *kind, struct span connect,
                                         const char *usual_name, struct span origin)
{
        struct span base = name_of(connect, usual_name), name = base;

        if (count_filters(&import->draft, SPAN("")) == MAIL_FILTERS_MAX)
                return NULL;
        for (unsigned i = 2; count_filters(&import->draft, name) > 0; i++)
                name = keep_format(import->keep, "%.*s-%u", SPAN_ARG(base), i);
        struct draft_section *section = draft_section(&import->draft, NULL, kind, name);
        draft_text(&import->draft, section, "connect", connect, origin);
        return section;
}

static void put_time(struct import *import, struct draft_section *section, const char *option,
                     struct span value, uint64_t max, struct span origin)
{
        uint64_t seconds;

        if (cf_time(value, &seconds) && seconds > 0)
                draft_word(
                    &import->draft, section, option,
                    keep_format(import->keep, S_FORMAT, (unsigned long long)(seconds < max ? seconds : max)),
                    origin);
}

/* ---- policy services ----------------------------------------------------------------------------------- */

/* The delay of postgrey, in seconds, as its defaults of Debian have it; 0: not known. */
static uint64_t postgrey_delay(struct import *import)
{
        struct span text, value;
        uint64_t seconds;

        if (import->place.folder == NULL)
                return 0;
        struct span path = keep_format(import->keep, "%s/../default/postgrey", import->place.folder);
        if (!cf_file_read(import->keep, path.at, DEFAULTS_MAX, &text))
                return 0;
        const char *found = memmem(text.at, text.length, "--delay=", 8);
        if (found == NULL)
                return 0;
        value = span_of(found + 8, 0);
        while (value.at + value.length < text.at + text.length && ascii_is_digit(value.at[value.length]))
                value.length++;
        return span_number(value, &seconds) && seconds <= 86400 ? seconds : 0;
}

static void take_greylist(struct import *import, struct element *element)
{
        uint64_t delay = postgrey_delay(import);
        struct draft_section *section = draft_check(&import->draft, CHECK_greylist);

        draft_mode(&import->draft, CHECK_greylist, element->mode, element->origin);
        draft_word(&import->draft, section, "delay",
                   keep_format(import->keep, S_FORMAT, (unsigned long long)(delay > 0 ? delay : SECONDS_MAX)),
                   element->origin);
        draft_text(&import->draft, &import->draft.top, "sender_store", SPAN(SENDER_STORE), element->origin);
        import_todo(import,
                    "The greylist keeps its memory in %s: the folder above it must be there, and be the "
                    "server's user's.",
                    SENDER_STORE);
        element->ours = "greylist";
        element->judgement = JUDGED_LAXER;
        element->why =
            delay > 0
                ? "The delay is postgrey's. Who passes SPF, or has a good reverse name, is known by that and "
                  "not by the "
                  "network; what the service knew is not taken over."
                : "The delay is 5m, as postgrey's is where nothing else is said. Who passes SPF, or has a "
                  "good reverse name, is known by that and not by the network; what the service knew is "
                  "not taken over.";
}

static void take_spf(struct import *import, struct element *element)
{
        struct draft_section *section = draft_check(&import->draft, CHECK_spf);

        draft_mode(&import->draft, CHECK_spf, element->mode, element->origin);
        draft_word(&import->draft, section, "permerror", SPAN("pass"), element->origin);
        draft_word(&import->draft, section, "temperror", SPAN("pass"), element->origin);
        element->ours = "spf";
        element->judgement = JUDGED_LAXER;
        element->why = "A fail is refused; errors pass, as policyd-spf has it where its own file does not "
                       "say otherwise. HELO is asked about for mail from <> alone.";
}

/* Postfix starts it itself: it is gone with Postfix. */
static bool is_spawned(const struct import *import, struct span path)
{
        size_t slash = span_find_last(path, '/');
        struct span name = slash == SIZE_MAX ? path : span_skip(path, slash + 1);

        for (const struct cf_service *service = import->master.first; service != NULL;
             service = service->next)
                if (span_equals(service->name, name) && span_equals(service->type, SPAN("unix")) &&
                    span_equals(service->command, SPAN("spawn")))
                        return true;
        return false;
}

/* Of "{ inet:...:10040, default_action = DUNNO }" the options; a plain service has those of main.cf. */
static void put_service_options(struct import *import, struct draft_section *section, struct span options,
                                struct span origin)
{
        struct span action = import_value(import, "smtpd_policy_service_default_action"), word, value;
        struct span timeout = import_value(import, "smtpd_policy_service_timeout"), context = span_of("", 0);

        while ((word = cf_take_word(&options)).length > 0) {
                if (cf_assigned(word, "default_action", &value))
                        action = value;
                if (cf_assigned(word, "timeout", &value))
                        timeout = value;
                if (cf_assigned(word, "policy_context", &value))
                        context = value;
        }
        bool passes = span_starts_nocase(action, SPAN("DUNNO")) || span_starts_nocase(action, SPAN("OK"));
        draft_word(&import->draft, section, "on_failure", passes ? SPAN("pass") : SPAN("defer"), origin);
        put_time(import, section, "answer_timeout", timeout, SECONDS_MAX, origin);
        if (draft_takes(context) && span_is_ascii(context))
                draft_text(&import->draft, section, "policy_context", context, origin);
}

static void take_service(struct import *import, struct element *element, struct span word,
                         struct span options)
{
        struct span connect;

        if (is_spawned(import, word)) {
                element_not_translated(
                    element,
                    "Postfix itself starts this service (spawn in master.cf): let another program, such as "
                    "systemd or socat, listen for it, and name it in a section policy_service.");
                return;
        }
        if (!read_connect(import, word, &connect)) {
                element_not_translated(element,
                                       "A filter is named by its address or by the path of its socket: see "
                                       "section policy_service.");
                return;
        }
        if (element->mode == CHECK_MODE_OBSERVE) {
                element_not_translated(element, "A filter is not observed only.");
                return;
        }
        struct draft_section *section =
            add_section(import, "policy_service", connect, "policy", element->origin);
        if (section == NULL) {
                element_not_translated(element, "There are too many filters.");
                return;
        }
        bool is_at_end = strcmp(element->list, "smtpd_end_of_data_restrictions") == 0 ||
                         strcmp(element->list, "smtpd_data_restrictions") == 0;
        draft_word(&import->draft, section, "at", is_at_end ? SPAN("end") : SPAN("rcpt"), element->origin);
        put_service_options(import, section, options, element->origin);
        element->judgement = JUDGED_STRICTER;
        element->ours = "policy_service";
        element->why = "It is asked last, about what no check refuses; what it lets in is not spared what "
                       "stands behind it in Postfix.";
}

static bool names_one_of(struct span word, const char *const *names)
{
        for (; *names != NULL; names++)
                if (memmem(word.at, word.length, *names, strlen(*names)) != NULL)
                        return true;
        return false;
}

void restrict_policy_service(struct import *import, struct element *element)
{
        static const char *const greylists[] = {"postgrey", "greylist", "sqlgrey", "gld",
                                                ":10023",   ":60000",   ":2501",   NULL};
        static const char *const spf[] = {"spf", NULL};
        struct span options = element->argument;

        cf_unbrace(element->argument, &options);
        struct span word = cf_take_word(&options);
        if (names_one_of(word, greylists))
                take_greylist(import, element);
        else if (names_one_of(word, spf))
                take_spf(import, element);
        else
                take_service(import, element, word, options);
}

/* ---- milters ------------------------------------------------------------------------------------------- */

static void put_milter_options(struct import *import, struct draft_section *section, struct span options,
                               struct report_row *row, struct span origin)
{
        struct span action = import_value(import, "milter_default_action"), word, value;
        struct span connect = import_value(import, "milter_connect_timeout");
        struct span command = import_value(import, "milter_command_timeout");
        struct span content = import_value(import, "milter_content_timeout");

        while ((word = cf_take_word(&options)).length > 0) {
                if (cf_assigned(word, "default_action", &value))
                        action = value;
                if (cf_assigned(word, "connect_timeout", &value))
                        connect = value;
                if (cf_assigned(word, "command_timeout", &value))
                        command = value;
                if (cf_assigned(word, "content_timeout", &value))
                        content = value;
        }
        bool passes = span_equals_nocase(action, SPAN("accept"));
        draft_word(&import->draft, section, "on_failure", passes ? SPAN("pass") : SPAN("defer"), origin);
        put_time(import, section, "connect_timeout", connect, SECONDS_MAX, origin);
        put_time(import, section, "command_timeout", command, SECONDS_MAX, origin);
        put_time(import, section, "content_timeout", content, UINT64_C(6) * SECONDS_MAX, origin);
        if (passes || span_equals_nocase(action, SPAN("tempfail")))
                return;
        row->judgement = JUDGED_LAXER;
        row->why = "When it fails mail is put off, and neither refused nor put into quarantine.";
}

static void take_milter(struct import *import, struct report_list *list, struct span word)
{
        struct span options = word, connect, origin = import_word_origin(import, "smtpd_milters", word);
        struct report_row row = {.place = import_place(import, "smtpd_milters", word),
                                 .theirs = keep_format(import->keep, "milter %.*s", SPAN_ARG(word)),
                                 .ours = "milter",
                                 .why = "It is asked last, about what no check refuses."};

        cf_unbrace(word, &options);
        struct span first = cf_take_word(&options);
        bool is_named = read_connect(import, first, &connect);
        struct draft_section *section =
            is_named ? add_section(import, "milter", connect, "milter", origin) : NULL;
        if (section == NULL) {
                row.judgement = JUDGED_NOT_TRANSLATED;
                row.ours = "";
                row.why = is_named ? "There are too many filters."
                                   : "A filter is named by its address or by the path of its socket: see "
                                     "section milter.";
        } else {
                put_milter_options(import, section, options, &row, origin);
        }
        report_add(&import->report, list, &row);
}

void milters_translate(struct import *import)
{
        struct span value = import_value(import, "smtpd_milters"), word;

        if (value.length == 0)
                return;
        struct span place = import_place(import, "smtpd_milters", span_of("", 0));
        struct report_list *list = report_begin_list(
            &import->report, keep_format(import->keep, "smtpd_milters (%.*s)", SPAN_ARG(place)));
        for (unsigned i = 0; i < NAMES_MAX && (word = cf_take_word(&value)).length > 0; i++)
                take_milter(import, list, word);
}
