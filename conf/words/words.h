/* What options are that are one word out of a few. */
#pragma once

#include "core/feed/format.h"

enum reject_moment { REJECT_AT_RCPT, REJECT_AT_FIRST };
enum newline_form { NEWLINE_CRLF, NEWLINE_LF };
enum listed_moment { LISTED_AT_RCPT, LISTED_UNDER_LOAD, LISTED_AT_ACCEPT };
enum local_part_case { LOCAL_PART_FOLD, LOCAL_PART_EXACT };

enum failure_action { ACTION_PASS, ACTION_DEFER, ACTION_REFUSE };
enum repair_action { REPAIR_REFUSE, REPAIR_NORMALISE };
enum sandbox_mode { SANDBOX_OFF, SANDBOX_OBSERVE, SANDBOX_ENFORCE, SANDBOX_KILL };
enum tls_version { TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };
enum certificate_wish { CERTIFICATE_NOT_WANTED, CERTIFICATE_WANTED };
enum language { LANGUAGE_ENGLISH, LANGUAGE_GERMAN, LANGUAGE_COUNT };
/* How a next hop is told who our client is. */
enum hop_naming { HOP_NAMES_NOBODY, HOP_NAMES_BY_XCLIENT, HOP_NAMES_BY_XFORWARD };
/* MAY: where the hop offers and takes it, else in plain text. MUST: else nothing. */
enum hop_starttls { HOP_STARTTLS_NONE, HOP_STARTTLS_MAY, HOP_STARTTLS_MUST };
/* Whether a field stands in a copy: where nobody says otherwise, as it is usual for whoever takes the copy. */
enum field_wish { FIELD_AUTO, FIELD_YES, FIELD_NO };
enum delivered_to { DELIVERED_TO_NOT, DELIVERED_TO_MAILBOX, DELIVERED_TO_ADDRESS };
enum service_asked { SERVICE_ASKED_RCPT, SERVICE_ASKED_END, SERVICE_ASKED_BOTH };
enum log_addresses { LOG_ADDRESSES_PLAIN, LOG_ADDRESSES_PSEUDONYM };
enum starttls_policy { STARTTLS_OFFER, STARTTLS_REQUIRE, STARTTLS_OFF };
/* Where a zone with files is asked while these are of no use. */
enum feed_fallback { FEED_FALLBACK_ERROR, FEED_FALLBACK_DNS };
enum exchange_requirement { REQUIRE_MX, REQUIRE_MX_OR_ADDRESS };
/* What a check does about a failure: refuses by itself, or as DMARC finds at the end of the text. */
enum failure_left_to { FAILURE_REFUSES, FAILURE_LEFT_TO_DMARC };
enum quarantine_form { QUARANTINE_NOT, QUARANTINE_FIELD, QUARANTINE_REFUSES };
