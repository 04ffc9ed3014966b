#!/usr/bin/env python3
"""The status page in a browser: on a phone, on a desk, light, dark, without scripts, and read aloud. Pictures of it are left in
the build's folder screenshots/."""

import re

from common.browser import Browser
from common.dns_peers import A, ScriptedDns, by_table
from common.harness import PROGRAM, case, equal, free_port, main, wait_for
from common.daemons.milter import Milter
from common.tls import tls_options
from common.web import wait_for_status, web_server
from common.daemons.socketmap import Socketmap

# Names as long as there are, and what is long lies next to what is short.
ZONES = """dnsbl { threshold = 1
    zone "zen.spamhaus.org" { answers = {"127.0.0.[2..9]"} }
    zone "a-list-with-a-long-name-that-breaks-nowhere.of-a-site-with-a-long-name.example" { answers = {"127.0.0.2"} } }
"""
LISTED = {(f"{last}.0.0.127.zen.spamhaus.org", A): (bytes([127, 0, 0, 2]),) for last in (2, *range(9, 14))}


def refused(server, address):
    with server.client(source=address) as client:
        client.command("EHLO client.example.com", 250)
        client.command("MAIL FROM:<>", 250)
        client.command("RCPT TO:<alice@isp.example>", 554)
        client.command("QUIT", 221)


def accepted(server, recipient="alice@isp.example"):
    with server.client() as client:
        client.deliver(b"Subject: x\r\n", recipients=[recipient])
        client.command("QUIT", 221)


def fill(server):
    """Something of all that the page tells."""
    for last in range(9, 14):
        refused(server, f"127.0.0.{last}")
    for _ in range(3):
        accepted(server)
    accepted(server, "alice@else.example")
    server.write_configuration(options=server.options + "\nidle_timeout = 4m\nspf { mode = observe }")
    server.reload()
    wait_for("what has been counted", lambda: re.search(
        r'<th scope="row">Recipients refused</th><td class="number">5</td>', wait_for_status(server.web, "/", 200).text()))


def requests(tab):
    return [parameters["request"]["url"] for method, parameters in tab.events if method == "Network.requestWillBeSent"]


def look(tab, address, name, width, scheme):
    """Shows it, and gives the colour of the ground."""
    tab.show(address, width, color_scheme=scheme)
    wide = tab.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"the page is {wide} pixels wide on {width}"
    # What is wider than the window scrolls by itself, and no cell is cut off elsewhere.
    cut = tab.evaluate("""[...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll') &&
        one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))""")
    equal(cut, [], f"beyond the window of {width}")
    faint = tab.evaluate(CONTRAST)
    equal(faint, [], f"hard to read in {scheme}")
    tab.shoot(PROGRAM.parent / "screenshots" / f"status-{name}-{width}-{scheme}.png")
    return tab.evaluate("getComputedStyle(document.body).backgroundColor")


# Texts whose contrast with their ground is less than WCAG 2.1 asks for (1.4.3: 4.5 to 1).
CONTRAST = """(() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = one => { for (; one; one = one.parentElement) { const found = parse(getComputedStyle(one).backgroundColor);
        if (found.length === 3 || found[3] > 0) return found; } return [255, 255, 255]; };
    const faint = [];
    for (const one of document.querySelectorAll('body *')) {
        if (![...one.childNodes].some(child => child.nodeType === 3 && child.data.trim()) || one.closest('svg')) continue;
        const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(one.outerHTML.slice(0, 80));
    }
    return faint; })()"""


@case("on a phone and on a desk, light and dark, it fits, can be read, asks for nothing else, and does without scripts")
def browser(directory):
    with ScriptedDns(by_table(LISTED)) as dns, Milter() as milter, Socketmap({None: "OK"}) as daemon:
        options = f'workers = 2\nacceptors = 2\nresolvers = {{"127.0.0.1:{dns.port}"}}\nsender_mx {{ mode = off }}\njournal = "journal"\n'
        options += milter.section("spam-filter") + ZONES + tls_options(directory) + f"""
domain "else.example" {{ recipients = "socketmap:{daemon.address}:virtual" deliver = "lmtp://127.0.0.1:{free_port()}" journal = always }}
"""
        with web_server(directory, options) as server, Browser(directory) as tab:
            tab.call("Network.enable")
            tab.call("Emulation.setScriptExecutionDisabled", value=True)
            address = f"http://127.0.0.1:{server.web}/"
            look(tab, address, "fresh", 390, "light")
            fill(server)
            grounds = {look(tab, address, "full", width, scheme) for width in (320, 390, 1280) for scheme in ("light", "dark")}
            equal(len(grounds), 2, f"grounds: the sheet is let in, and there are two schemes ({grounds})")
            equal(set(requests(tab)) - {address, f"{address}favicon.ico"}, set(), "what else it asks for")
            assert address in requests(tab), "the browser told of no request: that there are no others proves nothing"
            read_aloud(tab.tree())
            server.write_configuration(options=server.options + "\nnonsense = 1")
            server.ask(1, "reload_failed")
            look(tab, address, "faults", 390, "light")


def read_aloud(tree):
    roles = [role for role, _, _ in tree]
    assert {"banner", "main", "contentinfo"} <= set(roles), set(roles)
    equal((roles.count("main"), roles.count("banner")), (1, 1), "landmarks")
    levels = [properties["level"] for role, _, properties in tree if role == "heading"]
    equal((levels[0], levels.count(1)), (1, 1), "the first heading")
    jumps = [(before, after) for before, after in zip(levels, levels[1:]) if after > before + 1]
    equal(jumps, [], "levels of headings that are left out")
    for kind in ("heading", "link", "region", "image", "table", "columnheader", "rowheader"):
        names = [name for role, name, _ in tree if role == kind]
        assert names and all(name.strip() for name in names), f"{kind} without a name: {names}"
    regions = [name for role, name, _ in tree if role == "region"]
    equal(len(regions), len(set(regions)), f"regions that have one name: {regions}")
    told = " ".join(name for _, name, _ in tree)
    # All that an operator wants to see at a glance.
    for words in ("Sessions", "a second", "Refusals by check", "dnsbl", "127.0.0.0/24", "zen.spamhaus.org", "answers", "worker-1",
                  "acceptor-1", "Delivery", "mx1.isp.example", "Days left", "Mail filters", "spam-filter",
                  "Daemons of recipients", "inet:127.0.0.1:", "Next hops", "Journal", "takes mail", "message waits", "Generation", "idle_timeout: 5m becomes 4m"):
        assert words in told, f"nothing reads {words!r} aloud: {told}"


if __name__ == "__main__":
    main()
