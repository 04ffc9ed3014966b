/* Section http: where it may listen, and that nobody does without it. */
#include "tests/unit/conf/fixture.h"

TestSuite(http, .init = folder_begin, .fini = folder_end);

#define HTTP(more) HOSTNAME DOMAIN "http { " more " }"

Test(http, off_without_its_section)
{
        struct snapshot *snapshot = load(HOSTNAME DOMAIN);
        cr_assert_eq(snapshot->http.kind, HTTP_NOWHERE);
        snapshot_free(snapshot);
}

Test(http, places)
{
        struct snapshot *snapshot = load(HTTP(""));
        cr_assert_eq(snapshot->http.kind, HTTP_AT_ADDRESS);
        cr_assert_eq(snapshot->http.endpoint.port, 8025);
        cr_assert(address_is_loopback(&snapshot->http.endpoint.address));
        snapshot_free(snapshot);
        snapshot = load(HTTP("listen = \"unix:/run/gatepost/http.sock\""));
        cr_assert_eq(snapshot->http.kind, HTTP_AT_PATH);
        cr_assert_str_eq(snapshot->http.path, "/run/gatepost/http.sock");
        snapshot_free(snapshot);
        snapshot = load(HTTP("listen = \"unix:http.sock\""));
        cr_assert_eq(snapshot->http.path[0], '/', "relative paths begin at the file");
        snapshot_free(snapshot);
}

Test(http, complaints)
{
        check_complaints(HTTP("listen = \"[::1]:8025\""), "");
        check_complaints(HTTP("listen = \"8025\""),
                         "(text):2: error: http.listen: must be ADDRESS:PORT or unix:PATH\n");
        check_complaints(HTTP("listen = \"unix:\""),
                         "(text):2: error: http.listen: must be ADDRESS:PORT or unix:PATH\n");
        check_complaints(
            HTTP("listen = \"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
            "(text):2: error: http.listen: the path of a socket may have 1023 octets at most, and its last "
            "part 64\n");
        check_complaints(HTTP("listen = \"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                              "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
                         "");
        check_complaints(
            HTTP("listen = \"192.0.2.1:8025\""),
            "(text):2: warning: http.listen: is not loopback: whoever reaches it sees whom this "
            "server refuses, without a password and in plain text; a proxy in front of a loopback "
            "address can ask for one\n");
        check_complaints("http = yes\n" HOSTNAME DOMAIN,
                         "(text):1: error: http is a section; write http { listen = \"127.0.0.1:8025\" }\n");
}
