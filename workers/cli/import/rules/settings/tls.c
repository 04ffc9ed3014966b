/* Certificates, versions, and whether TLS is offered. */
#include "workers/cli/import/rules/settings/tls.h"

#include "conf/snapshot.h"
#include "workers/cli/import/cf/words.h"

static struct draft_section *section(struct import *import)
{
        return draft_section(&import->draft, NULL, "tls", span_of("", 0));
}

static bool is_required(const struct import *import)
{
        struct span starttls = draft_find(&import->draft.top, "starttls");
        return starttls.at != NULL && span_equals(starttls, SPAN("require"));
}

/* What a restriction requires, a setting does not take back. */
static void put_starttls(struct import *import, const char *word, struct span origin)
{
        if (!is_required(import))
                draft_word(&import->draft, &import->draft.top, "starttls", span_from(word), origin);
}

/* "encrypt", and what smtpd takes for it. */
static bool is_strict_level(struct span level)
{
        static const char *const levels[] = {"encrypt",   "fingerprint", "verify",   "secure",
                                             "half-dane", "dane",        "dane-only"};

        for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
                if (span_equals_nocase(level, span_from(levels[i])))
                        return true;
        return false;
}

void parameter_tls_level(struct import *import, struct parameter *parameter)
{
        if (parameter->value.length == 0) {
                parameter->is_left_out = true;
        } else if (is_strict_level(parameter->value)) {
                put_starttls(import, "require", parameter->origin);
                parameter->why = "MAIL is refused without TLS.";
        } else if (is_required(import)) {
                parameter->why = "MAIL is refused without TLS, by reject_plaintext_session.";
        } else if (span_equals_nocase(parameter->value, SPAN("none"))) {
                put_starttls(import, "off", parameter->origin);
                parameter->why = "STARTTLS is not offered.";
        } else {
                put_starttls(import, "offer", parameter->origin);
                parameter->why = "STARTTLS is offered, and nobody needs it. Who failed at it is not offered "
                                 "it for an hour (tls_no_go).";
        }
}

void parameter_tls_enforce(struct import *import, struct parameter *parameter)
{
        bool enforces = cf_is_yes(parameter->value, false);

        if (import_value(import, "smtpd_tls_security_level").length > 0) {
                parameter->judgement = JUDGED_NOT_NEEDED;
                parameter->ours = "";
                parameter->why = "smtpd_tls_security_level overrules it.";
                return;
        }
        if (enforces)
                put_starttls(import, "require", parameter->origin);
        parameter->why = enforces ? "MAIL is refused without TLS." : "MAIL is taken without TLS.";
}

void parameter_tls_file(struct import *import, struct parameter *parameter)
{
        (void)import;
        parameter->is_left_out =
            !draft_takes(parameter->value) || span_equals_nocase(parameter->value, SPAN("none"));
}

/* Each certificate once; its key has the same place in a list of its own, where it may be that of another one, too.
 * False: there is no room. */
static bool put_certificate(struct import *import, struct span certificate, struct span key,
                            struct span certificate_origin, struct span key_origin)
{
        if (draft_has(section(import), "certificate", certificate))
                return true;
        if (draft_count(section(import), "certificate") == TLS_KINDS_MAX)
                return false;
        return draft_append(&import->draft, section(import), "certificate", certificate,
                            certificate_origin) &&
               draft_append(&import->draft, section(import), "key", key, key_origin);
}

/* "a.pem", or "a.key, a.pem", where the key has its file in front of that of its certificates. */
void parameter_tls_chain(struct import *import, struct parameter *parameter)
{
        struct span rest = parameter->value, word, key = span_of("", 0);

        while ((word = cf_take_word(&rest)).length > 0) {
                bool is_key = memmem(word.at, word.length, "key", 3) != NULL &&
                              memmem(word.at, word.length, "chain", 5) == NULL;
                if (!draft_takes(word) || word.at[0] != '/') {
                        parameter->judgement = JUDGED_NOT_TRANSLATED;
                        parameter->why = "That is no path.";
                } else if (is_key && key.length == 0 && cf_trim(rest).length > 0) {
                        key = word;
                } else {
                        if (!put_certificate(import, word, key.length > 0 ? key : word, parameter->origin,
                                             parameter->origin)) {
                                parameter->judgement = JUDGED_NOT_TRANSLATED;
                                parameter->why = "There are at most four, one for each kind of key.";
                        }
                        key = span_of("", 0);
                }
        }
}

#define VERSIONS 4

/* One word of a list of versions: a name alone is among those that are meant, "!" takes one away. */
static void read_version(struct span word, bool is_excluded[static VERSIONS], bool is_named[static VERSIONS],
                         bool *has_names)
{
        static const char *const names[VERSIONS] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
        bool excludes = span_starts_nocase(word, SPAN("!")), is_lowest = span_starts_nocase(word, SPAN(">="));

        *has_names |= !excludes && !is_lowest && !span_starts_nocase(word, SPAN("<="));
        word = span_skip(word, excludes ? 1 : is_lowest ? 2 : 0);
        for (unsigned i = 0; i < VERSIONS; i++) {
                if (!span_equals_nocase(word, span_from(names[i])))
                        continue;
                is_excluded[i] |= excludes;
                is_named[i] |= !excludes && !is_lowest;
                for (unsigned lower = 0; is_lowest && lower < i; lower++)
                        is_excluded[lower] = true;
        }
}

