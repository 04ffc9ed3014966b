/* What rows of parameters.def do that is more than a number. */
#pragma once

#include "workers/cli/import/rules/settings/parameters.h"

/* A name of the site's own, for variables or classes of restrictions. */
bool settings_is_own(struct import *import, struct span name);

void parameter_nothing(struct import *import, struct parameter *parameter);
void parameter_hostname(struct import *import, struct parameter *parameter);
void parameter_mynetworks(struct import *import, struct parameter *parameter);
void parameter_interfaces(struct import *import, struct parameter *parameter);
void parameter_proxy_networks(struct import *import, struct parameter *parameter);
void parameter_delay_reject(struct import *import, struct parameter *parameter);
/* Stricter unless Postfix has "yes": it is so here in any case. */
void parameter_stricter_unless_yes(struct import *import, struct parameter *parameter);
void parameter_strict(struct import *import, struct parameter *parameter);
void parameter_unlisted(struct import *import, struct parameter *parameter);
/* Told of where Postfix has "yes" alone. */
void parameter_left_out_unless_yes(struct import *import, struct parameter *parameter);
void parameter_keywords(struct import *import, struct parameter *parameter);
void parameter_smtputf8(struct import *import, struct parameter *parameter);
void parameter_bare_newline(struct import *import, struct parameter *parameter);
void parameter_pipelining(struct import *import, struct parameter *parameter);
void parameter_exempt(struct import *import, struct parameter *parameter);
