/* Fuzzes the import of Postfix's main.cf and master.cf: whatever they say, no file is read, and what is written is a
 * configuration, and files of recipients, that our own parsers take. Behind a line "---" stands master.cf. */
#include "conf/build/load.h"
#include "conf/recipients/entry.h"
#include "conf/value/path.h"
#include "conf/value/recipient/settings.h"
#include "core/base/local_part.h"
#include "core/base/expect.h"
#include "workers/cli/import/rules/translate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

/* Files of recipients and lists, which would stand beside the configuration, are not there: nothing else may be
 * wrong. */
static bool is_about_files(const struct conf_complaints *complaints)
{
        struct span rest = complaints->text == NULL ? span_of("", 0) : span_from(complaints->text);

        while (rest.length > 0) {
                size_t end = span_find(rest, '\n');
                struct span line = span_of(rest.at, end == SIZE_MAX ? rest.length : end);
                if (memmem(line.at, line.length, ": error: ", 9) != NULL &&
                    memmem(line.at, line.length, "No such file", 12) == NULL)
                        return false;
                rest = span_skip(rest, line.length + 1);
        }
        return true;
}

static void expect_parsed(const char *text)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load_text(text, "/proc/self/fd/nowhere", &complaints);

        if (snapshot == NULL && !is_about_files(&complaints))
                fprintf(stderr, "%s\n%s\n", text, complaints.text);
        expect(snapshot != NULL || is_about_files(&complaints));
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
}

/* A Maildir as the section of a domain would take it. */
static void expect_maildir(struct keep *keep, struct span deliver, size_t domain_length)
{
        if (!span_starts_nocase(deliver, SPAN("maildir:")))
                return;
        const char *path = path_resolve(span_skip(deliver, 8), "/", &keep->arena);
        expect(path != NULL && mailbox_path_fault(path) == NULL &&
               !mailbox_path_has_long_component(path, domain_length));
}

/* A line of a file of recipients; *before is the mailbox of the line in front, which none has again. */
static void expect_recipient(struct keep *keep, struct span line, struct span *before)
{
        char octets[LOCAL_PART_MAX], normal_octets[LOCAL_PART_MAX], message[RECIPIENT_FAULT_MAX];
        struct span entry = line, settings_text = recipient_settings_split(&entry), domain, deliver;
        struct recipient_settings settings;
        struct text local, normal;

        text_over(&local, octets, sizeof octets);
        text_over(&normal, normal_octets, sizeof normal_octets);
        const char *fault = recipient_entry_read(entry, &local, &domain, message);
        if (fault == NULL && settings_text.length > 0)
                fault = recipient_settings_read(settings_text, &settings, &deliver, message);
        if (fault != NULL)
                fprintf(stderr, "%.*s: %s\n", SPAN_ARG(line), fault);
        expect(fault == NULL && domain.length > 0);
        if (settings_text.length > 0)
                expect_maildir(keep, deliver, domain.length - 1);
        expect(local_part_normalise(text_span(&local), true, &normal));
        expect(!span_equals(text_span(&normal), *before));
        *before = keep_span(keep, text_span(&normal));
}

static void expect_recipients(struct import *import)
{
        for (const struct import_file *file = import->files; file != NULL; file = file->next) {
                struct span before = span_of("", 0);
                if (!span_starts_nocase(file->name, SPAN("recipients/")))
                        continue;
                for (const struct import_line *line = file->first; line != NULL; line = line->next)
                        expect_recipient(import->keep, line->text, &before);
        }
}

static void write_all(struct import *import)
{
        char *text = NULL, *report = NULL;
        size_t text_length, report_length;
        FILE *file = open_memstream(&text, &text_length);

        expect(file != NULL);
        draft_write(&import->draft, false, "main.cf", file);
        expect(fclose(file) == 0);
        file = open_memstream(&report, &report_length);
        expect(file != NULL);
        report_print(&import->report, "main.cf", file);
        expect(fclose(file) == 0);
        for (size_t i = 0; i < report_length; i++)
                expect(report[i] == '\n' || (report[i] >= ' ' && report[i] < 0x7f));
        expect_parsed(text);
        expect_recipients(import);
        free(text);
        free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct keep keep;
        struct import import;
        struct span whole = span_of((const char *)octets, length), master = span_of(NULL, 0);
        const char *border = length == 0 ? NULL : memmem(whole.at, whole.length, "\n---\n", 5);

        if (border != NULL) {
                master = span_skip(whole, (size_t)(border - whole.at) + 5);
                whole.length = (size_t)(border - whole.at) + 1;
        }
        keep_init(&keep);
        import_init(&import, &keep, "main.cf", SPAN("mx.isp.example"));
        if (!import_read(&import, whole, master) || !import_translate(&import))
                expect(import.fault.message[0] != '\0');
        else
                write_all(&import);
        keep_end(&keep);
        return 0;
}
