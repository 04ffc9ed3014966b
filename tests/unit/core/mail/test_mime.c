/* The MIME scan on notifications of the forms of RFC 3464 and RFC 8098, and on odd ones. Each text is given
 * whole and octet by octet. */
#include "core/mail/mime/scan.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define FOUND_MAX 4096

/* Events as "<id" and "@name", one after the other. */
static void scan(const char *text, bool is_notification, bool wants_mentions, size_t cut, struct text *found,
                 struct mime_scan *scan)
{
        mime_scan_init(scan, is_notification, wants_mentions);
        for (struct span rest = span_from(text); rest.length > 0;) {
                struct span piece = span_of(rest.at, cut < rest.length ? cut : rest.length);
                enum mime_event event;
                rest = span_skip(rest, piece.length);
                while ((event = mime_scan_read(scan, &piece)) != MIME_MORE && event != MIME_OVER) {
                        text_put_char(found, event == MIME_REFERENCE ? '<' : '@');
                        text_put(found, scan->reference);
                }
                if (event == MIME_OVER)
                        return;
        }
}

struct sample {
        const char *text, *found;
        enum mime_kind kind;
        bool is_notification, wants_mentions;
};

static void expect_found(const struct sample *sample)
{
        static const size_t cuts[] = {SIZE_MAX, 1, 2, 7};
        char octets[FOUND_MAX];
        struct mime_scan state;

        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                struct text found;
                text_over(&found, octets, sizeof octets - 1);
                scan(sample->text, sample->is_notification, sample->wants_mentions, cuts[i], &found, &state);
                octets[found.length] = '\0';
                cr_expect_str_eq(octets, sample->found, "in pieces of %zu: %s, expected %s, in: %s", cuts[i],
                                 octets, sample->found, sample->text);
                cr_expect_eq(state.kind, sample->kind, "kind %d of: %s", state.kind, sample->text);
        }
}

#define EXPECT(...) expect_found(&(struct sample){__VA_ARGS__})

#define REPORT(type)                                                                                         \
        "From: Postmaster <postmaster@mail.example.com>\r\nTo: alice@isp.example\r\nSubject: Not "           \
        "delivered\r\n"                                                                                      \
        "MIME-Version: 1.0\r\nMessage-ID: <report@isp.example>\r\nContent-Type: multipart/report; "          \
        "report-type=" type                                                                                  \
        ";\r\n\tboundary=\"=_a1/x\"\r\n\r\nFor old programs: see <none@isp.example>.\r\n"                    \
        "--=_a1/x\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nYour mail to bob@example.com came "   \
        "back.\r\n"
#define STATUS                                                                                               \
        "\r\n--=_a1/x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "                  \
        "mail.example.com\r\n"                                                                               \
        "X-Message: <no@isp.example>\r\n\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: failed\r\n"  \
        "Status: 5.1.1\r\n"
#define END "\r\n--=_a1/x--\r\nMessage-ID: <behind@isp.example>\r\n"

Test(mime, a_delivery_report_with_the_message)
{
        EXPECT(REPORT("delivery-status") STATUS
               "\r\n--=_a1/x\r\nContent-Type: message/rfc822\r\n\r\n"
               "Received: from here\r\n\tby there\r\nMESSAGE-ID:\r\n <1.x@isp.example>\r\n"
               "References: <older@other.example>\r\n\r\nMessage-ID: <body@isp.example>\r\n" END,
               "<1.x@isp.example", MIME_KIND_DELIVERY_REPORT, false, false);
}

Test(mime, a_delivery_report_with_the_header)
{
        EXPECT(REPORT("\"Delivery-Status\"") STATUS
               "\r\n--=_a1/x\r\nContent-type: text/rfc822-headers\r\n\r\n"
               "Message-ID : <2@isp.example>" END,
               "<2@isp.example", MIME_KIND_DELIVERY_REPORT, false, false);
        /* An empty line in front of it. */
        EXPECT(REPORT("delivery-status") STATUS
               "\r\n--=_a1/x\r\nContent-type: text/rfc822-headers\r\n\r\n\r\n"
               "Message-ID: <2@isp.example>" END,
               "<2@isp.example", MIME_KIND_DELIVERY_REPORT, false, false);
}

