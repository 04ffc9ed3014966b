/* Modes that are made of two sources are made once for all recipients that have the same two. */
#include "core/smtp/command/own_checks.h"

#include "conf/value/recipient/settings.h"

struct own_checks {
        struct own_checks *next;
        const struct domain *domain;
        const struct recipient_settings *settings;
        struct check_setting checks[CHECK_COUNT];
};

const struct check_setting *own_checks(struct transaction *transaction, const struct domain *domain,
                                       const struct recipient_settings *settings)
{
        struct own_checks *own = transaction->own_checks;

        if (settings == NULL || settings->checks == 0)
                return domain->checks;
        while (own != NULL && (own->domain != domain || own->settings != settings))
                own = own->next;
        if (own != NULL)
                return own->checks;
        own = arena_take(&transaction->arena, sizeof *own);
        if (own == NULL)
                return NULL;
        *own = (struct own_checks){.next = transaction->own_checks, .domain = domain, .settings = settings};
        recipient_settings_apply(settings, domain->checks, own->checks);
        transaction->own_checks = own;
        return own->checks;
}
