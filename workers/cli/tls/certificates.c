/* What serve would find in the files, told before it does. */
#include "workers/cli/tls/certificates.h"

#include "workers/tls/certificate.h"
#include "workers/tls/client/client.h"

#include <string.h>

/* Without RSA some clients of TLS 1.2 find no cipher: those that do not list P-256 among their groups. */
static void tell_of_missing_kind(const struct snapshot *snapshot, const struct tls_contexts *contexts,
                                 struct conf_complaints *complaints)
{
        struct tls_certificate *shown[TLS_KINDS_MAX];
        size_t count = tls_contexts_shown(contexts, span_from(snapshot->options.hostname), shown);

        for (size_t i = 0; i < count; i++)
                if (strncmp(shown[i]->kind, "RSA", 3) == 0)
                        return;
        if (count > 0)
                conf_complain(complaints, COMPLAINT_NOTE, &(struct place){shown[0]->path, 0},
                              "there is no RSA certificate beside it: a few old clients can use no other");
}

static void tell(const struct tls_certificate *certificate, struct conf_complaints *complaints)
{
        char octets[400], until[16];
        struct text names;
        struct tm fields;

        text_over(&names, octets, sizeof octets);
        tls_certificate_put_names(certificate, &names);
        strftime(until, sizeof until, "%Y-%m-%d", gmtime_r(&certificate->ends, &fields));
        conf_complain(complaints, COMPLAINT_NOTE, &(struct place){certificate->path, 0},
                      "%s, until %s (%u days), for %.*s%s", certificate->kind, until,
                      tls_certificate_days_left(certificate, time(NULL)), (int)names.length, names.at,
                      certificate->name_count == 0 ? "no name" : "");
}

struct tls_contexts *certificates_check(const struct snapshot *snapshot, enum tls_moment moment,
                                        struct conf_complaints *complaints)
{
        struct tls_contexts *contexts = tls_contexts_load(snapshot, NULL, NULL, moment, complaints);

        SSL_CTX_free(tls_client_open(snapshot, complaints));
        if (contexts == NULL)
                return NULL;
        for (size_t i = 0; i < tls_contexts_certificate_count(contexts); i++)
                tell(tls_contexts_certificate(contexts, i), complaints);
        tell_of_missing_kind(snapshot, contexts, complaints);
        return contexts;
}
