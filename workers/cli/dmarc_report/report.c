/* The order of the elements is that of RFC 9990's tables, where it matters and where not. */
#include "workers/cli/dmarc_report/report.h"

#include "workers/cli/dmarc_report/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zlib.h>

#define DAY_S          86400
#define WORDS_MAX      1024      /* octets of an option, escaped */
#define GZIP           (15 + 16) /* the largest window, and the header of gzip, which has no time then */
#define DEFLATE_MEMORY 9

int64_t report_end_s(const struct report_frame *frame)
{
        return frame->begin_s + DAY_S - 1;
}

void report_set_id(struct report *report)
{
        XXH128_canonical_t digest;
        char octets[600];
        struct text name, id;

        text_over(&name, octets, sizeof octets);
        text_printf(&name, "%s!%.*s!%" PRId64 "!%u", report->frame->options->hostname,
                    (int)report->domain.length, report->domain.at, report->frame->begin_s, report->part);
        XXH128_canonicalFromHash(&digest, XXH3_128bits(name.at, name.length));
        text_over(&id, report->id, sizeof report->id - 1);
        text_put_hex(&id, digest.digest, REPORT_ID_LENGTH / 2);
        report->id[id.length] = '\0';
}

void report_put_file_name(struct text *text, const struct report *report)
{
        text_printf(text, "%s!%.*s!%" PRId64 "!%" PRId64 "!%s.xml.gz", report->frame->options->hostname,
                    (int)report->domain.length, report->domain.at, report->frame->begin_s,
                    report_end_s(report->frame), report->id);
}

/* ---- XML ----------------------------------------------------------------------------------------------- */

/* `value` is escaped. */
static void put(FILE *out, const char *name, struct span value)
{
        fprintf(out, "<%s>%.*s</%s>\n", name, (int)value.length, value.at, name);
}

/* False, and nothing: there are none, or they are too long. A part of them could end within a character or an escape,
 * and then nobody could read the report. */
