/* Networks and addresses as Postfix writes them. */
#pragma once

#include "core/base/address.h"
#include "workers/cli/import/rules/rules.h"

/* "192.0.2.0/24", "[2001:db8::]/32", "[::ffff:127.0.0.0]/104"; with `is_key` also what access(5) has for a
 * network, "192.0.2" and "2001:db8". */
bool network_of_postfix(struct span word, bool is_key, struct network *ret_network);
/* mynetworks: the items of trusted_networks. */
void networks_translate(struct import *import);
/* An item for each of the words of a list, which may be tables and files. Whether all of it was understood. */
bool networks_add(struct import *import, struct draft_section *section, const char *option,
                  const char *setting);
/* A network in its own words, as an item. False: there are too many. */
bool networks_put(struct import *import, struct draft_section *section, const char *option,
                  const struct network *network, struct span origin);
/* Whether clients come to it at port 25: "smtp", "25", or one of these behind an address, which is the host then. */
bool service_is_port_25(const struct cf_service *service, struct span *ret_host);
/* inet_interfaces, inet_protocols and master.cf: where clients connect. */
void listeners_translate(struct import *import);
/* Whether each word of inet_interfaces is an address, or one of Postfix's words for several. */
bool listeners_are_known(struct import *import);
