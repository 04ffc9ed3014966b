#!/usr/bin/env python3
"""The texts keep true: README's commands do what it says, and what the tables and the log name is documented."""

import json
import pathlib
import re
import shutil
import subprocess

from common import readme
from common.harness import ROOT, SECONDS, Skip, case, equal, main, sanitizer_environment, wait_for
from common.quickstart import quickstart, said
from common.web import get

README_LINES_MAX = 150


def text(path):
    return (ROOT / path).read_text()


def section(path, title):
    return readme.section(text(path), title)


def rows(path, macro):
    """The arguments before the help of each row MACRO(...) of a table."""
    found = [row.split(", ") for row in re.findall(rf"^{macro}\(([^\"\n]*)", text(path), re.M)]
    assert found, f"no {macro} in {path}"
    return [[word.strip() for word in row] for row in found]


def assert_named(names, where, page):
    """Each name stands in backticks on the page."""
    missing = sorted(name for name in set(names) if f"`{name}`" not in page)
    assert not missing, f"{where} says nothing of {missing}"


# ---- README ------------------------------------------------------------------------------------------------------

@case("README is short and begins with the two commands")
def beginning(directory):
    lines = text("README.md").splitlines()
    assert len(lines) <= README_LINES_MAX, f"{len(lines)} lines"
    equal([line.strip() for line in lines if line.startswith("    ")][:2], ["./conf/quickstart", "./tests/run"])


@case("each command of README's first ten minutes gives what README shows")
def first_ten_minutes(directory):
    if shutil.which("swaks") is None:
        raise Skip("no swaks")
    page = text("README.md")
    shown = readme.shown_commands(page)
    equal(shown[0][0], "./conf/quickstart", "first command")
    with quickstart(directory) as (_, port, dns_port):
        environment = sanitizer_environment(directory)
        environment["PATH"] = f"{directory}/bin:{environment['PATH']}"
        outputs = []
        for command, lines in shown[1:]:
            asked = readme.with_id(command, outputs)
            if asked != command:  # no reader is faster, and the log comes some milliseconds after its session
                wait_for("the id in the log", lambda: readme.last_id(outputs) in (directory / "var/gatepost.log").read_text())
            here = asked.replace("127.0.0.1:2525", f"127.0.0.1:{port}").replace("127.0.0.1:2553", f"127.0.0.1:{dns_port}")
            run = subprocess.run(here, shell=True, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3 * SECONDS)
            readme.assert_shown(command, lines, run.stdout)
            outputs.append(run.stdout)
        web = re.search(r"http://127\.0\.0\.1:(\d+)/$", said(directory), re.M)[1]
        pages = readme.shown_pages(page)
        assert any(address.endswith("/policy") for address in pages), pages
        for address in pages:
            equal(get(int(web), "/" + address.partition(":8025/")[2]).status, 200, address)


@case("links between the pages lead somewhere, and each folder has its page")
def links(directory):
    pages = [path for path in ROOT.glob("**/README.md") if not path.relative_to(ROOT).parts[0].startswith("build")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target} is not there"
    for folder in ("core", "core/check", "conf", "dns", "workers", "tests", "bench"):
        assert ROOT / folder / "README.md" in pages, f"{folder} has no README.md"
        inside = [path.name for path in (ROOT / folder).iterdir() if path.is_dir() and not path.name.startswith(("__", "."))]
        assert_named_folders(inside, folder)


def assert_named_folders(names, folder):
    page = text(f"{folder}/README.md")
    missing = [name for name in names if not re.search(rf"`{name}/?`|\({name}/README", page)]
    assert not missing, f"{folder}/README.md says nothing of {missing}"


# ---- tables ------------------------------------------------------------------------------------------------------

@case("each check has a section, which names all of its options")
def checks(directory):
    options = rows("conf/options.def", "CHECK_OPTION")
    for macro in ("RULE", "SESSION_CHECK", "CHECK"):
        for name, *_ in rows("core/check/checks.def", macro):
            told = section("core/check/README.md", f"## {name}")
            assert_named([option for check, option, *_ in options if check == name], f"the section of {name}", told)
    assert_named([row[0] for row in rows("conf/options.def", "ZONE_OPTION")], "the section of dnsbl",
                 section("core/check/README.md", "## dnsbl"))


@case("the number of each check is explained, and HELP names each command that is offered")
def numbers_and_help(directory):
    told = section("core/check/README.md", "## Numbers of the policy")
    for name, number in re.findall(r'^(?:RULE|SESSION_CHECK|CHECK)\((\w+), "(P\d+)"', text("core/check/checks.def"), re.M):
        assert re.search(rf"^\| {number} \|.*`{name}`.*\|$", told, re.M), f"the table of numbers has no {number} `{name}`"
    offered = re.findall(r'^ +\{VERB\("(\w+)"\), command_', text("core/smtp/command/command.c"), re.M)
    assert {"HELO", "DATA", "QUIT"} <= set(offered), offered
    named = re.search(r'^REPLY\(help, "214 2\.0\.0 commands: ([A-Z ]+)"\)', text("core/smtp/replies.def"), re.M)[1]
    equal(named.split(), [verb for verb in offered if verb != "XCLIENT"], "HELP (XCLIENT is for proxies alone)")


