/* A certificate that ends unseen is an outage that was announced long ago: so each day has its warning. */
#include "workers/server/tls/certificates.h"

#include "workers/log/console.h"
#include "workers/tls/certificate.h"
#include "workers/tls/client/client.h"
#include "workers/tls/verify.h"

#include <stdio.h>

#define LOOK_S 60
#define DAY_S  86400

/* NULL without TLS. The publisher may look at what is in force without a pin. */
static const struct tls_contexts *in_force(const struct certificates *certificates)
{
        return tls_contexts_of(atomic_load(&certificates->publication->published));
}

static void tell(const struct certificates *certificates, const char *event,
                 const struct tls_certificate *certificate, uint64_t now_s)
{
        char names[1024], until[32];
        struct text text;
        struct tm fields;

        text_over(&text, names, sizeof names - 1);
        tls_certificate_put_names(certificate, &text);
        names[text.length] = '\0';
        strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&certificate->ends, &fields));
        log_event(certificates->log, event, "path", certificate->path, "kind", certificate->kind, "names",
                  names, "until", until,
                  LOG_NUMBER("days_left", tls_certificate_days_left(certificate, (time_t)now_s)), NULL);
}

static bool ends_soon(const struct tls_certificate *certificate, uint64_t now_s)
{
        return tls_certificate_days_left(certificate, (time_t)now_s) < TLS_WARNING_DAYS;
}

static void count(const struct certificates *certificates, const struct tls_contexts *contexts,
                  uint64_t now_s)
{
        uint64_t least = 0, ending = 0;

        for (size_t i = 0; contexts != NULL && i < tls_contexts_certificate_count(contexts); i++) {
                const struct tls_certificate *certificate = tls_contexts_certificate(contexts, i);
                unsigned days = tls_certificate_days_left(certificate, (time_t)now_s);
                least = i == 0 || days < least ? days : least;
                ending += ends_soon(certificate, now_s);
        }
        counter_set(&certificates->counters->metrics[METRIC_certificate_days], least);
        counter_set(&certificates->counters->metrics[METRIC_certificates_ending], ending);
}

static void tell_of_ends(struct certificates *certificates, const struct tls_contexts *contexts,
                         uint64_t now_s)
{
        certificates->next_warnings_s = now_s + DAY_S;
        for (size_t i = 0; contexts != NULL && i < tls_contexts_certificate_count(contexts); i++)
                if (ends_soon(tls_contexts_certificate(contexts, i), now_s))
                        tell(certificates, "certificate_ends", tls_contexts_certificate(contexts, i), now_s);
}

bool certificates_load_first(struct certificates *certificates, const struct snapshot *snapshot,
                             struct tls_contexts **ret_contexts, SSL_CTX **ret_hops)
{
        struct conf_complaints complaints = {0};

        if (!tls_tickets_init(&certificates->tickets)) {
                fputs("gatepost: OpenSSL cannot be used: it has no AES-256-CBC\n", stderr);
                return false;
        }
        *ret_contexts = tls_contexts_load(snapshot, NULL, &certificates->tickets, TLS_AT_START, &complaints);
        *ret_hops = tls_client_open(snapshot, &complaints);
        console_complaints(complaints.text);
        bool can_be_used = complaints.errors == 0;
        conf_complaints_end(&complaints);
        return can_be_used;
}

void certificates_begin(struct certificates *certificates, struct tls_contexts *contexts,
                        struct publication *publication, struct log_writer *log, struct counters *counters)
{
        published_accompany(atomic_load(&publication->published), contexts, tls_contexts_free);
        certificates->publication = publication;
        certificates->log = log;
        certificates->counters = counters;
}

bool certificates_use(struct certificates *certificates, uint64_t now_s)
{
        const struct tls_contexts *contexts = in_force(certificates);
        bool are_new = false;

        if (contexts != NULL)
                tls_contexts_use_tickets(contexts);
        for (size_t i = 0; contexts != NULL && i < tls_contexts_certificate_count(contexts); i++) {
                struct tls_certificate *certificate = tls_contexts_certificate(contexts, i);
                if (certificate->is_told)
                        continue;
                tell(certificates, "certificate", certificate, now_s);
                certificate->is_told = are_new = true;
        }
        tell_of_ends(certificates, contexts, now_s);
        count(certificates, contexts, now_s);
        certificates->next_look_s = now_s + LOOK_S;
        return are_new;
}

void certificates_look(struct certificates *certificates, uint64_t now_s)
{
        tls_tickets_look(&certificates->tickets, now_s);
        /* A look or a warning that is further off than the next one can be was meant by a clock that was ahead. */
        if (now_s < certificates->next_look_s && certificates->next_look_s - now_s <= LOOK_S)
                return;
        const struct tls_contexts *contexts = in_force(certificates);
        certificates->next_look_s = now_s + LOOK_S;
        count(certificates, contexts, now_s);
        if (now_s >= certificates->next_warnings_s || certificates->next_warnings_s - now_s > DAY_S)
                tell_of_ends(certificates, contexts, now_s);
}

void certificates_end(struct certificates *certificates)
{
        tls_tickets_end(&certificates->tickets);
}
