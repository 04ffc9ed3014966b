#!/usr/bin/env python3
"""The man pages: each row of each table stands in its page, in words and in a form that a judge of man pages accepts."""

import re
import subprocess

from common.harness import PROGRAM, ROOT, case, equal, main, need_program, run_program

PAGES = PROGRAM.parent / "conf/man"
NAMES = ("gatepost.8", "gatepost.conf.5", "gatepost-bench.1")


def shown(name):
    """A page as a reader sees it, one blank between words."""
    found = subprocess.run([need_program("mandoc"), "-Tascii", "-Owidth=900", PAGES / name], check=True, capture_output=True, text=True)
    return re.sub(r"\s+", " ", re.sub(".\b", "", found.stdout))


def rows(path, macro):
    """The names of the rows MACRO(...) of a table."""
    return re.findall(rf"^{macro}\((\w+)", (ROOT / path).read_text(), re.M)


def assert_shown(words, page):
    text = shown(page)
    missing = [word for word in words if word not in text]
    equal(missing, [], f"missing on {page}")


def as_written(kind, default):
    """The default of an option, as a configuration has it."""
    if kind not in ("PATHS", "NAMES", "NETWORKS", "ENDPOINTS", "KEYWORDS", "FILTERS"):
        return default
    return "{" + ", ".join(f'"{item.strip()}"' for item in default.split(",")) + "}"


def pieces(told):
    """Of each line of a usage what stands between gaps: those are the page's own."""
    lines = told.removeprefix("usage: ").splitlines()
    return [piece for line in lines for piece in re.split(r" {2,}", line.strip())]


@case("mandoc has nothing against the pages")
def lint(directory):
    for name in NAMES:
        told = subprocess.run([need_program("mandoc"), "-Tlint", PAGES / name], capture_output=True, text=True, check=False)
        lines = [line for line in (told.stdout + told.stderr).splitlines() if "referenced manual not found" not in line and "makewhatis" not in line]
        equal(lines, [], name)


@case("gatepost.conf(5) has each option with its meaning and its default, each check with its number, and each reply")
def configuration(directory):
    table = (ROOT / "conf/options.def").read_text()
    options = re.findall(r'^\w*OPTION\((?:\w+, )?(\w+), ([A-Z]+), "(.*?)", [^"]*?"(.*)"\)$', table, re.M)
    assert len(options) > 150, len(options)
    assert_shown([f"{name} = " for name, *_ in options], "gatepost.conf.5")
    assert_shown([f"{help}. Default: {as_written(kind, default)}" for _, kind, default, help in options if default and "\\" not in help],
                 "gatepost.conf.5")
    assert_shown(['{"192.0.2.0/24", "2001:db8::/32"}', '{"127.0.0.1:25", "[::1]:25"}', '{"127.0.0.[2..11]", "127.0.[1;3].2"}'], "gatepost.conf.5")
    checks = re.findall(r'^(?:RULE|SESSION_CHECK|CHECK)\((\w+), "(P\d+)".*"(.*)"\)$', (ROOT / "core/check/checks.def").read_text(), re.M)
    assert_shown([f"{name} Number {number} of the policy: {summary}." for name, number, summary in checks], "gatepost.conf.5")
    assert_shown([f"{name} ({number}) {summary}." for name, number, summary in checks], "gatepost.8")
    replies = re.findall(r'^\w*REPLY\((\w+), "([45].*)"\)$', (ROOT / "core/smtp/replies.def").read_text(), re.M)
    assert_shown([f" {name} {text} " for name, text in replies], "gatepost.conf.5")


@case("gatepost(8) has each subcommand with the words of its --help, and each counter")
def subcommands(directory):
    names = re.findall(r"^ {11}([a-z-]+) ", run_program("help").stdout, re.M)
    assert {"serve", "reload", "checks"} <= set(names), names
    for name in names:
        assert_shown(pieces(run_program("help", name).stdout), "gatepost.8")
    assert_shown(rows("core/smtp/metrics.def", "METRIC"), "gatepost.8")
    assert_shown([f"cache_{name}" for name in rows("dns/metrics.def", "CACHE_METRIC")], "gatepost.8")
    assert_shown([f"pool_{name}" for name in rows("dns/metrics.def", "POOL_METRIC")], "gatepost.8")


@case("gatepost-bench(1) has the words of its --help")
def bench(directory):
    told = subprocess.run([PROGRAM.parent / "gatepost-bench", "--help"], check=True, capture_output=True, text=True).stdout
    assert_shown(pieces(told), "gatepost-bench.1")


if __name__ == "__main__":
    main()
