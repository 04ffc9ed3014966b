"""Real mail filters from Debian's packages, each started with a configuration of the test's, on loopback alone."""

import contextlib
import signal
import subprocess

from common.harness import SECONDS, die_with_parent, free_port, is_listening, need_program, wait_for


@contextlib.contextmanager
def daemon(command, port, log, stop=signal.SIGTERM):
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=die_with_parent)
    try:
        wait_for(command[0], lambda: process.poll() is not None or is_listening(port), 2 * SECONDS)
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        yield process
    finally:
        process.send_signal(stop)
        process.wait()


@contextlib.contextmanager
def opendkim(directory, options, name="opendkim"):
    """Its port."""
    port = free_port()
    (directory / f"{name}.conf").write_text(f"Syslog no\nSocket inet:{port}@127.0.0.1\n{options}")
    command = [need_program("opendkim"), "-f", "-x", str(directory / f"{name}.conf")]
    with daemon(command, port, directory / f"{name}.log", signal.SIGKILL):  # it takes five seconds to stop
        yield port


RSPAMD = """
options {{
    filters = "{filters}";
    check_local = true;
    tempdir = "{directory}";
    dns {{ nameserver = ["127.0.0.1:{dns}:1"]; timeout = {seconds}s; retransmits = 1; }}
    url_tld = "{directory}/tlds";
    control_socket = "{directory}/control.sock mode=0600";
}}
logging {{ type = "console"; level = "notice"; }}
lua = "{directory}/rspamd.lua";
actions {{ reject = 15; add_header = 6; }}
metric {{ name = "default"; }}
worker "rspamd_proxy" {{
    bind_socket = "127.0.0.1:{port}";
    count = 1;
    milter = yes;
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
{options}
"""


@contextlib.contextmanager
def rspamd(directory, rules="", filters=(), plugins=(), options="", dns=None):
    """Its port. `rules` are Lua; `plugins` are those of Debian's package that are loaded beside the filters; `dns` is a port."""
    program = need_program("rspamd")
    port = free_port()
    (directory / "rspamd.lua").write_text(rules)
    (directory / "tlds").write_text("example\ncom\n")  # all that there are take ten seconds
    if plugins:
        options += "modules {" + "".join(f'path = "/usr/share/rspamd/plugins/{plugin}.lua";\n' for plugin in plugins) + "}\n"
    (directory / "rspamd.conf").write_text(RSPAMD.format(
        directory=directory, port=port, filters=",".join((*filters, *plugins)), dns=dns or free_port(), seconds=1 if dns else 0.1,
        options=options))
    with daemon([program, "-f", "-i", "-c", str(directory / "rspamd.conf")], port, directory / "rspamd.log"):
        yield port
