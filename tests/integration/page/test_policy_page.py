#!/usr/bin/env python3
"""gatepost policy-page: files that a web server can publish as they are, for every reader."""
# threads elsewhere: policy-page

import base64
import hashlib
import pathlib
import re
import subprocess
import sys

from common.browser import Browser
from common.harness import ROOT, Skip, case, configuration, equal, main, need_program, run_program

# Debian's modules, for a Python that is not Debian's; they are of no special version.
sys.path.append("/usr/lib/python3/dist-packages")

FILES = ["de.html", "en.html", "index.html"]
PAGE = """policy_url = "https://isp.example/policy/"
resolvers = {"127.0.0.1:53"}
dynamic_client { mode = enforce }
policy_page { organisation = "Bücher & Söhne <Internet> GmbH" contact = "https://isp.example/form?a=1&b=2"
    telephone = "+49 30 1234567" imprint = "https://isp.example/imprint" %s }
dnsbl { zone "zen.spamhaus.org" { } zone "a-list-with-a-long-name-that-breaks-nowhere.of-a-site-with-a-long-name.example" { } }
"""


def written(directory, more="", out="page"):
    """The folder with the pages of a configuration in which much is in force."""
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(configuration(["127.0.0.1:2525"], PAGE % more))
    run = run_program("policy-page", "-c", str(directory / "gatepost.conf"), "--out", str(directory / out))
    equal((run.returncode, run.stderr), (0, ""), "policy-page")
    return directory / out


def check_names(root):
    return re.findall(r"^(?:RULE|SESSION_CHECK|CHECK)\((\w+)", (root / "core/check/checks.def").read_text(), re.M)


# ---- files -------------------------------------------------------------------------------------------------------

@case("the files are made, replaced whole, and the same for the same configuration; others are left alone")
def files(directory):
    page = written(directory)
    equal(sorted(path.name for path in page.iterdir()), FILES, "files")
    equal({path.stat().st_mode & 0o777 for path in page.iterdir()}, {0o644}, "modes: a web server reads them")
    before = {path.name: (path.read_bytes(), path.stat().st_ino) for path in page.iterdir()}
    equal(before["index.html"][0], before["en.html"][0], "the index is English by default")
    (page / "logo.svg").write_text("ours")
    written(directory)
    equal({path.name: path.read_bytes() for path in page.iterdir() if path.name != "logo.svg"},
          {name: octets for name, (octets, _) in before.items()}, "the same again")
    assert all((page / name).stat().st_ino != inode for name, (_, inode) in before.items()), "written over in place"
    equal(sorted(path.name for path in page.iterdir()), sorted([*FILES, "logo.svg"]), "nothing is left aside")
    written(directory, "language = de")
    equal((page / "index.html").read_bytes(), (page / "de.html").read_bytes(), "the index in German")


@case("what is wrong is told, and leaves the files as they were")
def faults(directory):
    page = written(directory)
    before = (page / "en.html").read_bytes()
    good, bad = str(directory / "gatepost.conf"), str(directory / "bad.conf")
    pathlib.Path(bad).write_text("nonsense = 1\n")
    (directory / "file").write_text("")
    for arguments, status, words in (
            (["--out", str(page)], 2, "policy-page: -c FILE is missing\nusage: gatepost policy-page"),
            (["-c", good], 2, "policy-page: --out DIR is missing"),
            (["-c", good, "--out", str(page), "more"], 2, '"more" is not understood'),
            (["-c", bad, "--out", str(page)], 1, 'unknown key "nonsense"'),
            (["-c", good, "--out", str(directory / "no" / "folder")], 1, "cannot make the folder"),
            (["-c", good, "--out", str(directory / "file")], 1, "cannot write"),
            (["-c", good, "--out", "/dev/full"], 1, "cannot write")):
        run = run_program("policy-page", *arguments)
        equal((run.returncode, run.stdout), (status, ""), str(arguments))
        assert words in run.stderr, (arguments, run.stderr)
    (page / "de.html").unlink()
    (page / "de.html").mkdir()
    run = run_program("policy-page", "-c", good, "--out", str(page))
    equal(run.returncode, 1, "a folder in the place of a file")
    assert "cannot write" in run.stderr and "de.html" in run.stderr, run.stderr
    equal((page / "en.html").read_bytes(), before, "the file of before")
    equal(sorted(path.name for path in page.iterdir()), FILES, "nothing is left aside")


# ---- texts -------------------------------------------------------------------------------------------------------

def compiled(directory):
    """What the compiler says of the table of texts; the build's list of files is made of the table of checks."""
    names = check_names(directory)
    (directory / "check_texts.inc").write_text("".join(f'#include "core/check/texts/{name}.def"\n' for name in names))
    return subprocess.run([need_program("gcc"), "-std=gnu17", "-D_GNU_SOURCE", f"-I{directory}", f"-I{ROOT}", "-fsyntax-only",
                           ROOT / "core/policy/texts.c"], capture_output=True, text=True)