Test(mime, a_returned_header_may_be_encoded)
{
        /* "Subject: x\r\nMessage-ID: <3@isp.example>\r\n" */
        EXPECT(
            REPORT("delivery-status") STATUS
            "\r\n--=_a1/x\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "U3ViamVjdDogeA0KTWVz\r\nc2FnZS1JRDogPDNAaXNwLmV4YW1wbGU+DQo=\r\n" END,
            "<3@isp.example", MIME_KIND_DELIVERY_REPORT, false, false);
        EXPECT(REPORT("delivery-status") STATUS
               "\r\n--=_a1/x\r\nContent-Transfer-Encoding: Quoted-Printable (so)\r\nContent-Type: "
               "message/global-headers\r\n"
               "\r\nSubject: =C3=A4\r\nMessage-=\r\nID: <4=40isp.=20=  \r\nexample>\r\n" END,
               "<4@isp.example", MIME_KIND_DELIVERY_REPORT, false, false);
}

Test(mime, a_read_receipt)
{
        EXPECT(
            REPORT(
                "disposition-notification") "\r\n--=_a1/x\r\nContent-Type: "
                                            "message/disposition-notification\r\n\r\n"
                                            "Reporting-UA: mail.example.com; reader\r\n"
                                            "Original-Recipient: rfc822;bob@example.com\r\n\r\n"
                                            "Original-Message-ID: <5@isp.example>\r\n"
                                            "Disposition: manual-action/MDN-sent-manually; displayed\r\n" END,
            "<5@isp.example", MIME_KIND_READ_RECEIPT, false, false);
}

Test(mime, a_report_that_does_not_say_of_what)
{
        EXPECT("Content-Type: multipart/report; boundary=\"=_a1/x\"\r\n\r\n" STATUS END, "",
               MIME_KIND_DELIVERY_REPORT, false, false);
        EXPECT("Content-Type: multipart/report; boundary=\"=_a1/x\"\r\n\r\n--=_a1/x\r\n"
               "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n" END,
               "", MIME_KIND_UNKNOWN, false, false);
        EXPECT(
            "Content-Type: multipart/report; report-type=feedback-report; boundary=\"=_a1/x\"\r\n\r\n" STATUS
                END,
            "", MIME_KIND_MAIL, false, false);
}

Test(mime, an_automatic_reply)
{
        EXPECT("Auto-Submitted: auto-replied; owner-email=\"bob@example.com\"\r\nIn-Reply-To: "
               "<6@isp.example>\r\n"
               "References: <a@b.example>\r\n <c@d.example> (comment) <6@isp.\r\n\texample>\r\n\r\nI am "
               "away.\r\n",
               "<6@isp.example<a@b.example<c@d.example<6@isp.example", MIME_KIND_AUTOMATIC_REPLY, false,
               false);
        EXPECT("Auto-Submitted: auto-generated\r\n\r\nYour order.\r\n", "", MIME_KIND_MAIL, false, false);
        EXPECT("Auto-Submitted: no\r\n\r\nx\r\n", "", MIME_KIND_MAIL, false, false);
}

Test(mime, ordinary_mail_is_over_behind_its_header)
{
        EXPECT("Subject: x\r\nContent-Type: multipart/mixed; boundary=\"=_a1/x\"\r\n\r\n" STATUS END, "",
               MIME_KIND_MAIL, false, false);
        EXPECT("Subject: x\r\nContent-Type: multipart/mixed; boundary=\"=_a1/x\"\r\n\r\n--=_a1/x\r\n"
               "Content-Type: message/rfc822\r\n\r\nMessage-ID: <7@isp.example>\r\n" END,
               "<7@isp.example", MIME_KIND_MAIL, true, false);
}

Test(mime, parts_within_parts)
{
        EXPECT("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; "
               "boundary=aa\r\n\r\n"
               "--aa  \r\nContent-Type: text/html\r\n\r\n--aab\r\n--a a\r\n--aa--x\r\n--aa--\t\r\n"
               "Content-Type: message/rfc822\r\n\r\nMessage-ID: <epilogue@isp.example>\r\n"
               "--a\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <8@isp.example>\r\n"
               "Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\nContent-Type: "
               "message/rfc822\r\n\r\n"
               "Message-ID: <of-another@isp.example>\r\n--a--\r\n",
               "<8@isp.example", MIME_KIND_MAIL, true, false);
        /* The outer delimiter ends the inner multipart too. */
        EXPECT("Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: multipart/mixed; "
               "boundary=in\r\n\r\n"
               "--in\r\n\r\ntext\r\n--out\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: "
               "<9@isp.example>\r\n",
               "<9@isp.example", MIME_KIND_MAIL, true, false);
}

