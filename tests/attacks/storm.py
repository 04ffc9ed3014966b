"""Reloads in the midst of all: SIGHUP as fast as it is heard, while mails, broken sessions, slow ones, lies and questions go on."""

import signal
import threading
import time

from attacks import names
from attacks.target import attempt, new_token


def one_of_each(target, report, number):
    """A session of some kind, whole or broken."""
    kind = number % 5
    if kind == 0:
        with target.mail() as peer:
            peer.raw(b"Subject: storm\r\n\r\nx\r\n.\r\n")
            if (code := peer.reply().code) != 250:
                report.found("attack", f"a whole mail is answered {code} in a storm of reloads", "Reloads cost mail")
    elif kind == 1:
        target.mail().close()
    elif kind == 2:
        with target.session() as peer:
            peer.say(f"MAIL FROM:<a@{new_token()}.{names.CHAINED}>")
    elif kind == 3:
        with target.session() as peer:
            peer.say(f"MAIL FROM:<{target.sender}>")
            peer.say(f"RCPT TO:<{new_token()}@{target.domain}>")
    else:
        with target.session() as peer:
            peer.raw(b"\0\r\n" * 50)
            peer.rest()


def attack(target, report):
    end = time.monotonic() + target.count(20, 4)

    def keep_on(first):
        number = first
        while time.monotonic() < end:
            attempt(report, one_of_each, target, report, number)
            number += 1

    threads = [threading.Thread(target=keep_on, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    sent = 0
    while time.monotonic() < end:
        target.server.signal(signal.SIGHUP)
        sent += 1
        time.sleep(0.02 if sent % 10 else 0.3)
    for thread in threads:
        thread.join()
    reloads = len(target.server.events("reload"))
    report.note(f"{sent} SIGHUPs, {reloads} reloads")
    failed = target.server.events("reload_failed")
    if failed:
        report.found("attack", f"a reload of a good file fails: {failed[0]}", "A storm leaves an old configuration in force")
    if not reloads:
        report.found("attack", f"of {sent} SIGHUPs none was obeyed", "Operators cannot change the policy under attack")