static bool put_words(FILE *out, const char *name, const char *words)
{
        char octets[WORDS_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        xml_put(&text, span_from(words), true);
        if (text.length == 0 || text.overflowed)
                return false;
        put(out, name, text_span(&text));
        return true;
}

static void put_metadata(FILE *out, const struct report *report)
{
        const struct options *options = report->frame->options;

        fputs("<report_metadata>\n", out);
        if (!put_words(out, "org_name", options->policy_page_organisation))
                put_words(out, "org_name", options->hostname);
        put_words(out, "email", options->dmarc_report_from);
        put_words(out, "extra_contact_info", options->policy_page_contact);
        put_words(out, "report_id", report->id);
        fprintf(out, "<date_range>\n<begin>%" PRId64 "</begin>\n<end>%" PRId64 "</end>\n</date_range>\n",
                report->frame->begin_s, report_end_s(report->frame));
        if (report->is_cut)
                put_words(out, "error",
                          "There is more than these reports hold: further records of this day are left out.");
        put_words(out, "generator", "gatepost " VERSION);
        fputs("</report_metadata>\n", out);
}

static void put_policy(FILE *out, const struct report *report)
{
        static const char *const names[] = {
            [ENTRY_P] = "p",         [ENTRY_SP] = "sp",     [ENTRY_NP] = "np",           [ENTRY_FO] = "fo",
            [ENTRY_ADKIM] = "adkim", [ENTRY_ASPF] = "aspf", [ENTRY_TESTING] = "testing",
        };
        struct span rest = report->policy;

        fputs("<policy_published>\n", out);
        put(out, "domain", entry_field_next(&rest));
        fputs("<discovery_method>treewalk</discovery_method>\n", out);
        entry_field_next(&rest); /* the time */
        for (size_t i = ENTRY_P; i <= ENTRY_TESTING; i++)
                put(out, names[i], entry_field_next(&rest));
        fputs("</policy_published>\n", out);
}

static void put_row(FILE *out, struct span count, const struct span fields[static ENTRY_FIELDS])
{
        fputs("<row>\n", out);
        put(out, "source_ip", fields[ENTRY_SOURCE]);
        put(out, "count", count);
        fputs("<policy_evaluated>\n", out);
        put(out, "disposition", fields[ENTRY_DISPOSITION]);
        put(out, "dkim", fields[ENTRY_DKIM]);
        put(out, "spf", fields[ENTRY_SPF]);
        if (fields[ENTRY_REASON].length > 0) {
                fputs("<reason>\n", out);
                put(out, "type", fields[ENTRY_REASON]);
                if (fields[ENTRY_COMMENT].length > 0)
                        put(out, "comment", fields[ENTRY_COMMENT]);
                fputs("</reason>\n", out);
        }
        fputs("</policy_evaluated>\n</row>\n<identifiers>\n", out);
        put(out, "header_from", fields[ENTRY_HEADER_FROM]);
        put(out, "envelope_from", fields[ENTRY_ENVELOPE_FROM]);
        fputs("</identifiers>\n", out);
}

static void put_signature(FILE *out, struct span *rest)
{
        fputs("<dkim>\n", out);
        put(out, "domain", entry_field_next(rest));
        put(out, "selector", entry_field_next(rest));
        put(out, "result", entry_field_next(rest));
        struct span why = entry_field_next(rest);
        if (why.length > 0)
                put(out, "human_result", why);
        fputs("</dkim>\n", out);
}

static void put_record(FILE *out, struct span line)
{
        struct span fields[ENTRY_FIELDS];
        struct span count = entry_field_next(&line);

        for (size_t i = 0; i < ENTRY_FIELDS; i++)
                fields[i] = entry_field_next(&line);
        fputs("<record>\n", out);
        put_row(out, count, fields);
        fputs("<auth_results>\n", out);
        while (line.length > 0)
                put_signature(out, &line);
        if (fields[ENTRY_SPF_RESULT].length > 0) {
                fputs("<spf>\n", out);
                put(out, "domain", fields[ENTRY_ENVELOPE_FROM]);
                fputs("<scope>mfrom</scope>\n", out);
                put(out, "result", fields[ENTRY_SPF_RESULT]);
                fputs("</spf>\n", out);
        }
        fputs("</auth_results>\n</record>\n", out);
}

static void write_xml(FILE *out, const struct report *report)
{
        struct span rows = report->rows;

        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
              "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n<version>1.0</version>\n",
              out);
        put_metadata(out, report);
        put_policy(out, report);
        while (rows.length > 0) {
                size_t length = span_find(rows, '\n');
                put_record(out, span_of(rows.at, length));
                rows = span_skip(rows, length + 1);
        }
        fputs("</feedback>\n", out);
}

/* ---- gzip ---------------------------------------------------------------------------------------------- */

static char *compress_all(char *octets, size_t length, size_t *ret_length)
{
        z_stream stream = {0};

        if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP, DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) !=
            Z_OK)
                return NULL;
        size_t room = deflateBound(&stream, length);
        char *packed = malloc(room);
        stream.next_in = (Bytef *)octets;
        stream.avail_in = (uInt)length;
        stream.next_out = (Bytef *)packed;
        stream.avail_out = (uInt)room;
        bool is_packed = packed != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END;
        *ret_length = stream.total_out;
        deflateEnd(&stream);
        if (!is_packed) {
                free(packed);
                return NULL;
        }
        return packed;
}

char *report_pack(const struct report *report, size_t *ret_length)
{
        char *octets = NULL, *packed = NULL;
        size_t length;
        FILE *out = open_memstream(&octets, &length);

        if (out == NULL)
                return NULL;
        write_xml(out, report);
        bool is_written = !ferror(out);
        if (fclose(out) == 0 && is_written && length <= UINT32_MAX)
                packed = compress_all(octets, length, ret_length);
        free(octets);
        return packed;
}
