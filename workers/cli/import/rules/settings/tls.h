/* TLS with clients. */
#pragma once

#include "workers/cli/import/rules/settings/parameters.h"

void parameter_tls_level(struct import *import, struct parameter *parameter);
void parameter_tls_enforce(struct import *import, struct parameter *parameter);
/* Of a certificate or a key: told of where a file is named; tls_finish() translates it. */
void parameter_tls_file(struct import *import, struct parameter *parameter);
void parameter_tls_chain(struct import *import, struct parameter *parameter);
void parameter_tls_protocols(struct import *import, struct parameter *parameter);
void parameter_tls_mandatory(struct import *import, struct parameter *parameter);
void parameter_tls_ask(struct import *import, struct parameter *parameter);
/* Certificates and keys in pairs, when both are known. */
void tls_finish(struct import *import);
