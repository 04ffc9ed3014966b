/* gatepost dmarc-report: the aggregate reports of DMARC about a day, from the log, as mails in files. */
#pragma once

extern const char dmarc_report_help[];

int dmarc_report_main(int argc, char **argv);
