/* The log, sort(1), and the reports: nothing of the running server is touched, and nothing is sent. */
#include "workers/cli/dmarc_report/dmarc_report.h"

#include "conf/build/load.h"
#include "core/base/date.h"
#include "core/base/domain_name.h"
#include "dns/clock.h"
#include "workers/cli/dmarc_report/gather.h"
#include "workers/cli/dmarc_report/reports.h"
#include "workers/cli/files/aside.h"
#include "workers/cli/files/progress.h"
#include "workers/cli/files/same.h"
#include "workers/cli/usage.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOGS_MAX    10000
#define SORT_MEMORY "128M"

const char dmarc_report_help[] =
    "usage: gatepost dmarc-report -c FILE --day YYYY-MM-DD [--out DIR] [LOG]...\n\n"
    "Makes the aggregate reports of DMARC (RFC 9990) about mail of this day in UTC, which must be over, from "
    "the\n"
    "log of the configuration and its rotated files, or from these files LOG, compressed by gzip or not. "
    "Each\n"
    "report is a mail in a file of its own in DIR, whose name ends in .eml, for each address that the "
    "domain's\n"
    "record names and that agrees: one outside of that organisation is asked by DNS. A file that is there "
    "stays\n"
    "as it is. Nothing is sent; `sendmail -t -f SENDER <FILE` does that. dmarc { report_from } is the "
    "sender.\n"
    "Without --out nothing is written, and what would be is told.\n\n"
    "Exit status: 0; 1 FILE is wrong, the log is not whole, or a report could not be written: what is told "
    "on\n"
    "standard error says which; 2 wrong call.\n";

struct run {
        const char *configuration, *day, *folder;
        char **logs;
        int log_count;
        struct snapshot *snapshot;
        struct report_frame frame;
        struct gathering *gathering;
        struct sorter sorter;
        struct destination_look look;
        struct reports reports;
        bool shows_progress;
};

static bool fail(const char *what, const char *name)
{
        fprintf(stderr, "gatepost: %s %s: %s\n", what, name, strerror(errno));
        return false;
}

/* ---- the log ------------------------------------------------------------------------------------------- */

static bool read_configured(struct run *run)
{
        struct log_files files;
        bool is_found = log_files_configured(&files, run->snapshot->options.log);

        if (is_found)
                gather_rotated(run->gathering, &files);
        log_files_end(&files);
        return is_found;
}

static bool read_log(struct run *run)
{
        for (int i = 0; i < run->log_count; i++)
                if (!is_same_file_before(run->logs, i))
                        gather_file(run->gathering, &(struct log_file){.path = run->logs[i]});
        if (run->log_count == 0 && !read_configured(run))
                return false;
        if (run->gathering->is_incomplete)
                fputs("gatepost: the log is not whole, so no report would be right: none is written\n",
                      stderr);
        return !run->gathering->is_incomplete;
}

/* ---- reports ------------------------------------------------------------------------------------------- */

/* The last domain counts only when nothing can be missing behind it. */
static bool write_reports(struct run *run)
{
        uint64_t told_ms = clock_monotonic_ms();
        char *line = NULL;
        size_t size = 0;
        ssize_t length;
        bool is_good = true;

        while (is_good && (length = getline(&line, &size, run->sorter.out)) > 0) {
                line[length - 1] = '\0';
                is_good = reports_take(&run->reports, line);
                if (run->shows_progress && progress_is_due(&told_ms))
                        progress_show("domains", run->reports.domains, 0);
        }
        if (run->shows_progress && run->reports.domains > 0) {
                progress_show("domains", run->reports.domains, 0);
                fputc('\n', stderr);
        }
        free(line);
        if (!is_good)
                fputs("gatepost: memory is out\n", stderr);
        return is_good;
}

static bool sort_and_write(struct run *run, const char *folder)
{
        if (!sorter_begin(&run->sorter, folder, SORT_MEMORY))
                return fail("cannot start", "sort");
        bool is_good = read_log(run);
        if (is_good && !sorter_turn(&run->sorter))
                is_good = fail("cannot sort in", folder);
        is_good = is_good && write_reports(run);
        bool is_sorted = sorter_end(&run->sorter);
        if (is_good && !is_sorted)
                fprintf(stderr, "gatepost: sort(1) failed in %s: not all reports are there\n", folder);
        if (is_good && is_sorted)
                reports_finish(&run->reports);
        return is_good && is_sorted && run->reports.failed == 0 &&
               (run->folder == NULL || aside_sync_folder(run->folder) || fail("cannot sync", run->folder));
}

/* ---- what is told -------------------------------------------------------------------------------------- */

static void tell_count(const char *what, uint64_t count)
{
        if (count > 0)
                printf("%s: %" PRIu64 "\n", what, count);
}

