/* Lines of samples. */
#include "workers/server/web/exposition.h"

#include <inttypes.h>

#define NS_PER_S UINT64_C(1000000000)

void exposition_family(struct text *out, const char *name, const char *type, const char *help)
{
        text_printf(out, "# HELP gatepost_%s %s\n# TYPE gatepost_%s %s\n", name, help, name, type);
}

/* Quotes, backslashes and line ends are escaped; other octets that are not printable are masked. */
static void put_label(struct text *out, const struct exposition_label *label)
{
        text_put_string(out, label->name);
        text_put(out, SPAN("=\""));
        for (size_t i = 0; i < label->value.length; i++) {
                char octet = label->value.at[i];
                if (octet == '"' || octet == '\\')
                        text_put_char(out, '\\');
                text_put_char(out, ascii_is_control(octet) || (unsigned char)octet >= 0x80 ? '?' : octet);
        }
        text_put_char(out, '"');
}

static void put_labels(struct text *out, const struct exposition_label *first,
                       const struct exposition_label *second)
{
        if (first == NULL && second == NULL)
                return;
        text_put_char(out, '{');
        if (first != NULL)
                put_label(out, first);
        if (first != NULL && second != NULL)
                text_put_char(out, ',');
        if (second != NULL)
                put_label(out, second);
        text_put_char(out, '}');
}

static void begin_sample(struct text *out, const char *name, const struct exposition_label *first,
                         const struct exposition_label *second)
{
        text_put_string(out, "gatepost_");
        text_put_string(out, name);
        put_labels(out, first, second);
        text_put_char(out, ' ');
}

void exposition_number(struct text *out, const char *name, const struct exposition_label *first,
                       const struct exposition_label *second, uint64_t number)
{
        begin_sample(out, name, first, second);
        text_put_number(out, number);
        text_put_char(out, '\n');
}

/* With up to nine digits behind the point, without the noughts that end them. */
static void put_seconds(struct text *out, uint64_t ns)
{
        size_t begin = out->length;

        text_printf(out, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S, ns % NS_PER_S);
        while (out->length > begin && out->at[out->length - 1] == '0')
                out->length--;
        if (out->length > begin && out->at[out->length - 1] == '.')
                out->length--;
}

void exposition_seconds(struct text *out, const char *name, const struct exposition_label *first,
                        const struct exposition_label *second, uint64_t ns)
{
        begin_sample(out, name, first, second);
        put_seconds(out, ns);
        text_put_char(out, '\n');
}

static void put_bucket(struct text *out, const char *name, const struct exposition_label *label,
                       size_t bucket, uint64_t count)
{
        char octets[32];
        struct text bound;

        text_over(&bound, octets, sizeof octets);
        if (bucket < HISTOGRAM_BOUNDS)
                put_seconds(&bound, histogram_bounds_ms[bucket] * NS_PER_MS);
        else
                text_put(&bound, SPAN("+Inf"));
        text_printf(out, "gatepost_%s_bucket", name);
        put_labels(out, label, LABEL("le", text_span(&bound)));
        text_printf(out, " %" PRIu64 "\n", count);
}

/* The count is that of the buckets, so that both agree whatever is counted meanwhile. */
void exposition_histogram(struct text *out, const char *name, const struct exposition_label *label,
                          const struct histogram *histogram)
{
        uint64_t count = 0;

        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
                count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
                put_bucket(out, name, label, i, count);
        }
        text_printf(out, "gatepost_%s_sum", name);
        put_labels(out, label, NULL);
        text_put_char(out, ' ');
        put_seconds(out, atomic_load_explicit(&histogram->sum_ms, memory_order_relaxed) * NS_PER_MS);
        text_printf(out, "\ngatepost_%s_count", name);
        put_labels(out, label, NULL);
        text_printf(out, " %" PRIu64 "\n", count);
}
