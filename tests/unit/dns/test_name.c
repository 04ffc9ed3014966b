/* dns/name: who answers for a name, as far as it tells. */
#include "dns/name.h"

#include <criterion/criterion.h>

Test(dns_name, authority)
{
        static const char *const cases[][2] = {
            {"mail.example.com", "example.com"},
            {"example.com", "example.com"},
            {"com", "com"},
            {"66.2.0.192.zen.spamhaus.org", "spamhaus.org"},
            {"a.b.example.co.uk", "example.co.uk"},
            {"co.uk", "co.uk"},
            {"www.example.de", "example.de"},
            {"7.2.0.192.in-addr.arpa", "0.192.in-addr.arpa"},
            {"192.in-addr.arpa", "192.in-addr.arpa"},
            {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
             "8.b.d.0.1.0.0.2.ip6.arpa"},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct span found = dns_name_authority(span_from(cases[i][0]));
                cr_expect(span_equals(found, span_from(cases[i][1])), "%s: %.*s", cases[i][0],
                          (int)found.length, found.at);
        }
}
