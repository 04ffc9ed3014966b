"""A Postfix of the test's own: its configuration, queue and log are in a folder, and it listens where `master` says only."""

import grp
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from common.harness import IS_ROOT, SECONDS, SENDER, Skip, die_with_parent, equal, need_program, note, wait_for

DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")

# No smtpd and no DNS: it listens nowhere and looks nothing up.
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {directory}/maillog
maillog_file_prefixes = {directory}
myhostname = client.example.com
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [127.0.0.1]:{port}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = {tls}
smtp_line_length_limit = 0
notify_classes =
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 2s
"""

MASTER_CF = """
pickup    unix   n - n 1  1 pickup
cleanup   unix   n - n - 0 cleanup
qmgr      unix   n - n 1  1 qmgr
rewrite   unix   - - n - - trivial-rewrite
bounce    unix   - - n - 0 bounce
defer     unix   - - n - 0 bounce
trace     unix   - - n - 0 bounce
verify    unix   - - n - 1 verify
flush     unix   n - n 1000? 0 flush
proxymap  unix   - - n - - proxymap
smtp      unix   - - n - - smtp
relay     unix   - - n - - smtp
showq     unix   n - n - - showq
error     unix   - - n - - error
retry     unix   - - n - - error
discard   unix   - - n - - discard
scache    unix   - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

QUEUES = {"active": 0o700, "bounce": 0o700, "corrupt": 0o700, "defer": 0o700, "deferred": 0o700, "flush": 0o700, "hold": 0o700,
          "incoming": 0o700, "maildrop": 0o1730, "pid": 0o755, "private": 0o700, "public": 0o2710, "saved": 0o700, "trace": 0o700}


class Postfix:
    def __init__(self, directory, port, main="", master="", tls="none"):
        self.directory = directory
        (directory / "etc").mkdir(parents=True)
        (directory / "etc/main.cf").write_text(MAIN_CF.format(directory=directory, port=port, tls=tls) + main)
        (directory / "etc/master.cf").write_text(MASTER_CF + master)
        owner = pwd.getpwnam("postfix").pw_uid
        self.make_folder("data", owner, -1, 0o700)
        self.make_folder("queue", 0, -1, 0o755)
        for name, mode in QUEUES.items():
            group = grp.getgrnam("postdrop").gr_gid if name in ("maildrop", "public") else -1
            self.make_folder(f"queue/{name}", 0 if name == "pid" else owner, group, mode)

    def make_folder(self, name, owner, group, mode):
        path = self.directory / name
        path.mkdir()
        os.chown(path, owner, group)
        path.chmod(mode)

    def __enter__(self):
        self.process = subprocess.Popen([DAEMONS / "master", "-c", self.directory / "etc"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
        wait_for("Postfix", lambda: (self.directory / "queue/public/pickup").exists())
        return self

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS)
        if kind is not None:
            log = self.directory / "maillog"
            note(f"Postfix: {log.read_text()[-3000:] if log.exists() else 'no log'!r}")

    def send(self, text, recipients, sender=SENDER, options=()):
        run = subprocess.run([need_program("sendmail"), "-C", self.directory / "etc", "-i", *options, "-f", sender, *recipients],
                             input=text, capture_output=True, timeout=SECONDS)
        equal((run.returncode, run.stderr), (0, b""), "sendmail")

    def log(self):
        path = self.directory / "maillog"
        return path.read_text() if path.exists() else ""

    def queue_is_empty(self):
        return not any(path.is_file() for name in ("maildrop", "incoming", "active", "deferred")
                       for path in (self.directory / "queue" / name).rglob("*"))


def need_postfix():
    if not IS_ROOT:
        raise Skip("Postfix starts as root only")
    if not (DAEMONS / "master").exists() or shutil.which("sendmail", path="/usr/sbin") is None:
        raise Skip("no Postfix")
