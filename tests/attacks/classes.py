"""The classes of attacks, and how one of them is run: with a good client beside it, and a look at the server before and after."""

import collections
import time

from attacks import (bombs, commands, conformance, exhaustion, harvest, hashes, headers, logs, paths, poison, slow, smuggling, starttls,
                     storm, tls)
from attacks.good import STRANGERS, GoodClient
from attacks.own import counts_memory
from attacks.report import NotApplicable, Report
from attacks.target import attempt
from attacks.usage import usage

# module: has attack(target, report). is_ours_only: it needs what only a server of ours has: DNS, signals, a PROXY port, figures.
# title: what holds of a server in which nothing is found.
Class = collections.namedtuple("Class", "module is_ours_only title")
CLASSES = {
    "conformance": Class(conformance, False, "order, limits and octets are those of RFC 5321"),
    "smuggling": Class(smuggling, False, "nothing but CRLF dot CRLF ends a text, wherever it is cut"),
    "commands": Class(commands, False, "a line is one command, whatever stands in its argument"),
    "headers": Class(headers, False, "no field of the header is a stranger's who did not write the text"),
    "logs": Class(logs, False, "a stranger's words stay within one line of the log, without control characters"),
    "paths": Class(paths, False, "no path, command or broken UTF-8 is a mailbox, and no file is made elsewhere"),
    "starttls": Class(starttls, False, "nothing said in the clear counts inside of TLS"),
    "tls": Class(tls, False, "stalls, fragments and floods of records hold nobody else up"),
    "harvest": Class(harvest, False, "who guesses recipients learns little, and not for long"),
    "slow": Class(slow, False, "a slow client is ended in every state of a session"),
    "exhaustion": Class(exhaustion, False, "whatever has no end meets a bound, and memory and descriptors come back"),
    "bombs": Class(bombs, True, "domains that hang, loop or never end cost their own sender's mail alone"),
    "poison": Class(poison, True, "no lie of DNS is believed, and the truth is taken between lies"),
    "hashes": Class(hashes, True, "a session costs the same after thousands of chosen names and addresses"),
    "storm": Class(storm, True, "reloads in the midst of all cost no mail"),
}
# What a server may keep of an attack: allocators give back in pieces, and tables have grown to their size.
MEMORY_MORE_KIB = 96 << 10
SETTLE_SECONDS = 20
Result = collections.namedtuple("Result", "report good before after")


def settled(target, before):
    """The usage once descriptors are back where they were, or what it is when they do not come back."""
    end = time.monotonic() + SETTLE_SECONDS * target.patience
    while (after := usage(target.pid)) and after[1] > before[1] and time.monotonic() < end:
        time.sleep(0.1)
    return after


def judge_service(target, report, good, before, after):
    if good.failures:
        report.found("attack", f"of {good.mails + len(good.failures)} mails of a good client {len(good.failures)} failed: "
                     f"{good.failures[0]}", "Others are not served meanwhile")
    if not target.is_alive():
        report.found("attack", "the server does not serve any more", "It is gone for everybody")
    if target.server is None or not after:
        return
    if report.stillborn * 10 > report.tries:
        report.found("rfc", f"{report.stillborn} of {report.tries} tries could not begin", "So they prove nothing of a server of ours")
    if after[1] > before[1]:
        report.found("attack", f"{after[1] - before[1]} descriptors did not come back", "They run out")
    if counts_memory() and after[0] - before[0] > MEMORY_MORE_KIB:
        report.found("attack", f"{(after[0] - before[0]) >> 10} MiB of memory did not come back", "It runs out")


def run_class(name, target):
    report = Report(name)
    chosen = CLASSES[name]
    # Where an attack takes all places, a client that the server knows is promised to be served, and a stranger is not.
    network = target.known if chosen.module is exhaustion and target.known else STRANGERS
    with GoodClient(target, network) as good:
        before = usage(target.pid)
        if chosen.is_ours_only and target.server is None:
            report.not_applicable = "it takes a server of ours: its DNS, its signals, its PROXY port"
        else:
            attempt(report, attack, chosen, target, report)
            report.tries -= 1
    after = settled(target, before) if before else None
    judge_service(target, report, good, before, after)
    return Result(report, good, before, after)


def attack(chosen, target, report):
    try:
        chosen.module.attack(target, report)
    except NotApplicable as reason:
        report.not_applicable = str(reason)
