/* Growth of one number, as cells. */
#include "workers/server/web/page/growth.h"

#include "workers/server/web/page/html.h"

struct growth growth_of(const struct samples *samples, size_t at)
{
        static const struct sample nothing;
        const struct sample *now = samples_back(&samples->minute, 0);

        return (struct growth){
            .minute = samples_growth(now, samples_oldest(&samples->minute), at),
            .hour = samples_growth_of_hour(samples, at),
            .start = samples_growth(now, &nothing, at),
        };
}

void growth_put_cells(struct text *out, const struct growth *growth)
{
        html_put_number_cell(out, growth->minute);
        html_put_number_cell(out, growth->hour);
        html_put_number_cell(out, growth->start);
}
