/* The sheet, and its digest. */
#include "workers/server/web/page/style.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

const char style_sheet[] =
    ":root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5b6776;--rule:#dfe4ea;"
    "--accent:#1a5fd0;--fill:#8db8f5;--good:#166c2f;--warn:#8a5a00;--bad:#c2261d;--good-ground:#dcf5e3;"
    "--warn-ground:#fdf0cf;--bad-ground:#fde3e1;--off-ground:#e9edf2}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#0f141a;--card:#171e26;--ink:#e3e9f0;--soft:#9aa7b5;"
    "--rule:#2a343f;--accent:#6ea8fe;--fill:#2f5d9e;--good:#62d583;--warn:#f0c059;--bad:#ff8a80;"
    "--good-ground:#12341e;--warn-ground:#3a2c0a;--bad-ground:#451a18;--off-ground:#26303a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "header,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}\n"
    "header{padding-top:1.5rem}\n"
    "h1{font-size:1.5rem;line-height:1.2;margin:0 0 .25rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.1rem;margin:0 0 .75rem}\n"
    "h3{font-size:.95rem;margin:1.25rem 0 .5rem}\n"
    "p{margin:.25rem 0 .75rem}\n"
    ".soft,footer{color:var(--soft);font-size:.875rem}\n"
    "section{background:var(--card);border:1px solid "
    "var(--rule);border-radius:.5rem;padding:1rem;margin:1rem 0}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1rem;margin:1rem "
    "0;padding:0}\n"
    ".tile{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.75rem 1rem}\n"
    ".tile dt{color:var(--soft);font-size:.875rem}\n"
    ".tile dd{margin:0}\n"
    ".tile .value{font-size:1.5rem;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}\n"
    ".tile .value small{font-size:.875rem;font-weight:400;color:var(--soft)}\n"
    ".scroll{overflow-x:auto}\n"
    ".scroll+p{margin-top:.75rem}\n"
    "section>:last-child{margin-bottom:0}\n"
    ".scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9375rem}\n"
    "th,td{text-align:left;padding:.35rem .75rem;border-bottom:1px solid "
    "var(--rule);vertical-align:middle}\n"
    "tbody tr:last-child>*{border-bottom:0}\n"
    "thead th{color:var(--soft);font-weight:500;font-size:.8125rem;white-space:nowrap}\n"
    "tbody th{font-weight:500;min-width:5.5rem}\n"
    ".long{overflow-wrap:anywhere;min-width:9.5rem}\n"
    "td time{white-space:nowrap}\n"
    "th:first-child,td:first-child{padding-left:0}\n"
    "th:last-child,td:last-child{padding-right:0}\n"
    ".number{text-align:right;white-space:nowrap}\n"
    ".zero{color:var(--soft)}\n"
    ".bar{width:25%;min-width:5rem}\n"
    ".bar svg{display:block;width:100%;height:.5rem}\n"
    ".track{fill:var(--off-ground)}\n"
    ".fill{fill:var(--fill)}\n"
    ".line{display:block;width:100%;height:1.75rem;margin-top:.25rem}\n"
    "td .line{width:8rem;margin:0}\n"
    "polyline{fill:none;stroke:var(--accent);stroke-width:1.5;stroke-linejoin:round;vector-effect:non-"
    "scaling-stroke}\n"
    ".badge{display:inline-block;border-radius:1rem;padding:0 "
    ".6rem;font-size:.8125rem;line-height:1.5rem;white-space:nowrap}\n"
    ".good{background:var(--good-ground);color:var(--good)}\n"
    ".warn{background:var(--warn-ground);color:var(--warn)}\n"
    ".bad{background:var(--bad-ground);color:var(--bad)}\n"
    ".off{background:var(--off-ground);color:var(--soft)}\n"
    "ul.changes{margin:0;padding-left:1.25rem;overflow-wrap:anywhere}\n"
    "a{color:var(--accent)}\n"
    "footer{padding-bottom:2rem}\n"
    "@media print{body{background:none}section,.tile{break-inside:avoid}}\n"
    /* What is behind it would be stronger. */
    "@media(max-width:30rem){.tile:first-child{grid-column:1/-1}th,td{padding:.35rem}table{font-size:.875rem}"
    ".badge{padding:0 .4rem}}\n";

void style_security_write(char ret_policy[static STYLE_SECURITY_MAX])
{
        unsigned char digest[SHA256_DIGEST_LENGTH];
        char base64[2 * SHA256_DIGEST_LENGTH];

        SHA256((const unsigned char *)style_sheet, sizeof style_sheet - 1, digest);
        EVP_EncodeBlock((unsigned char *)base64, digest, sizeof digest);
        snprintf(ret_policy, STYLE_SECURITY_MAX, "style-src 'sha256-%s'", base64);
}
