/* Fuzzes the configuration: text to snapshot. The text may name files, so it is given a directory without
 * any. */
#include "conf/build/load.h"

#include "core/base/expect.h"
#include "conf/value/filter.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOLDER      "/proc/self/fd"
#define FILE_NUMBER 42

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

/* What sessions do with any snapshot. */
static void look_up(const struct snapshot *snapshot)
{
        char octets[1024];
        struct text mailbox;

        for (size_t i = 0; i < snapshot->domain_count; i++) {
                const struct domain *domain = &snapshot->domains[i];
                expect(snapshot_find_domain(snapshot, domain->name) == domain);
                expect(span_equals(snapshot_own_name(snapshot, domain->name), domain->name));
                text_over(&mailbox, octets, sizeof octets);
                expect(domain_find_recipient(domain, SPAN("Postmaster"), &mailbox) == RECIPIENT_KNOWN);
        }
        expect(snapshot->zone_count > 0 && snapshot->zone_count <= DNSBL_ZONES_MAX);
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &snapshot->zones[i];
                expect(zone->name.length > 0 && zone->options.weight != 0);
                filter_list_matches(&zone->options.answers, (const uint8_t[4]){127, 255, 0, 2});
        }
        for (size_t reply = 0; reply < REPLY_COUNT; reply++)
                expect(snapshot->replies[reply].code >= 200 && snapshot->replies[reply].code < 600);
        expect(snapshot->options.hostname[0] != '\0');
}

/* As a configuration it is wrong, but of some length. */
static void file_make(void)
{
        static const char people[] = "# people\nalice\nbob@isp.example # x\n\"a b\"\n";
        int file = memfd_create("people", 0);
        expect(file >= 0 && write(file, people, sizeof people - 1) == sizeof people - 1);
        expect(dup2(file, FILE_NUMBER) == FILE_NUMBER);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static bool has_file = false;
        struct conf_complaints complaints = {0};
        char *text = malloc(length + 1);

        if (!has_file)
                file_make();
        has_file = true;
        expect(text != NULL);
        memcpy(text, octets, length);
        text[length] = '\0';
        struct snapshot *snapshot = snapshot_load_text(text, FOLDER, &complaints);
        expect((snapshot == NULL) == (complaints.errors > 0));
        expect((complaints.text == NULL) == (complaints.errors + complaints.warnings == 0));
        if (snapshot != NULL)
                look_up(snapshot);
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
        free(text);
        return 0;
}