static void put_nested(struct text *text, unsigned depth)
{
        for (unsigned i = 0; i < depth; i++)
                text_printf(text, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
        text_put_string(text, "Content-Type: message/rfc822\r\n\r\nMessage-ID: <10@isp.example>\r\n");
        text_put_char(text, '\0');
}

Test(mime, depth_is_bounded)
{
        static char octets[4096];
        struct text text;

        text_over(&text, octets, sizeof octets);
        put_nested(&text, MIME_DEPTH_MAX);
        EXPECT(octets, "<10@isp.example", MIME_KIND_MAIL, true, false);
        text.length = 0;
        /* Deeper than that all is text: the line is found, an encoded one would not be. */
        put_nested(&text, MIME_DEPTH_MAX + 1);
        EXPECT(octets, "<10@isp.example", MIME_KIND_MAIL, true, false);
}

Test(mime, boundaries_as_they_are_written)
{
        static const char *const types[] = {
            "multipart/mixed; boundary=b=1",
            "Multipart/Mixed;boundary=\"b=1\"",
            "multipart/mixed ; charset=\"a;boundary=no\" ; BOUNDARY = \"b\\=1  \"",
            "multipart/mixed (a (nested) \\) comment); boundary*0=b; boundary*1=\"=1\"",
            "multipart/mixed; boundary*=us-ascii'en'b%3d1",
            "multipart/mixed; boundary*0*=''b%3D; boundary*1=1",
            "multipart/mixed; what is this; boundary=b=1",
            "multipart/mixed;\r\n\tboundary=b=1",
        };
        static char octets[1024];

        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
                snprintf(octets, sizeof octets,
                         "Content-Type: %s\r\n\r\n--b=1\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: "
                         "<11@x>\r\n",
                         types[i]);
                EXPECT(octets, "<11@x", MIME_KIND_MAIL, true, false);
        }
        /* None: all is text. */
        EXPECT("Content-Type: multipart/mixed\r\n\r\n--\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: "
               "<12@x>\r\n",
               "<12@x", MIME_KIND_MAIL, true, false);
}

Test(mime, running_text_when_it_is_asked_for)
{
        EXPECT("Subject: a@b\r\n\r\nHi <bob@Example.COM>: gone.\r\n--\r\n-a@b.\r\nMessage-ID: "
               "<1@isp.example>\r\nx@@y@z\r\n",
               "@Example.COM@b.<1@isp.example@z", MIME_KIND_MAIL, true, true);
        EXPECT(REPORT("delivery-status") END, "@example.com", MIME_KIND_DELIVERY_REPORT, false, true);
        /* "to b@x.y\n" */
        EXPECT("Content-Transfer-Encoding: base64\r\n\r\ndG8gYkB4LnkK\r\n", "@x.y", MIME_KIND_MAIL, true,
               true);
        EXPECT("Subject: x\r\n\r\nbob@example.com\r\n", "", MIME_KIND_MAIL, true, false);
}

Test(mime, ids_of_hostile_shapes)
{
        static char octets[4096];
        size_t length;

        EXPECT("References: <<<a@b>> <c\r\nReferences: d@e> <f@g\r\n\r\n", "<a@b<d@e", MIME_KIND_MAIL, true,
               false);
        EXPECT("References: <\"q x\"@[192.0.2.1]><>\r\n\r\n", "<\"qx\"@[192.0.2.1]<", MIME_KIND_MAIL, true,
               false);
        /* The longest id that is looked at, and one octet more. */
        for (size_t extra = 0; extra < 2; extra++) {
                length = (size_t)snprintf(octets, sizeof octets, "References: <");
                memset(octets + length, 'x', MIME_VALUE_MAX - 2 + extra);
                strcpy(octets + length + MIME_VALUE_MAX - 2 + extra, "@y>\r\n\r\n");
                struct mime_scan state;
                char found_octets[FOUND_MAX];
                struct text found;
                text_over(&found, found_octets, sizeof found_octets);
                scan(octets, true, false, SIZE_MAX, &found, &state);
                cr_expect_eq(found.length, extra == 0 ? MIME_VALUE_MAX + 1 : 0);
        }
}

