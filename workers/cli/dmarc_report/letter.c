/* Lines end in LF, as sendmail(1) has them. What strangers have chosen has been read as an address or a name before. */
#include "workers/cli/dmarc_report/letter.h"

#include "core/base/date.h"
#include "core/base/domain_name.h"
#include "workers/cli/files/aside.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>

#define LETTER_NAME_MAX 255
#define NAME_DOMAIN_MAX 160 /* octets of a domain in the name of a file */
#define LINE_OCTETS     57  /* in a line of base64 */
#define DIGEST_LENGTH   16
#define FILE_NAME_MAX   (2 * DOMAIN_NAME_MAX + 128)

/* Of the address. */
static void put_digest(struct text *text, const char *to)
{
        XXH64_canonical_t digest;

        XXH64_canonicalFromHash(&digest, XXH3_64bits(to, strlen(to)));
        text_put_hex(text, digest.digest, sizeof digest.digest);
}

/* The name of its file: the same for the same report and address, with nothing in it that a shell or a folder would
 * obey. */
static void put_name(struct text *text, const struct letter *letter)
{
        const struct report *report = letter->report;
        char octets[DATE_TEXT_LENGTH];
        struct text date;

        text_over(&date, octets, sizeof octets);
        date_write(&date, report->frame->begin_s);
        text_put(text, span_of(date.at, 10));
        text_put_char(text, '.');
        for (size_t i = 0; i < report->domain.length && i < NAME_DOMAIN_MAX; i++) {
                char octet = report->domain.at[i];
                text_put_char(text, ascii_is_alnum(octet) || octet == '-' || octet == '.' ? octet : '_');
        }
        text_put_char(text, '.');
        text_put_string(text, report->id);
        text_put_char(text, '.');
        put_digest(text, letter->to);
        text_put_string(text, ".eml");
}

/* ---- the message --------------------------------------------------------------------------------------- */

static void put_head(FILE *out, const struct letter *letter)
{
        const struct report *report = letter->report;
        const struct options *options = report->frame->options;
        char date_octets[64], id_octets[2 * DIGEST_LENGTH];
        struct text date, id;

        text_over(&date, date_octets, sizeof date_octets);
        date_write_mail(&date, report_end_s(report->frame) + 1);
        text_over(&id, id_octets, sizeof id_octets);
        put_digest(&id, letter->to);
        fprintf(out, "From: <%s>\nTo: <%s>\n", options->dmarc_report_from, letter->to);
        fprintf(out, "Subject: Report Domain: %.*s\n Submitter: %s\n Report-ID: <%s>\n",
                (int)report->domain.length, report->domain.at, options->hostname, report->id);
        fprintf(out, "Date: %.*s\n", (int)date.length, date.at);
        fprintf(out, "Message-ID: <%s.%.*s@%s>\n", report->id, (int)id.length, id.at, options->hostname);
        fprintf(out,
                "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
                "Content-Type: multipart/mixed; boundary=\"=_%s\"\n\n",
                report->id);
}

static void put_text(FILE *out, const struct letter *letter)
{
        const struct report *report = letter->report;
        char octets[DATE_TEXT_LENGTH];
        struct text day;

        text_over(&day, octets, sizeof octets);
        date_write(&day, report->frame->begin_s);
        fprintf(out,
                "--=_%s\nContent-Type: text/plain; charset=us-ascii\n\n"
                "This is a DMARC aggregate report (RFC 9990) about mail with\n%.*s\n"
                "in From that %s\nreceived on %.10s (UTC). The record of the domain asks for it.\n",
                report->id, (int)report->domain.length, report->domain.at, report->frame->options->hostname,
                day.at);
}

static void put_base64(FILE *out, struct span octets)
{
        unsigned char line[LINE_OCTETS / 3 * 4 + 1];

        while (octets.length > 0) {
                int length = (int)(octets.length < LINE_OCTETS ? octets.length : LINE_OCTETS);
                EVP_EncodeBlock(line, (const unsigned char *)octets.at, length);
                fprintf(out, "%s\n", line);
                octets = span_skip(octets, (size_t)length);
        }
}

static void put_attachment(FILE *out, const struct letter *letter)
{
        char octets[FILE_NAME_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        report_put_file_name(&name, letter->report);
        fprintf(out,
                "--=_%s\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n"
                "Content-Disposition: attachment;\n filename=\"%.*s\"\n\n",
                letter->report->id, (int)name.length, name.at);
        put_base64(out, letter->packed);
        fprintf(out, "--=_%s--\n", letter->report->id);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static bool write_aside(const struct letter *letter, const char *path)
{
        FILE *out = aside_open(path, 0640);

        if (out == NULL)
                return false;
        put_head(out, letter);
        put_text(out, letter);
        put_attachment(out, letter);
        return aside_close(out);
}

static enum letter_result give_up(const char *aside, enum letter_result result)
{
        int error = errno;

        unlink(aside);
        errno = error;
        return result;
}

enum letter_result letter_write(const struct letter *letter, const char *folder)
{
        char octets[LETTER_NAME_MAX + 1], path[PATH_MAX], aside[PATH_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        put_name(&name, letter);
        if (snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.length, name.at) >= PATH_MAX ||
            snprintf(aside, sizeof aside, "%s/.dmarc-report.%ld", folder, (long)getpid()) >= PATH_MAX) {
                errno = ENAMETOOLONG;
                return LETTER_FAILED;
        }
        if (access(path, F_OK) == 0)
                return LETTER_KEPT;
        unlink(aside); /* of a run that was killed */
        if (!write_aside(letter, aside))
                return give_up(aside, LETTER_FAILED);
        /* link(2), because rename(2) would take the place of one that has come meanwhile. */
        if (link(aside, path) != 0)
                return give_up(aside, errno == EEXIST ? LETTER_KEPT : LETTER_FAILED);
        unlink(aside);
        return LETTER_WRITTEN;
}
