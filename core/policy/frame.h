/* What may be loaded by the pages of core/policy: their own style, and nothing else. */
#pragma once

#define POLICY_CSP_SIZE 256

/* The value of the header Content-Security-Policy that fits all pages, which have it as an element too. */
void policy_csp_write(char ret_policy[static POLICY_CSP_SIZE]);