@case("a new check does not build without its texts, each of them, in both languages")
def texts(directory):
    (directory / "core/check/texts").mkdir(parents=True)
    row = 'CHECK(nobody_told, "P99", MAIL, NOTHING, ENFORCE, "a new check")\n'
    checks = (ROOT / "core/check/checks.def").read_text()
    (directory / "core/check/checks.def").write_text(checks.replace("CHECK(greylist", row + "CHECK(greylist"))
    file = directory / "core/check/texts/nobody_told.def"
    whole = (ROOT / "core/check/texts/spf.def").read_text().replace("CHECK_TEXTS(spf,", "CHECK_TEXTS(nobody_told,")
    assert "nobody_told.def: No such file" in compiled(directory).stderr
    for kind in ("TITLE", "DEMAND", "REASON", "CAUSE", "REMEDY"):
        file.write_text(re.sub(rf"\n    {kind}\(.*?\)(,\n|\)\n)(?=\n|$)", "\n", whole, flags=re.S))
        said = compiled(directory).stderr
        assert "requires 6 arguments, but only 5 given" in said or "unterminated argument list" in said, (kind, said)
    file.write_text(re.sub(r'TITLE\(("[^"]*"),\s*"[^"]*"\)', r"TITLE(\1)", whole))
    assert "requires 2 arguments, but only 1 given" in compiled(directory).stderr, "one language"
    file.write_text(whole)
    equal(compiled(directory).returncode, 0, "a check with its texts")


# ---- markup ------------------------------------------------------------------------------------------------------

def parsed(path):
    """The document, of which a strict parser has nothing to complain."""
    try:
        import html5lib
    except ImportError:
        raise Skip("no html5lib") from None
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(path.read_bytes(), transport_encoding="utf-8")


@case("the pages are valid HTML, and all of their links lead somewhere")
def markup(directory):
    page = written(directory)
    documents = {name: parsed(page / name) for name in FILES}
    for name, document in documents.items():
        ids = [element.get("id") for element in document.iter() if element.get("id")]
        equal(sorted(ids), sorted(set(ids)), f"ids of {name}")
        for element in document.iter("a"):
            target, _, anchor = element.get("href").partition("#")
            if re.match(r"(https?|tel|mailto):", target):
                continue
            other = documents[target or name]
            assert not anchor or any(found.get("id") == anchor for found in other.iter()), f"{name}: {element.get('href')}"
        for check in check_names(ROOT):
            assert check in ids, f"{name} has no anchor for {check}"
        assert {"reply-recipient_unknown", "code-550-5.7.1", "postmaster"} <= set(ids), ids


@case("each page says its language, and where the other one is")
def languages(directory):
    page = written(directory)
    for name, language in (("en.html", "en"), ("de.html", "de"), ("index.html", "en")):
        document = parsed(page / name)
        equal(document.get("lang"), language, name)
        alternates = {link.get("hreflang"): link.get("href") for link in document.iter("link")}
        equal(alternates, {"en": "en.html", "de": "de.html"}, f"alternates of {name}")
        told = {link.get("hreflang"): link.get("href") for link in document.iter("a") if link.get("hreflang")}
        equal(set(told), {"en", "de"}, f"links of {name}")
    assert "Wenn Ihre Mail abgelehnt wurde" in (page / "de.html").read_text()


@case("nothing is loaded, nothing runs, and the policy of contents lets the style in alone")
def contents(directory):
    page = written(directory)
    for name in FILES:
        document = parsed(page / name)
        policy, = [meta.get("content") for meta in document.iter("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
        style, = document.iter("style")
        digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
        equal(policy, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'", name)
        assert "url(" not in style.text and "@import" not in style.text
        for element in document.iter():
            assert element.tag not in ("script", "img", "iframe", "object", "form"), f"{name}: {element.tag}"
            assert not any(key == "style" or key == "src" or key.startswith("on") for key in element.keys()), element.attrib
        equal({link.get("rel") for link in document.iter("link")}, {"alternate"}, "links of the head")


# ---- readers -----------------------------------------------------------------------------------------------------

@case("in a browser: on a phone, on a desk, light, dark, printed, and read aloud")
def browser(directory):
    page = written(directory)
    with Browser(directory) as tab:
        for name in ("en.html", "de.html"):
            colours = set()
            for width in (320, 390, 1280):
                for scheme in ("light", "dark"):
                    tab.show(page / name, width, color_scheme=scheme)
                    wide = tab.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{name} is {wide} pixels wide on {width}"
                    colours.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            equal(len(colours), 2, f"backgrounds of {name}: the style is let in, and there are two schemes ({colours})")
            read_aloud(tab.tree(), name)
            assert len(tab.call("Page.printToPDF")["data"]) > 20000, "an empty print"
        tab.show(f"file://{page}/de.html#dnsbl", 390)
        top = tab.evaluate("document.getElementById('dnsbl').getBoundingClientRect().top")
        assert 0 <= top < 100, f"the anchor of dnsbl is at {top}"


def read_aloud(tree, name):
    roles = [role for role, _, _ in tree]
    assert {"banner", "main", "contentinfo", "navigation"} <= set(roles), (name, set(roles))
    equal(roles.count("main"), 1, f"main of {name}")
    levels = [properties["level"] for role, _, properties in tree if role == "heading"]
    equal((levels[0], levels.count(1)), (1, 1), f"the first heading of {name}")
    jumps = [(before, after) for before, after in zip(levels, levels[1:]) if after > before + 1]
    equal(jumps, [], f"levels of headings that {name} leaves out")
    headings = [title for role, title, _ in tree if role == "heading"]
    assert "SPF" in " ".join(headings) and all(headings), headings
    nameless = [role for role, title, _ in tree if role == "link" and not title.strip()]
    equal(nameless, [], f"links of {name} without a name")


if __name__ == "__main__":
    main()
