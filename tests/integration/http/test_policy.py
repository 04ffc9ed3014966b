#!/usr/bin/env python3
"""The policy page by HTTP: the configuration in force, in the language that is asked for."""

import base64
import hashlib
import re
import subprocess

from common.harness import PROGRAM, case, equal, main
from common.web import get, wait_for_status, web_server


def language(answer):
    equal(answer.status, 200, "status")
    return re.search(r'<html lang="(..)"', answer.text())[1]


@case("/policy speaks the language that the client likes best of those that there are, else that of the configuration")
def languages(directory):
    with web_server(directory, 'policy_page { language = "de" }\n') as server:
        wait_for_status(server.web, "/", 200)
        equal(language(get(server.web, "/policy")), "de", "without a wish")
        for wish, expected in (("en", "en"), ("en-GB,en;q=0.9,de;q=0.8", "en"), ("fr-FR, EN;q=0.5", "en"), ("de-AT", "de"),
                               ("fr, es;q=0.9", "de"), ("*", "de"), (",,;;--, ,", "de"), ("e" * 4000, "de")):
            equal(language(get(server.web, "/policy", **{"Accept-Language": wish})), expected, wish)
        equal([language(get(server.web, f"/policy/{name}", **{"Accept-Language": "fr"})) for name in ("en", "de")], ["en", "de"], "by path")
        for path in ("/policy/fr", "/policyen", "/policy/en/", "/policy//", "/policy/%65n", "/policy/../policy"):
            equal(get(server.web, path).status, 404, path)
        equal(language(get(server.web, "/policy/")), "de", "with a slash")


@case("the page is the one that `gatepost policy-page` writes, its links lead to each other, and its header allows its sheet alone")
def same(directory):
    with web_server(directory) as server:
        wait_for_status(server.web, "/", 200)
        out = directory / "pages"
        subprocess.run([PROGRAM, "policy-page", "-c", server.directory / "gatepost.conf", "--out", out], check=True)
        for name in ("en", "de"):
            answer = get(server.web, f"/policy/{name}")
            equal(answer.headers["content-type"], "text/html; charset=utf-8", "type")
            written = re.sub(r'href="(en|de)\.html', r'href="/policy/\1', (out / f"{name}.html").read_text())
            equal(answer.text(), written, name)
            sheet = re.search(r"<style>(.*?)</style>", answer.text(), re.S)[1]
            digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
            security = answer.headers["content-security-policy"]
            equal(re.findall(r"(\S+-src) ([^;]+)", security), [("default-src", "'none'"), ("style-src", f"'sha256-{digest}'")], "policy")


@case("after a reload it tells the new rules")
def reloaded(directory):
    with web_server(directory, "recipients_max = 100\n") as server:
        wait_for_status(server.web, "/", 200)
        before = get(server.web, "/policy/en").text()
        file = server.directory / "gatepost.conf"
        file.write_text(file.read_text() + "helo_name { mode = observe }\n")
        server.reload()
        after = get(server.web, "/policy/en").text()
        assert before != after, "the same page"


if __name__ == "__main__":
    main()