@case("each option outside of checks, and each counter, is documented")
def options_and_counters(directory):
    page = text("conf/README.md")
    for macro in ("OPTION", "DOMAIN_OPTION", "HTTP_OPTION", "PAGE_OPTION", "HOPS_OPTION", "FILTER_OPTION", "MILTER_OPTION", "SERVICE_OPTION"):
        assert_named([row[0] for row in rows("conf/options.def", macro)], "conf/README.md", page)
    assert_named([row[0] for row in rows("core/smtp/metrics.def", "METRIC")], "conf/README.md", page)
    for macro, prefix in (("CACHE_METRIC", "cache_"), ("POOL_METRIC", "pool_")):
        assert_named([prefix + row[0] for row in rows("dns/metrics.def", macro)], "conf/README.md", page)


# ---- installation ------------------------------------------------------------------------------------------------

PREFIX, VAR = "/opt/gatepost", "/srv/var"


def installed(directory):
    """Where the files of a build with another prefix would go: {target: source}. Nothing is built."""
    subprocess.run(["meson", "setup", directory / "build", ROOT, "--prefix", PREFIX, "--localstatedir", VAR], check=True, stdout=subprocess.DEVNULL)
    run = subprocess.run(["meson", "introspect", "--installed", directory / "build"], check=True, capture_output=True, text=True)
    targets = {target: pathlib.Path(source) for source, target in json.loads(run.stdout).items()}
    assert {f"{PREFIX}/sbin/gatepost", f"{PREFIX}/share/gatepost/production.conf"} <= set(targets), targets
    return targets


@case("the unit starts the program that is installed, and the page tells of what else it needs")
def installation(directory):
    told = section("conf/README.md", "## Installation")
    targets = installed(directory)
    unit = targets[f"{PREFIX}/lib/systemd/system/gatepost.service"].read_text()
    commands = re.findall(r"^Exec(?:StartPre|Start|Reload)=(\S+) \S+(?: --\w+)* -c (\S+)$", unit, re.M)
    equal([program for program, _ in commands], [f"{PREFIX}/sbin/gatepost"] * 3, "programs of the unit")
    user = re.search(r"^User=(\w+)$", unit, re.M)[1]
    sysusers, tmpfiles = (targets[f"{PREFIX}/lib/{name}.d/gatepost.conf"].read_text() for name in ("sysusers", "tmpfiles"))
    assert re.search(rf"^u {user} ", sysusers, re.M), sysusers
    assert_named([target.removeprefix(PREFIX + "/") for target in targets], "the installation", told)
    paths = {path for _, path in commands}
    missing = [path for path in paths if f"{path}\n" not in told]
    mail = re.findall(r"^ReadWritePaths=-(\S+)$", unit, re.M)
    equal(mail, [f"{VAR}/mail/gatepost"], "where the unit lets mail be written")
    missing += [path for path in mail if f"d {path} " not in tmpfiles]
    assert not missing, f"no word of how to make {missing}"
    pages = [(directory / f"build/conf/man/{name}.prose").read_text() for name in ("gatepost.8", "gatepost.conf.5")]
    assert all(mail[0] in page for page in pages), "the man pages have mail elsewhere"


# ---- log ---------------------------------------------------------------------------------------------------------

@case("each event of the log and each of its fields is documented")
def events(directory):
    sources = {path: path.read_text() for path in (ROOT / "workers").rglob("*.[ch]")}
    # Whoever takes the name of an event and hands it on.
    givers = {name for source in sources.values() for name in re.findall(r"(\w+)\([^;{}()]*const char \*event\b", source)}
    assert {"log_event", "log_event_numbers"} <= givers, givers
    calls = [call for source in sources.values()
             for call in re.findall(rf"\b(?:{'|'.join(sorted(givers))})\(([^;]*);", source) if "const char" not in call]
    words = {word for call in calls for word in re.findall(r'"([a-z]+(?:_[a-z]+)*)"', call)}
    assert {"start", "listener_opened", "zone_released", "sender_sentinel_failed", "more_before"} <= words, words
    assert_named(words, "conf/README.md", section("conf/README.md", "## The log"))


@case("each field of a session's line is documented")
def fields(directory):
    source = "".join(text(f"core/smtp/record/{name}.c") for name in ("faults", "record", "transaction"))
    names = re.findall(r'put_(?:key|kind|number|string|code|address)\((?:[^"();]|\n)*"(\w+)"', source)
    assert {"client", "transactions", "rcpts_before", "greetings", "evidence", "ms"} <= set(names), names
    assert_named(names, "conf/README.md", section("conf/README.md", "### The event `session`") + "`time` `event`")
    endings = re.search(r"ending_names\[\] = \{(.*?)\};", source, re.S)[1]
    assert_named(re.findall(r'"(\w+)"', endings), "conf/README.md", text("conf/README.md"))


if __name__ == "__main__":
    main()
