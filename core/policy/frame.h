/* What may be loaded by the pages of core/policy: their own style, and nothing else. */
#pragma once

#define POLICY_STYLE_SOURCE_SIZE 96

/* The directive style-src of Content-Security-Policy that fits all pages, which have the whole policy as an element. */
void policy_style_source_write(char ret_directive[static POLICY_STYLE_SOURCE_SIZE]);