/* A million lines that begin like delimiters, in one part: no more than one look at each. */
Test(mime, endless_headers_and_delimiters_come_to_an_end)
{
        static const char line[] = "X-Endless: <a@b>\r\n", dashes[] = "--=_a1/y\r\n",
                          delimiter[] = "--=_a1/x\r\n";
        struct mime_scan state;
        uint64_t events = 0;

        mime_scan_init(&state, true, false);
        for (int i = 0; i < 100000; i++) {
                struct span piece = SPAN(line);
                events += mime_scan_read(&state, &piece) != MIME_MORE;
        }
        struct span type = SPAN("Content-Type: multipart/mixed; boundary=\"=_a1/x\"\r\n\r\n");
        events += mime_scan_read(&state, &type) != MIME_MORE;
        for (int i = 0; i < 100000; i++) {
                struct span false_one = SPAN(dashes), piece = SPAN(delimiter);
                events += mime_scan_read(&state, &false_one) != MIME_MORE;
                events += mime_scan_read(&state, &piece) != MIME_MORE;
        }
        cr_expect_eq(events, 0);
        struct span last = SPAN("Content-Type: message/rfc822\r\n\r\nMessage-ID: <12@x>");
        cr_expect_eq(mime_scan_read(&state, &last), MIME_REFERENCE);
}

/* The unit so many times, and a reference behind it, which is seen or not; in pieces of a few units. */
static void expect_seen_behind(const char *head, const char *unit, unsigned count, const char *tail,
                               bool is_seen)
{
        struct mime_scan state;
        struct span piece = span_from(head), last = span_from(tail);
        enum mime_event event = MIME_MORE;

        mime_scan_init(&state, true, false);
        while (mime_scan_read(&state, &piece) == MIME_REFERENCE)
                ;
        for (unsigned i = 0; i < count && event != MIME_OVER; i++) {
                piece = span_from(unit);
                while ((event = mime_scan_read(&state, &piece)) == MIME_REFERENCE)
                        ;
        }
        while (event != MIME_OVER && (event = mime_scan_read(&state, &last)) == MIME_REFERENCE)
                if (span_equals(state.reference, SPAN("last@x")))
                        break;
        cr_expect_eq(event == MIME_REFERENCE, is_seen, "%u of: %s", count, unit);
        cr_expect_eq(event == MIME_OVER, !is_seen, "%u of: %s", count, unit);
}

/* MIME_SPENT_MAX, from both sides: the last reference spends as well, a label and an id in running text. */
Test(mime, ids_labels_and_encoded_lines_are_bounded)
{
        static const char encoded[] = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: "
                                      "message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";

        expect_seen_behind("References:", " <a@b>", MIME_SPENT_MAX - 1, " <last@x>\r\n", true);
        expect_seen_behind("References:", " <a@b>", MIME_SPENT_MAX, " <last@x>\r\n", false);
        expect_seen_behind("A: b\r\n\r\n", "msgid:\r\n", MIME_SPENT_MAX - 2, "msgid: <last@x>\r\n", true);
        expect_seen_behind("A: b\r\n\r\n", "msgid:\r\n", MIME_SPENT_MAX - 1, "msgid: <last@x>\r\n", false);
        expect_seen_behind(encoded, "a: b\r\n", MIME_SPENT_MAX - 1, "Message-ID: <last@x>\r\n", true);
        expect_seen_behind(encoded, "a: b\r\n", MIME_SPENT_MAX, "Message-ID: <last@x>\r\n", false);
}

/* ---- values */

Test(mime, ids_without_brackets)
{
        EXPECT("References: a@b, c@d ;e@f (g@h) i@j <k@l>\r\n\r\n", "<a@b<c@d<e@f<g@h<i@j<k@l",
               MIME_KIND_MAIL, true, false);
        /* Words: what stands among them is a mailbox. */
        EXPECT("In-Reply-To: Mail of Anna a@b of Monday <c@d>\r\n\r\n", "<c@d", MIME_KIND_MAIL, true, false);
        EXPECT("In-Reply-To: \"a@b\"\r\nReferences: @a b@ @\r\nReferences: c@d", "<a@b", MIME_KIND_MAIL, true,
               false);
}

