/* Where Postfix sends mail: transports and next hops, as `deliver` has them. */
#pragma once

#include "workers/cli/import/rules/rules.h"

/* Of "lmtp:unix:private/dovecot-lmtp", "smtp:[192.0.2.1]:2525", "relay:[mail.isp.example]" and the like our next
 * hops; empty where they are none, such as virtual, local, a program, or a host that only its MX records lead to
 * and that has no whole name. */
struct span route_of_transport(struct import *import, struct span transport);
/* The same of what stands in relayhost: "[mail.isp.example]:587". */
struct span route_of_host(struct import *import, struct span host);
/* The Postfix that stays behind this server for what only it can do: a next hop. */
struct span route_behind(struct import *import);
