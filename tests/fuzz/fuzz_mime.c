/* Fuzzes the scan of messages for notifications: what it finds must not depend on how the text is cut. The
 * first octet of the input says what is looked for and how it is cut. */
#include "core/base/expect.h"
#include "core/mail/mime/scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

/* All that was found, as text: an event can be no longer than what gave it. */
struct found {
        char *octets;
        struct text text;
        enum mime_kind kind;
        bool is_over;
};

static void begin(struct found *found, size_t length)
{
        found->octets = malloc(2 * length + 64);
        expect(found->octets != NULL);
        text_over(&found->text, found->octets, 2 * length + 64);
}

/* False when there is nothing more to look for. */
static bool feed(struct mime_scan *scan, struct found *found, struct span piece)
{
        enum mime_event event;

        while ((event = mime_scan_read(scan, &piece)) != MIME_MORE) {
                if (event == MIME_OVER)
                        return false;
                expect(scan->reference.length <= MIME_VALUE_MAX);
                text_put_char(&found->text, event == MIME_REFERENCE ? '<' : '@');
                text_put(&found->text, scan->reference);
        }
        expect(piece.length == 0);
        return true;
}

/* `cut`: octets a call; 0: all. */
static void scan_all(struct span input, unsigned flags, size_t cut, struct found *found)
{
        struct mime_scan *scan = malloc(sizeof *scan); /* exactly: for AddressSanitizer */

        expect(scan != NULL);
        memset(scan, 0x5a, sizeof *scan); /* nothing may lean on zeros */
        begin(found, input.length);
        mime_scan_init(scan, flags & 1, flags & 2);
        found->is_over = false;
        while (input.length > 0 && !found->is_over) {
                struct span piece = span_of(input.at, cut == 0 || cut > input.length ? input.length : cut);
                found->is_over = !feed(scan, found, piece);
                input = span_skip(input, piece.length);
        }
        if (!found->is_over)
                found->is_over = !feed(scan, found, SPAN("\r\n"));
        found->kind = scan->kind;
        expect(!found->text.overflowed && scan->depth <= MIME_DEPTH_MAX);
        free(scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct found whole, cut;

        if (length == 0)
                return 0;
        struct span input = span_of((const char *)octets + 1, length - 1);
        scan_all(input, octets[0], 0, &whole);
        scan_all(input, octets[0], 1 + octets[0] / 4 % 16, &cut);
        expect(whole.kind == cut.kind && whole.is_over == cut.is_over);
        expect(span_equals(text_span(&whole.text), text_span(&cut.text)));
        free(whole.octets);
        free(cut.octets);
        return 0;
}
