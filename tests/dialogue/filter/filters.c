/* Those who are asked before a message is taken, as scripted: mail filters, all of them together, and a next hop. */
#include "core/smtp/command/filter.h"
#include "tests/dialogue/harness.h"
#include "tests/dialogue/reports.h"

#include "core/base/expect.h"

void harness_filter(struct harness *harness)
{
        struct filter_report report = harness->filters_say;
        struct filter_question question = session_filter_question(&harness->session);

        expect(harness->is_open && question.message->recipient_count + question.recipient.length > 0);
        if (report.outcome != FILTER_IS_CONTENT)
                report.filter = &harness->session.snapshot->filters[0];
        if (question.about == FILTER_ABOUT_TEXT && harness->unread.length > 0)
                session_note_early_input(&harness->session);
        harness->wish = session_filtered(&harness->session, &report, harness_out(harness));
        harness_settle(harness);
        harness_drain(harness);
        harness_tell_to_stop(harness);
}

void harness_open(struct harness *harness)
{
        expect(harness->is_open && harness->wish == SESSION_OPEN);
        if (harness->unread.length > 0)
                session_note_early_input(&harness->session);
        harness->wish =
            session_opened(&harness->session, scripted_report(harness->hop_outcome), harness_out(harness));
        harness_settle(harness);
        harness_drain(harness);
        harness_tell_to_stop(harness);
}
