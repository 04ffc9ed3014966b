/* Certificates and keys go in pairs. What is in their files is looked at by whoever serves TLS. */
#include "conf/build/internal.h"

/* There are keys, and not as many as certificates. */
static void complain_of_numbers(struct builder *builder, const struct text_list *certificates,
                                const struct text_list *keys, const struct place *place)
{
        const struct text_list *longer = certificates->count > keys->count ? certificates : keys;
        size_t pairs = certificates->count > keys->count ? keys->count : certificates->count;

        conf_complain(
            builder->complaints, COMPLAINT_ERROR, place,
            "%zu certificate%s, but %zu key%s: there is none for %s; each certificate has its key at "
            "the same place",
            certificates->count, certificates->count == 1 ? "" : "s", keys->count,
            keys->count == 1 ? "" : "s", longer->texts[pairs]);
}

static void look_at_pairs(struct builder *builder, const struct text_list *certificates,
                          const struct text_list *keys, const struct place *place)
{
        if (certificates->count == 0 && keys->count > 0)
                conf_complain(builder->complaints, COMPLAINT_ERROR, place, "a key without a certificate");
        else if (keys->count > 0 && keys->count != certificates->count)
                complain_of_numbers(builder, certificates, keys, place);
        else if (certificates->count > TLS_KINDS_MAX)
                conf_complain(builder->complaints, COMPLAINT_ERROR, place,
                              "certificate: one for each kind of key is enough, %d at most", TLS_KINDS_MAX);
}

static void look_at_domain(struct builder *builder, const struct domain *domain,
                           const struct domain_places *places)
{
        const struct domain_options *options = &domain->options;
        const struct place *place = &places->options[DOMAIN_OPTION_AT_tls_certificate];

        if (place->file == NULL)
                place = &places->options[DOMAIN_OPTION_AT_tls_key];
        look_at_pairs(builder, &options->tls_certificate, &options->tls_key, place);
        if (options->tls_certificate.count > 0 && !snapshot_has_tls(builder->snapshot))
                conf_complain(builder->complaints, COMPLAINT_ERROR, place,
                              "tls_certificate: needs the certificate of section tls beside it, for clients "
                              "that ask for no name of this one");
}

void build_finish_tls(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;
        struct place place = build_option_place(builder, OPTION_AT_tls_key);

        if (options->tls_key.count == 0)
                place = build_option_place(builder, OPTION_AT_tls_certificate);
        look_at_pairs(builder, &options->tls_certificate, &options->tls_key, &place);
        for (size_t i = 0; i < builder->snapshot->domain_count; i++)
                look_at_domain(builder, &builder->snapshot->domains[i], &builder->domains[i]);
}
