/* See session_modes.h. A snapshot that is loaded anew for each input would cost more than its session. */
#include "tests/fuzz/session_modes.h"

#include "core/base/expect.h"

#include <string.h>

void session_modes_read(struct session_modes *ret_modes, const struct snapshot *snapshot)
{
        expect(snapshot->domain_count == MODE_DOMAINS);
        memcpy(ret_modes->global, snapshot->checks, sizeof ret_modes->global);
        memcpy(ret_modes->are_wanted, snapshot->check_is_wanted, sizeof ret_modes->are_wanted);
        for (size_t i = 0; i < MODE_DOMAINS; i++)
                memcpy(ret_modes->of_domains[i], snapshot->domains[i].checks,
                       sizeof ret_modes->of_domains[i]);
}

static void set_check(struct snapshot *snapshot, enum check_id check, unsigned modes)
{
        static const enum check_mode digits[] = {CHECK_MODE_ENFORCE, CHECK_MODE_OBSERVE, CHECK_MODE_OFF};

        if (check_infos[check].kind == CHECK_KIND_RULE)
                return;
        snapshot->checks[check].mode = digits[modes % 3];
        bool is_wanted = snapshot->checks[check].mode != CHECK_MODE_OFF;
        for (size_t i = 0; i < MODE_DOMAINS; i++) {
                modes /= 3;
                snapshot->domains[i].checks[check].mode = digits[modes % 3];
                is_wanted = is_wanted || snapshot->domains[i].checks[check].mode != CHECK_MODE_OFF;
        }
        snapshot->check_is_wanted[check] = is_wanted;
}

void session_modes_set(struct snapshot *snapshot, const struct session_modes *modes, struct span line)
{
        memcpy(snapshot->checks, modes->global, sizeof modes->global);
        memcpy(snapshot->check_is_wanted, modes->are_wanted, sizeof modes->are_wanted);
        for (size_t i = 0; i < MODE_DOMAINS; i++)
                memcpy(snapshot->domains[i].checks, modes->of_domains[i], sizeof modes->of_domains[i]);
        for (size_t check = 0; check < CHECK_COUNT && check < line.length; check++)
                set_check(snapshot, (enum check_id)check, (unsigned char)line.at[check] % 27u);
}