Test(mime, ids_as_encoded_words)
{
        EXPECT("References: =?us-ascii?Q?=3Ca=40b=3E?=\r\n =?x?b?PGNAZD4=?= <e@f>\r\n\r\n", "<a@b<c@d<e@f",
               MIME_KIND_MAIL, true, false);
        EXPECT("References: =?utf-8?q?=3Ca_?=  =?utf-8*en?Q?=40b_=3Cc=3E?=\r\n\r\n", "<c", MIME_KIND_MAIL,
               true, false);
        /* None of these is one. */
        EXPECT("References: <=?a@b?=> <x=?q?y@z> =?u?z?PGNAZD4=?=\r\n =?u?q <e@f> =?\r\n\r\n",
               "<=?a@b?=<x=?q?y@z<e@f", MIME_KIND_MAIL, true, false);
}

/* ---- running text */

#define TEXT "Subject: x\r\n\r\n"

Test(mime, lines_of_running_text)
{
        EXPECT(TEXT "Message-ID: <a@b> <c@d>\r\nreferences : <e@f>\r\n\t<g@h>\r\n<i@j>\r\n", "<a@b<e@f<g@h",
               MIME_KIND_MAIL, true, false);
        EXPECT(TEXT ">> X-Original-Message_Id\t=\t&lt;a@b&#x3E;\r\nin reply to: <c@d>\r\n", "<a@b<c@d",
               MIME_KIND_MAIL, true, false);
        EXPECT(TEXT "he references <a@b>\r\nmessage id <c@d>\r\nMessage-ID (a): <e@f>\r\n", "<c@d",
               MIME_KIND_MAIL, true, false);
        EXPECT(TEXT "Message-ID: <a@b x>\r\nMessage-ID: a b@c\r\nMessage-ID:\r\n\r\n <d@e>\r\n", "<a@bx",
               MIME_KIND_MAIL, true, false);
        EXPECT(TEXT "Message-ID: <a <b@c>\r\nMessage-ID: <<d@e>>\r\n", "<d@e", MIME_KIND_MAIL, true, false);
        /* An id over two lines, and one over three words of a sentence. */
        EXPECT(TEXT "> Message-ID: <a@\r\n> b.c>\r\n> Message-ID: <a\r\n> From: <b@c>\r\n", "<a@b.c",
               MIME_KIND_MAIL, true, false);
        EXPECT(TEXT "a very long sentence that has in it some word like message-id: <a@b>\r\n", "",
               MIME_KIND_MAIL, true, false);
}

#define HTML "Content-Type: text/html\r\n\r\n"

Test(mime, lines_of_html)
{
        EXPECT(HTML
               "<p>x<br>Message-ID: &lt;a@b&gt;<br/>References: &lt;c@d&gt; &lt;e@f&gt;<p>&lt;g@h&gt;\r\n",
               "<a@b<c@d<e@f", MIME_KIND_MAIL, true, false);
        EXPECT(HTML "<td\r\n>Message-ID</td\r\n><td\r\nclass='<'>&lt;<a\r\nhref='x@y'>a@b</a>&gt;</td>\r\n",
               "<a@b", MIME_KIND_MAIL, true, false);
        EXPECT(HTML "Message-ID: <a@b><i>Message-ID:</i> <img src=c@d> e&commat;f&copy;<br>", "<a@b<e@f&copy",
               MIME_KIND_MAIL, true, false);
}

/* What one part leaves over is nothing to the next. */
Test(mime, a_part_ends_what_is_open)
{
        EXPECT("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nMessage-ID:\r\n--a\r\n\r\n"
               " <a@b>\r\n--a\r\nContent-Type: text/html\r\n\r\n<p Message-ID: <\r\n--a\r\n\r\n"
               "Message-ID: <c@d>\r\n",
               "<c@d", MIME_KIND_MAIL, true, false);
}

/* The longest boundary, and one octet more. */
Test(mime, boundaries_are_bounded)
{
        static char octets[2048], boundary[MIME_BOUNDARY_MAX + 2];

        memset(boundary, 'b', sizeof boundary - 1);
        for (size_t extra = 0; extra < 2; extra++) {
                boundary[MIME_BOUNDARY_MAX + extra] = '\0';
                snprintf(octets, sizeof octets,
                         "Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\nContent-Type: "
                         "message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                         "Message-ID: <a=40b>\r\n",
                         boundary, boundary);
                EXPECT(octets, extra == 0 ? "<a@b" : "<a=40b", MIME_KIND_MAIL, true, false);
                memset(boundary, 'b', sizeof boundary - 1);
        }
}