/* The oldest version that ">=TLSv1.2", "!SSLv3, !TLSv1" or "TLSv1.2:TLSv1.3" lets through. */
static const char *oldest(struct span value)
{
        static const char *const versions[VERSIONS] = {"1.0", "1.1", "1.2", "1.3"};
        bool is_excluded[VERSIONS] = {false}, is_named[VERSIONS] = {false}, has_names = false;
        struct span words, word;

        while ((words = cf_take_word(&value)).length > 0)
                for (; words.length > 0; words = span_skip(words, word.length + 1)) {
                        size_t colon = span_find(words, ':');
                        word = span_of(words.at, colon == SIZE_MAX ? words.length : colon);
                        if (word.length > 0)
                                read_version(word, is_excluded, is_named, &has_names);
                }
        for (unsigned i = 0; i < VERSIONS; i++)
                if (!is_excluded[i] && (!has_names || is_named[i]))
                        return versions[i];
        return versions[VERSIONS - 1];
}

static void take_protocols(struct import *import, struct parameter *parameter)
{
        const char *version = oldest(parameter->value);

        draft_word(&import->draft, section(import), "minimum", span_from(version), parameter->origin);
        parameter->why = version[2] < '2' ? "With versions below 1.2 come weak ciphers: better leave minimum "
                                            "away, for clients that can "
                                            "TLS 1.2, and that are all but a few."
                                          : "Older versions are not spoken.";
}

/* Whether Postfix's settings of "mandatory" TLS hold. */
static bool is_mandatory(struct import *import)
{
        struct span level = import_value(import, "smtpd_tls_security_level");
        return level.length > 0 ? is_strict_level(level)
                                : cf_is_yes(import_value(import, "smtpd_enforce_tls"), false);
}

static void take_where(struct import *import, struct parameter *parameter, bool is_in_force)
{
        if (is_in_force) {
                take_protocols(import, parameter);
                return;
        }
        parameter->judgement = JUDGED_NOT_NEEDED;
        parameter->ours = "";
        parameter->why = "It is not in force at this security level.";
}

void parameter_tls_protocols(struct import *import, struct parameter *parameter)
{
        take_where(import, parameter, !is_mandatory(import));
}

void parameter_tls_mandatory(struct import *import, struct parameter *parameter)
{
        take_where(import, parameter, is_mandatory(import));
}

void parameter_tls_ask(struct import *import, struct parameter *parameter)
{
        if (cf_is_yes(parameter->value, false))
                draft_word(&import->draft, section(import), "client_certificates", SPAN("ask"),
                           parameter->origin);
}

static void put_pair(struct import *import, const char *certificate_setting, const char *key_setting)
{
        struct span certificate = import_value(import, certificate_setting),
                    key = import_value(import, key_setting);

        if (!draft_takes(certificate) || certificate.at[0] != '/')
                return;
        put_certificate(
            import, certificate, draft_takes(key) && key.at[0] == '/' ? key : certificate,
            import_origin(import, certificate_setting),
            import_origin(import, import_is_set(import, key_setting) ? key_setting : certificate_setting));
}

void tls_finish(struct import *import)
{
        if (!import_is_set(import, "smtpd_tls_chain_files")) {
                put_pair(import, "smtpd_tls_cert_file", "smtpd_tls_key_file");
                put_pair(import, "smtpd_tls_eccert_file", "smtpd_tls_eckey_file");
        }
        bool has_certificate = draft_find(section(import), "certificate").at != NULL;
        if (has_certificate)
                import_todo(import, "The user that serves must be able to read the keys of section tls.");
        struct span starttls = draft_find(&import->draft.top, "starttls");
        if (!has_certificate && is_required(import)) {
                import_todo(import,
                            "Name a certificate in section tls, and say starttls = require then: without "
                            "a certificate there is no TLS, and nobody could send mail.");
                draft_word(&import->draft, &import->draft.top, "starttls", SPAN("offer"),
                           SPAN("there is no certificate"));
        } else if (!has_certificate && starttls.at != NULL && !span_equals(starttls, SPAN("off"))) {
                import_todo(import, "Name a certificate in section tls: without one there is no TLS.");
        }
        bool offers = import_value(import, "smtpd_tls_security_level").length > 0 ||
                      cf_is_yes(import_value(import, "smtpd_use_tls"), false) ||
                      cf_is_yes(import_value(import, "smtpd_enforce_tls"), false);
        if (has_certificate && !offers)
                put_starttls(import, "off", SPAN("Postfix's default of smtpd_tls_security_level"));
}
