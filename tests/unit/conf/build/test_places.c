/* Where options stand. */
#include "conf/build/places.h"
#include "tests/unit/conf/fixture.h"

TestSuite(places, .init = folder_begin, .fini = folder_end);

static const char text[] = "include(\"more\")\n"
                           "state_size = 8M # its former name\n"
                           "dnsbl {\n"
                           " threshold = 2\n"
                           " zone \"a.example\" { weight = 3 }\n"
                           " zone \"b.example\" {\n"
                           "  weight = 4 }\n"
                           "}\n"
                           "trusted_networks = {}\n"
                           "domain \"isp.example\" {\n"
                           " recipients = \"people\" spf { mode = off }\n"
                           "}\n";
static const char more[] = "\nhelo_impersonation { names = {\"one.example\",\n\"two.example\"} }\n";

static void read_places(struct option_places *places)
{
        char path[64];

        write_file("conf", text, sizeof text - 1);
        write_file("more", more, sizeof more - 1);
        snprintf(path, sizeof path, "%s/conf", folder);
        cr_assert(option_places_read(places, path));
}

/* Returns the place behind, so that the next one can be asked for. */
static const struct option_place *expect_place(const struct option_places *places,
                                               const struct option_place *after, const char *section,
                                               const char *title, const char *key, const char *value,
                                               unsigned line)
{
        const struct option_place *place = option_places_find(places, after, section, title, key);

        cr_assert(place != NULL, "%s %s", section, key);
        cr_expect_str_eq(place->value, value);
        cr_expect_eq(place->place.line, line, "%s %s: line %u", section, key, place->place.line);
        return place;
}

Test(places, each_value_has_its_section_and_its_line)
{
        struct option_places places;

        read_places(&places);
        expect_place(&places, NULL, "", NULL, "sender_size", "8M", 2);
        expect_place(&places, NULL, "dnsbl", NULL, "threshold", "2", 4);
        expect_place(&places, NULL, "zone", "b.example", "weight", "4", 7);
        const struct option_place *first = expect_place(&places, NULL, "zone", NULL, "weight", "3", 5);
        expect_place(&places, first, "zone", NULL, "weight", "4", 7);
        expect_place(&places, NULL, "", NULL, "trusted_networks", "", 9);
        expect_place(&places, NULL, "domain", "isp.example", "recipients", "people", 11);
        option_places_end(&places);
}

Test(places, items_of_a_list_have_lines_of_their_own_and_files_their_names)
{
        struct option_places places;
        char path[64];

        read_places(&places);
        snprintf(path, sizeof path, "%s/more", folder);
        const struct option_place *one =
            expect_place(&places, NULL, "helo_impersonation", NULL, "names", "one.example", 2);
        cr_expect_str_eq(one->place.file, path);
        expect_place(&places, one, "helo_impersonation", NULL, "names", "two.example", 3);
        option_places_end(&places);
}

Test(places, the_mode_of_a_domain_and_what_is_not_set_have_none)
{
        struct option_places places;

        read_places(&places);
        cr_expect_null(option_places_find(&places, NULL, "spf", NULL, "mode"));
        cr_expect_null(option_places_find(&places, NULL, "zone", "c.example", "weight"));
        cr_expect_null(option_places_find(&places, NULL, "", NULL, "hostname"));
        option_places_end(&places);
}

Test(places, what_cannot_be_read_gives_nothing)
{
        struct option_places places;

        cr_expect_not(option_places_read(&places, "/nowhere/conf"));
        write_file("open", "dnsbl { \"", 9);
        char path[64];
        snprintf(path, sizeof path, "%s/open", folder);
        cr_expect_not(option_places_read(&places, path));
}
