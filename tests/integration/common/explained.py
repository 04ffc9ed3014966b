"""What the manual says of the JSON of gatepost explain, beside what is there."""

import re

from common.harness import ROOT, equal

KINDS = {str: "string", bool: "true", int: "number", list: "array", dict: "object"}
ENTRIES = ("in_force", "checks[].settings")


def documented():
    """{path: kind} of the manual's table; a path is made of keys, with [] for the items of an array."""
    page = (ROOT / "conf/README.md").read_text()
    found = re.search(r"^### What explain tells as JSON\n(.*?)(?=^##)", page, re.M | re.S)
    assert found, "the manual has no such section"
    known = {}
    for names, kind in re.findall(r"^\| (`[^|]+) \| (\w+) \|", found[1], re.M):
        known.update(dict.fromkeys(re.findall(r"`([^`]+)`", names), kind))
    return known


def canonical(path):
    """Recipients have the keys of mails, the settings of a check those of what is in force, and next those of checks."""
    path = re.sub(r"^mails\[\]\.recipients\[\]\.(?!(?:to|domain)$)", "mails[].", path)
    path = path.replace("mails[].next[].", "mails[].checks[].")
    return path.replace("mails[].checks[].settings[].", "mails[].in_force[].")


def paths(value, path=""):
    """(path, kind) of all keys in the value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}".lstrip(".")
            yield canonical(here), KINDS[type(inner)]
            if here != "mails[].session":  # a line of the log has a section of its own
                yield from paths(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, path + "[]")


def assert_documented(told):
    """Returns the paths that are there."""
    known = documented()
    for path, kind in paths(told):
        equal(known.get(path), kind, f"the manual's kind of {path}")
    return {path for path, _ in paths(told)}
