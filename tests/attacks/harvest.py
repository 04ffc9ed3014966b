"""Harvesters: who guesses recipients, asks by VRFY and EXPN, or measures how long replies take, learns no more than RCPT tells, and
does not learn that for long."""

import random
import statistics
import time

from attacks.target import attempt, new_token

CLAUSE = "RFC 5321 7.3"


def is_late(target, began):
    """Some servers answer a guesser ever more slowly."""
    return time.monotonic() - began > target.count(60, 8) * target.patience


def guess(target, report):
    """In one session, and from one address in many."""
    count = target.count(300, 120)
    asked, began = 0, time.monotonic()
    with target.session() as peer:
        source = peer.socket.getsockname()[0]
        peer.need(f"MAIL FROM:<{target.sender}>", 250)
        while asked < count and not is_late(target, began) and peer.say(f"RCPT TO:<{new_token()}@{target.domain}>").code is not None:
            asked += 1
    report.tried(asked)
    if is_late(target, began):
        report.note(f"{asked} guesses in one session take {time.monotonic() - began:.0f} s")
        return
    if asked < count:
        report.note(f"a session ends after {asked} guesses")
    elif target.server is not None:
        report.found("attack", f"{count} unknown recipients in one session, and it goes on", "Addresses are guessed as fast as it answers")
    else:
        report.note(f"{count} unknown recipients in one session, and it goes on")
    again = guess_again(target, source)
    if again is not None:
        report.note(f"the guesser comes back {again} times before he is turned away" if again < 20 else
                    "the guesser may come back as often as he likes")
        if again >= 20 and target.server is not None:
            report.found("attack", "a guesser comes back without end", "Addresses are guessed as fast as it answers")


def guess_again(target, source):
    if not target.host.startswith("127."):
        return None
    began = time.monotonic()
    for visit in range(20):
        if is_late(target, began):
            return None
        with target.connect(source=source) as peer:
            if peer.reply().code != 220 or peer.say(f"EHLO {target.helo}").code != 250:
                return visit
            peer.say(f"MAIL FROM:<{target.sender}>")
            for _ in range(20):
                if peer.say(f"RCPT TO:<{new_token()}@{target.domain}>").code is None:
                    break
    return 20


def commands_that_tell(target, report):
    local = target.rcpt.rpartition("@")[0]
    for verb in ("VRFY", "EXPN"):
        codes = []
        for name in (target.rcpt, local, f"{new_token()}@{target.domain}", new_token()):
            with target.session() as peer:
                codes.append(peer.say(f"{verb} {name}").code)
        report.tried(4)
        if set(codes[:2]) != set(codes[2:]):
            report.found("attack", f"{verb} tells known from unknown: {codes}", "Addresses are guessed without a mail. It is a service "
                         "that the standard lets a server withhold, by 252", CLAUSE)


def timed(peer, line):
    began = time.perf_counter()
    reply = peer.say(line)
    return (time.perf_counter() - began) * 1000, reply.code


def timing(target, report):
    """Where replies are the same, their times must be: VRFY, and RCPT where it takes anybody."""
    verbs = {"VRFY": "VRFY {}", "RCPT": "RCPT TO:<{}>"}
    for verb, form in verbs.items():
        times, codes = {True: [], False: []}, {True: set(), False: set()}
        for _ in range(target.count(60, 12)):
            with target.session() as peer:
                peer.need(f"MAIL FROM:<{target.sender}>", 250)
                order = [True, False] * 4
                random.shuffle(order)
                for is_known in order:
                    name = target.rcpt if is_known else f"{new_token()}@{target.domain}"
                    took, code = timed(peer, form.format(name))
                    if code is None:
                        break
                    times[is_known].append(took)
                    codes[is_known].add(code)
        report.tried(len(times[True]) + len(times[False]))
        judge_times(report, verb, times, codes)


def judge_times(report, verb, times, codes):
    if not times[True] or not times[False]:
        return
    if codes[True] != codes[False]:
        report.note(f"{verb} tells known from unknown by its replies, so their times tell nothing more")
        return
    known, unknown = statistics.median(times[True]), statistics.median(times[False])
    spread = statistics.median(abs(took - known) for took in times[True])
    report.note(f"{verb}: known {known:.2f} ms, unknown {unknown:.2f} ms, median")
    if abs(known - unknown) > 1 and abs(known - unknown) > 5 * spread:
        report.found("attack", f"the time of {verb} tells known from unknown: {known:.1f} and {unknown:.1f} ms",
                     "Addresses are guessed though the replies are the same", CLAUSE)


def attack(target, report):
    attempt(report, commands_that_tell, target, report)
    attempt(report, timing, target, report)
    attempt(report, guess, target, report)