static void tell(const struct run *run)
{
        static const char *const mails[ENTRY_RESULTS] = {
            [ENTRY_TAKEN] = "mails that somebody wants a report of",
            [ENTRY_WITHOUT_POLICY] = "mails from domains without a DMARC policy",
            [ENTRY_UNWANTED] = "mails whose policy asks for no reports",
            [ENTRY_UNFINISHED] = "mails that were neither taken nor refused",
            [ENTRY_UNTOLD] = "mails whose policy the log does not have, so that no report is made of them",
            [ENTRY_HIDDEN] = "mails from pseudonyms, of which no report can be made",
            [ENTRY_DAMAGED] = "mails with values that are none of ours, passed over",
        };
        const struct gathering *gathering = run->gathering;
        const struct reports *reports = &run->reports;

        printf("lines of %s: %" PRIu64 "\n", run->day, gathering->lines);
        tell_count("lines that are damaged or none of ours, of any day", gathering->damaged_lines);
        for (size_t i = 0; i < ENTRY_RESULTS; i++)
                tell_count(mails[i], gathering->mails[i]);
        printf("policy domains: %" PRIu64 "\n", reports->domains);
        tell_count("policy domains without a destination", reports->silent_domains);
        tell_count("mails of these", reports->silent_mails);
        tell_count("destinations left out", run->look.left_out);
        tell_count("mails left out because their domain has too many records", reports->cut_mails);
        printf("reports: %" PRIu64 ", of %" PRIu64 " mails\n", reports->reports, reports->mails);
        if (run->folder == NULL)
                printf("nothing is written without --out\n");
        else
                printf("written into %s: %" PRIu64 "; there before: %" PRIu64 "\n", run->folder,
                       reports->written, reports->kept);
}

/* ---- command line -------------------------------------------------------------------------------------- */

static bool read_day(const char *day, int64_t *ret_begin_s)
{
        struct tm moment = {0};

        if (strlen(day) != 10 || !date_is_right(span_from(day)))
                return false;
        moment.tm_year = atoi(day) - 1900;
        moment.tm_mon = atoi(day + 5) - 1;
        moment.tm_mday = atoi(day + 8);
        *ret_begin_s = timegm(&moment);
        return true;
}

static bool load(struct run *run)
{
        struct conf_complaints complaints = {0};

        run->snapshot = snapshot_load(run->configuration, &complaints);
        if (run->snapshot == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (run->snapshot == NULL)
                return false;
        const struct options *options = &run->snapshot->options;
        if (options->dmarc_report_from[0] == '\0')
                fprintf(stderr, "gatepost: %s: dmarc { report_from } is empty: reports need a sender\n",
                        run->configuration);
        else if (!domain_name_is_qualified(span_from(options->hostname)))
                fprintf(stderr, "gatepost: %s: hostname has one label only: reports tell whose they are\n",
                        run->configuration);
        else
                return true;
        return false;
}

static int make_reports(struct run *run)
{
        const char *folder = run->folder != NULL ? run->folder : getenv("TMPDIR");

        if (run->folder != NULL && mkdir(run->folder, 0750) != 0 && errno != EEXIST) {
                fail("cannot make the folder", run->folder);
                return 1;
        }
        if (!destination_look_begin(&run->look, &run->snapshot->options))
                return 1;
        run->frame.options = &run->snapshot->options;
        run->reports = (struct reports){.frame = &run->frame, .folder = run->folder, .look = &run->look};
        bool is_good = sort_and_write(run, folder != NULL && folder[0] != '\0' ? folder : "/tmp");
        if (!run->gathering->is_incomplete)
                tell(run);
        reports_end(&run->reports);
        destination_look_end(&run->look);
        return is_good && fflush(stdout) == 0 ? 0 : 1;
}

static int run_all(struct run *run)
{
        int status = 1;

        signal(SIGPIPE, SIG_IGN); /* sort may end early */
        run->shows_progress = isatty(STDERR_FILENO) == 1;
        run->gathering = calloc(1, sizeof *run->gathering);
        if (run->gathering == NULL) {
                fputs("gatepost: memory is out\n", stderr);
                return 1;
        }
        run->gathering->sorter = &run->sorter;
        run->gathering->shows_progress = run->shows_progress;
        span_copy_cut(span_from(run->day), run->gathering->day, sizeof run->gathering->day);
        if (load(run))
                status = make_reports(run);
        snapshot_free(run->snapshot);
        free(run->gathering);
        return status;
}

int dmarc_report_main(int argc, char **argv)
{
        struct run run = {0};
        const struct usage_option options[] = {
            {"config", &run.configuration, NULL}, {"day", &run.day, NULL}, {"out", &run.folder, NULL}, {0}};

        if (!usage_read_options(dmarc_report_help, options, LOGS_MAX, argc, argv))
                return USAGE_STATUS;
        if (run.configuration == NULL)
                return usage_fault(dmarc_report_help, "dmarc-report: -c FILE is missing");
        if (run.day == NULL)
                return usage_fault(dmarc_report_help, "dmarc-report: --day YYYY-MM-DD is missing");
        if (!read_day(run.day, &run.frame.begin_s))
                return usage_fault(dmarc_report_help,
                                   "dmarc-report: --day \"%s\" is no day such as 2026-11-28", run.day);
        if (report_end_s(&run.frame) >= clock_wall_s())
                return usage_fault(dmarc_report_help, "dmarc-report: %s is not over in UTC", run.day);
        run.logs = argv + optind;
        run.log_count = argc - optind;
        return run_all(&run);
}
