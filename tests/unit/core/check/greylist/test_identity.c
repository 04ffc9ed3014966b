/* Senders in the form that is the same for each of their mails, and the networks of clients. */
#include "core/check/greylist/identity.h"
#include "core/check/greylist/identity.h"

#include <criterion/criterion.h>

Test(greylist_key, senders_lose_what_differs_from_mail_to_mail)
{
        static const char *const cases[][2] = {
            {"", "<>"},
            {"Carol@Example.COM", "carol@example.com"},
            {"carol+news@example.com", "carol@example.com"},
            /* BATV, Barracuda, SRS */
            {"prvs=0123456789=carol@example.com", "carol@example.com"},
            {"PRVS=3c4d5e6f70=Carol@example.com", "carol@example.com"},
            {"btv1==123abc==carol@example.com", "carol@example.com"},
            {"SRS0=HHH=TT=example.net=carol@forward.example", "example.net=carol@forward.example"},
            {"SRS0+HHH=TT=example.net=carol@forward.example", "example.net=carol@forward.example"},
            {"srs1=HHH=first.example==HHH=TT=example.net=carol@forward.example",
             "first.example==hhh=tt=example.net=carol@forward.example"},
            /* Not tags */
            {"prvs=carol@example.com", "prvs=carol@example.com"},
            {"prvs=x=@example.com", "prvs=x=@example.com"},
            {"srs0@example.com", "srs#@example.com"},
            /* VERP */
            {"bounce-123-alice=isp.example@lists.example.com",
             "bounce-#-alice=isp.example@lists.example.com"},
            {"bounce-4567-alice=isp.example@lists.example.com",
             "bounce-#-alice=isp.example@lists.example.com"},
            {"0100018f3c2e4b5a-1b2c3d4e-000000@ses.example", "#-#-#@ses.example"},
            {"msg.deadbeef12.x@example.com", "msg.#.x@example.com"},
            /* Words stay, and so do numbers of the domain */
            {"deadbeef@example.com", "deadbeef@example.com"},
            {"facade2025lovers@example.com", "facade#lovers@example.com"},
            {"john23@m3.example.com", "john#@m3.example.com"},
            {"user1x2@example.com", "user#x#@example.com"},
            {"\"a b@c\"@example.com", "\"a b@c\"@example.com"},
            {"+@example.com", "@example.com"},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char octets[400];
                struct text text;
                text_over(&text, octets, sizeof octets);
                greylist_put_sender(&text, span_from(cases[i][0]));
                cr_expect(span_equals(text_span(&text), span_from(cases[i][1])), "%s: %.*s", cases[i][0],
                          (int)text.length, text.at);
        }
}

Test(greylist_key, clients_count_by_network)
{
        static const char *const cases[][2] = {{"192.0.2.255", "net:192.0.2.0/24"},
                                               {"192.0.3.0", "net:192.0.3.0/24"},
                                               {"2001:db8:1:2:3:4:5:6", "net:2001:db8:1:2::/64"},
                                               {"::ffff:192.0.2.1", "net:192.0.2.0/24"}};

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char octets[64];
                struct text text;
                struct address address;
                text_over(&text, octets, sizeof octets);
                cr_assert(address_parse(span_from(cases[i][0]), &address));
                greylist_put_network(&text, &address);
                cr_expect(span_equals(text_span(&text), span_from(cases[i][1])), "%s: %.*s", cases[i][0],
                          (int)text.length, text.at);
        }
}
