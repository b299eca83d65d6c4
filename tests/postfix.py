"""Debian's Postfix on a port of 127.0.0.1, with a queue of its own: it puts every message into one Maildir."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mailbox import Maildir
from pathlib import Path

from tests.background_server import free_port

DOMAIN = "reeds.example"
"""It accepts all addresses of this domain, and relays to no other."""
_MAX_STARTS = 5
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.{domain}
mydestination =
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix."""

    port: int
    folder: Path

    def messages(self, number: int) -> list[bytes]:
        """Return the delivered messages once there are that many, or those there are after ten minutes."""
        maildir = Maildir(self.folder / "mail" / "all", create=False)
        ends_at = time.monotonic() + 600
        while len(maildir) < number and time.monotonic() < ends_at:
            time.sleep(0.1)
        return [maildir.get_bytes(key) for key in maildir.keys()]  # noqa: SIM118 - it is no dict


@contextmanager
def postfix(folder: Path) -> Iterator[Postfix]:
    """Run Postfix while the context is open; needs root."""
    for name in ("etc", "queue", "data", "mail"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    Maildir(folder / "mail" / "all", create=True)
    for path in (folder / "mail").rglob("*"):
        shutil.chown(path, 65534)
    for parent in (folder, *folder.parents):
        if parent.stat().st_mode & 0o001 == 0:  # the folders of pytest, which Postfix must get through
            parent.chmod(parent.stat().st_mode | 0o001)
    (folder / "etc" / "main.cf").write_text(_MAIN.format(folder=folder, domain=DOMAIN))
    command = ["postfix", "-c", str(folder / "etc")]
    port = _start(command, folder)
    try:
        yield Postfix(port, folder)
    finally:
        subprocess.run([*command, "stop"], check=True, capture_output=True, timeout=60)


def _start(command: list[str], folder: Path) -> int:
    """Start Postfix and return its port; it is another one if another program has taken it before Postfix could."""
    for _ in range(_MAX_STARTS):
        port = free_port()
        (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
        started = subprocess.run([*command, "start"], check=False, capture_output=True, text=True, timeout=60)
        if started.returncode == 0:
            return port
    log = (folder / "log").read_text() if (folder / "log").exists() else ""
    raise RuntimeError(f"Postfix does not start: {started.stderr}{log}")
