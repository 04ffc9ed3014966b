/* Modes that are made of two sources are made once for all recipients that have the same two. */
#include "core/smtp/command/own_checks.h"

#include "conf/value/recipient/settings.h"

struct own_checks {
        struct own_checks *next;
        const struct domain *domain;
        const struct recipient_settings *settings;
        struct check_setting checks[CHECK_COUNT];
};

static struct own_checks *add(struct transaction *transaction, const struct domain *domain,
                              const struct recipient_settings *settings)
{
        struct own_checks *own = arena_take(&transaction->arena, sizeof *own);

        if (own == NULL)
                return NULL;
        *own = (struct own_checks){.next = transaction->own_checks, .domain = domain, .settings = settings};
        recipient_settings_apply(settings, domain->checks, own->checks);
        transaction->own_checks = own;
        return own;
}

const struct check_setting *own_checks(struct transaction *transaction, const struct domain *domain,
                                       const struct recipient_settings *settings)
{
        struct own_checks *own = transaction->own_checks;

        if (settings == NULL || settings->checks == 0)
                return domain->checks;
        while (own != NULL && (own->domain != domain || own->settings != settings))
                own = own->next;
        if (own == NULL)
                own = add(transaction, domain, settings);
        return own == NULL ? NULL : own->checks;
}

static const struct deliver_target *find_destination(const struct snapshot *snapshot, struct span deliver)
{
        for (size_t i = 0; i < snapshot->domain_count; i++)
                if (span_equals(span_from(snapshot->domains[i].options.deliver), deliver))
                        return &snapshot->domains[i].deliver;
        return NULL;
}

static bool read_settings(struct session *session, const struct domain *domain, struct span text,
                          struct recipient_settings *ret_settings, const char **ret_fault)
{
        char message[RECIPIENT_FAULT_MAX];
        struct span deliver, kept = arena_copy(&session->transaction->arena, text);
        const struct deliver_target *destination = NULL;

        if (kept.at == NULL || recipient_settings_read(kept, ret_settings, &deliver, message) != NULL) {
                *ret_fault = kept.at == NULL ? "memory is out" : "its settings cannot be understood";
                return false;
        }
        ret_settings->place = domain->recipients_place;
        if (!ret_settings->has_deliver)
                return true;
        destination = find_destination(session->snapshot, deliver);
        if (destination == NULL) {
                *ret_fault = "it names a destination that no domain has as deliver";
                return false;
        }
        ret_settings->deliver = *destination;
        return true;
}

const struct recipient_settings *own_settings(struct session *session, const struct domain *domain,
                                              struct span text, const char **ret_fault)
{
        struct transaction *transaction = session->transaction;
        struct recipient_settings settings, *kept;

        for (const struct own_checks *own = transaction->own_checks; own != NULL; own = own->next)
                if (own->domain == domain && span_equals(own->settings->text, text))
                        return own->settings;
        if (!read_settings(session, domain_of_mailboxes(domain), text, &settings, ret_fault))
                return NULL;
        kept = arena_take(&transaction->arena, sizeof *kept);
        if (kept != NULL)
                *kept = settings;
        if (kept != NULL && add(transaction, domain, kept) != NULL)
                return kept;
        *ret_fault = "memory is out";
        return NULL;
}
