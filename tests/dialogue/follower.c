/* Every session is followed, by client, sender and recipient: what is told is a line without a control in it. */
#include "core/base/expect.h"
#include "tests/dialogue/harness.h"

static const struct follow_filter filters[FOLLOWERS_MAX] = {
    {.what = FOLLOW_CLIENT},
    {.what = FOLLOW_SENDER, .length = 1, .pattern = "*"},
    {.what = FOLLOW_RECIPIENT, .length = 1, .pattern = "*"},
};

static void take(void *teller, uint32_t followers, struct span line)
{
        (void)teller;
        expect(followers != 0 && line.length > 2 && line.length <= FOLLOW_LINE_MAX);
        expect(line.at[0] == '{' && line.at[line.length - 2] == '}' && line.at[line.length - 1] == '\n');
        expect(!span_has_control(span_of(line.at, line.length - 1)));
}

void harness_init_follower(struct harness *harness)
{
        harness->host.follow = (struct follow){.active = 7, .filters = filters, .tell = take};
}
