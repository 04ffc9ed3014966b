"""DNS poisoning: answers with another id, question, type or class, from another port, that are queries or cut off, and truths with a
lie beside them. Each lie would let a sender in whose domain does not exist."""

import signal

from attacks import names
from attacks.client import CLOSED
from attacks.target import new_token, together

KINDS = {"port": "from another port", "id": "with other ids", "question": "to another question", "type": "of another type",
         "none": "without a question", "query": "that is a query", "cut": "that is cut off", "extra": "with an answer nobody asked for"}
WHY = "Whoever can send a packet decides what the checks see"


def is_let_in(target, domain):
    with target.session() as peer:
        if peer.say(f"MAIL FROM:<a@{domain}>") == CLOSED:
            return False
        return peer.say(f"RCPT TO:<{target.rcpt}>").code == 250


def bad_answers(server):
    """How many answers the resolver threads did not believe."""
    return server.ask(signal.SIGUSR2, "dns")["pool_bad"]


def attack(target, report):
    before = bad_answers(target.server)
    tries = [kind for kind in KINDS for _ in range(target.count(20, 3))]
    for kind, came_in in together(report, lambda kind: is_let_in(target, f"{kind}-{new_token()}.{names.POISONED}"), tries):
        if came_in:
            report.found("attack", f"an answer {KINDS[kind]} is believed", WHY, "RFC 5452 9.1")
    # Those of "extra" have told of this one.
    for _, came_in in together(report, lambda domain: is_let_in(target, domain), [f"victim.{names.POISONED}"] * 2):
        if came_in:
            report.found("attack", "what an answer tells of other names is believed", WHY, "RFC 5452 6")
    for _, came_in in together(report, lambda domain: is_let_in(target, domain), [f"{new_token()}.{names.HONEST}"] * 3):
        if not came_in:
            report.found("attack", "an honest domain is refused between the lies", "Lies keep the truth out")
    bad = bad_answers(target.server) - before
    report.note(f"{bad} attempts met an answer that was not believed")
    if not bad:
        report.found("rfc", "no lie was noticed", "So none has reached the server, and nothing is proved")
