"""A Dovecot of the test's own that speaks LMTP only, on 127.0.0.1 and at a unix socket. Mail goes into Maildirs of one user."""

import pathlib
import pwd
import shutil
import signal
import subprocess

from common.harness import IS_ROOT, SECONDS, Skip, die_with_parent, free_port, note, wait_for

# What both releases say alike. Dovecot takes mail for a root's process as a user of its own only.
COMMON = """
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
login_trusted_networks = 127.0.0.0/8
first_valid_uid = 1
service lmtp {{
    unix_listener {directory}/socket {{
        mode = 0666
    }}
    inet_listener lmtp {{
        port = {port}
    }}
}}
"""

BEFORE_2_4 = """
mail_location = maildir:{directory}/mail/%n
mail_plugins = quota
plugin {{
    quota = maildir:all
}}
passdb {{
    driver = passwd-file
    args = {directory}/users
}}
userdb {{
    driver = passwd-file
    args = {directory}/users
}}
"""

# Its quota is a file's octets, as before; by itself it would take the last mail where that is no more than 10 MB too much.
FROM_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mail_path = {directory}/mail/%{{user | username}}
mail_plugins {{
    quota = yes
}}
quota_storage_grace = 0
quota all {{
    driver = maildir
}}
passdb passwd-file {{
    passwd_file_path = {directory}/users
}}
userdb passwd-file {{
    passwd_file_path = {directory}/users
}}
"""


def need_dovecot():
    if not IS_ROOT:
        raise Skip("Dovecot starts as root only")
    if shutil.which("dovecot", path="/usr/sbin") is None or not pathlib.Path("/usr/lib/dovecot/lmtp").exists():
        raise Skip("no Dovecot")


def version():
    said = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.split()[0].split(".")[:2])


class Dovecot:
    """`full`: users who have no room for another mail."""

    def __init__(self, directory, users=("alice", "bob"), full=()):
        self.directory, self.port = directory, free_port()
        self.by_tcp, self.at_path = f"lmtp://127.0.0.1:{self.port}", f"lmtp:unix:{directory}/socket"
        self.is_new = version() >= (2, 4)
        self.owner = pwd.getpwnam("mail")
        for name in "", "run", "state", "mail":
            (directory / name).mkdir(mode=0o755)
        shutil.chown(directory / "mail", self.owner.pw_uid)
        text = FROM_2_4 + COMMON if self.is_new else COMMON + BEFORE_2_4
        (directory / "dovecot.conf").write_text(text.format(directory=directory, port=self.port))
        limit = "userdb_quota_storage_size=1B" if self.is_new else "userdb_quota_rule=*:bytes=1"
        rows = [(user, limit if user in full else "") for user in (*users, *full)]
        (directory / "users").write_text("".join(f"{user}@isp.example:{{PLAIN}}x:{self.owner.pw_uid}:{self.owner.pw_gid}::"
                                                 f"{directory}/mail/{user}::{rule}\n" for user, rule in rows))

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.directory / "dovecot.conf"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=(self.directory / "stderr").open("wb"), preexec_fn=die_with_parent)
        wait_for("Dovecot", lambda: self.process.poll() is not None or (self.directory / "socket").exists())
        return self

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS)
        if kind is not None:
            note(f"Dovecot: {(self.directory / 'stderr').read_text()} {self.log()[-3000:]}")

    def log(self):
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""

    def mails(self, user="alice"):
        """The oldest first. A name begins with seconds, and microseconds without leading zeros: 1764464696.M43210P1.host."""
        folder = self.directory / "mail" / user / "new"
        def moment(path):
            seconds, _, rest = path.name.partition(".M")
            return int(seconds), int(rest.partition("P")[0])
        return [path.read_bytes() for path in sorted(folder.glob("*"), key=moment)]
