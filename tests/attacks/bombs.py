"""DNS bombs and starvation: senders whose domains hang, loop, answer with hundreds of records or with records that ask for ever more.
Each session has its answer in time, and all others theirs."""

import time

from attacks import names
from attacks.client import CLOSED
from attacks.target import new_token, together

KINDS = {"hangs": names.HANGING, "loops": names.LOOPING, "has 100 exchanges that hang": names.MANY, "has huge records": names.HUGE,
         "includes without end": names.CHAINED}


def ask(target, domain):
    """(code of RCPT or of MAIL, seconds) for a sender of a fresh name there."""
    with target.session() as peer:
        began = time.monotonic()
        reply = peer.say(f"MAIL FROM:<a@{new_token()}.{domain}>")
        if reply.code == 250:
            reply = peer.say(f"RCPT TO:<{target.rcpt}>")
        if reply != CLOSED:
            peer.say("RSET")
        return reply.code, time.monotonic() - began


def flood(target, domain):
    """Asks and takes back, so that questions pile up behind it."""
    with target.session() as peer:
        for _ in range(20):
            if peer.say(f"MAIL FROM:<a@{new_token()}.{domain}>") == CLOSED or peer.say("RSET") == CLOSED:
                return


def attack(target, report):
    from attacks.own import DNS_SECONDS
    # Two stages may wait one after the other.
    limit = 2 * DNS_SECONDS + 10 * target.patience
    for name, domain in KINDS.items():
        tries = [domain] * target.count(40, 8)
        answered = [found for _, found in together(report, lambda one: ask(target, one), tries, threads=16) if found]
        slowest = max((seconds for _, seconds in answered), default=0)
        report.note(f"a domain that {name}: {sorted({code for code, _ in answered}, key=str)}, at most {slowest:.1f} s")
        if slowest > limit:
            report.found("attack", f"a domain that {name} holds a session for {slowest:.1f} s", "Sessions pile up")
        if len(answered) < len(tries):
            report.found("attack", f"a domain that {name}: {len(tries) - len(answered)} of {len(tries)} sessions had no answer",
                         "A question must not cost a session its reply")
    together(report, lambda _: flood(target, names.HANGING), range(target.count(60, 8)), threads=20)
