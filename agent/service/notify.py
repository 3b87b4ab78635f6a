"""Tells systemd how the agent is: ready, well, stopping; without systemd it tells nobody.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import logging
import os
import re
import socket
from collections.abc import MutableMapping

log = logging.getLogger(__name__)

STATUS_LIMIT = 300  # characters; "systemctl status" shows one line
PATH_BYTES = 107  # of an address of a Unix socket


class Notify:
    """Sends datagrams to systemd, never waits for it, and never fails; says whether each arrived.

    The variables are taken out of the environment, so that no child speaks for the agent.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._socket: socket.socket | None = None
        self._has_failed = False
        self._address = _address(environ.pop("NOTIFY_SOCKET", ""))
        watchdog_s = _watchdog_s(environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", ""))
        self.watchdog_s = watchdog_s if self._address else None

    @property
    def is_heard(self) -> bool:
        """Whether there is somebody to tell."""
        return self._address is not None

    def ready(self) -> bool:
        """The agent has started."""
        return self._send("READY=1")

    def status(self, text: str) -> bool:
        """One line for ``systemctl status``."""
        return self._send(f"STATUS={_line(text)}")

    def alive(self) -> bool:
        """Feed the watchdog."""
        return self._send("WATCHDOG=1")

    def stopping(self, text: str, within_s: float) -> bool:
        """The agent ends, and may take so long, even if less is allowed."""
        extend_us = round(within_s * 1e6)
        return self._send(f"STOPPING=1\nSTATUS={_line(text)}\nEXTEND_TIMEOUT_USEC={extend_us}")

    def close(self) -> None:
        """Nothing more is told; twice is fine."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> bool:
        if self._address is None:
            return False
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto(message.encode("utf-8", "replace"), self._address)
        except OSError as exc:
            level = logging.DEBUG if self._has_failed else logging.WARNING
            log.log(level, "cannot tell systemd how the agent is: %s", exc.strerror or exc)
            self._has_failed = True
            return False
        return True


def _line(text: str) -> str:
    return " ".join(text.split())[:STATUS_LIMIT]


def _address(name: str) -> bytes | None:
    """The address that ``NOTIFY_SOCKET`` names; ``@`` stands for the zero byte of abstract ones."""
    if not name:
        return None
    address = os.fsencode(name)
    if name[0] not in "/@" or not 1 < len(address) <= PATH_BYTES or b"\0" in address:
        log.warning("systemd is not told how the agent is: NOTIFY_SOCKET is %r", name[:200])
        return None
    return b"\0" + address[1:] if name[0] == "@" else address


def _watchdog_s(period_us: str, pid: str) -> float | None:
    """How often systemd wants a sign of life, if it wants it from this process."""
    if not period_us or (pid and pid != str(os.getpid())):
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,17}", period_us[:200]):
        log.warning("the watchdog of systemd is not fed: WATCHDOG_USEC is %r", period_us[:200])
        return None
    return int(period_us[:200]) / 1e6
