/* Which local parts are SRS addresses of these days. */
#include "core/mail/srs.h"

#include <criterion/criterion.h>

#define DAY INT64_C(20782) /* 302 of 1024: "JO" */

Test(srs, forms_and_days)
{
        static const struct {
                const char *local_part;
                bool is_recent;
        } samples[] = {
            {"SRS0=abcd=JO=far.example=bert", true},
            {"srs0=abcd=jo=far.example=bert", true},
            {"SRS0+ab/+=JO=far.example=bert=x", true},
            {"SRS0-abcdef=JO=far.example=b", true},
            {"SRS1=abcd=other.example==wxyz=AA=far.example=bert", true},
            {"SRS1+abcd=other.example=-wxyz=AA=far.example=bert", true},
            {"SRS0=abcd=JP=far.example=bert", true},  /* tomorrow */
            {"SRS0=abcd=JQ=far.example=bert", false}, /* the day after */
            {"SRS0=abcd=IZ=far.example=bert", true},  /* 21 days ago */
            {"SRS0=abcd=IY=far.example=bert", false},
            {"SRS0=abc=JO=far.example=bert", false},
            {"SRS0=ab d=JO=far.example=bert", false},
            {"SRS0=abcd=J1=far.example=bert", false},
            {"SRS0=abcd=J=far.example=bert", false},
            {"SRS0=abcd=JO=far=bert", false},
            {"SRS0=abcd=JO=far.example=", false},
            {"SRS0=abcd=JO=far.example", false},
            {"SRS0.abcd=JO=far.example=bert", false},
            {"SRS2=abcd=JO=far.example=bert", false},
            {"SRS0=", false},
            {"SRS0", false},
            {"alice", false},
            {"", false},
        };

        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
                cr_expect_eq(srs_is_recent(span_from(samples[i].local_part), DAY * 86400),
                             samples[i].is_recent, "%s", samples[i].local_part);
}
