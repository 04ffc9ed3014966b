/* What rows of restrictions.def do that need no file of their own. */
#pragma once

#include "workers/cli/import/rules/restrictions/restrictions.h"

void restrict_nothing(struct import *import, struct element *element);
void restrict_end(struct import *import, struct element *element);
void restrict_mynetworks(struct import *import, struct element *element);
void restrict_plaintext(struct import *import, struct element *element);
void restrict_recipient(struct import *import, struct element *element);
void restrict_callout(struct import *import, struct element *element);
/* These judge by the code that Postfix answers, which is temporary by default. */
void restrict_unknown_client(struct import *import, struct element *element);
void restrict_unknown_helo(struct import *import, struct element *element);
void restrict_unknown_sender(struct import *import, struct element *element);
/* What only all restrictions together decide. */
void restrict_finish(struct import *import);
