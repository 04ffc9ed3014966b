/* Calling the hooks of the checks; check.h says what each is for. The caller sees to it that the client is not a
 * trusted one. */
#pragma once

#include "core/check/check.h"
#include "core/mail/message.h"

void hooks_prepare(const struct facts *facts);
/* `settings`: of the recipient's domain, one for each check. */
void hooks_commit(const struct facts *facts, const struct check_setting *settings);
void hooks_stored(const struct facts *facts);
/* Appends the fields of all, in table order; one that does not fit is left out. False when memory is out. */
bool hooks_write_fields(const struct facts *facts, struct content *content, struct content_pool *pool);
/* `checks`, `readers`: bit masks of enum check_id. Of these checks those that read the text. */
uint64_t hooks_text_begin(const struct facts *facts, uint64_t checks);
/* Of these readers those that want more. */
uint64_t hooks_text_read(const struct facts *facts, uint64_t readers, struct span octets);
void hooks_text_end(const struct facts *facts, uint64_t readers);
struct zone_marks hooks_mark_zones(const struct facts *facts);
struct span hooks_log_result(const struct facts *facts, enum check_id check);
