"""Finds a board at one of many serial ports, which other drivers may search at the same time."""

import glob
import os
import re
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from agent.clock import Deadline
from agent.devices.benchlab.board import Board, Identity, WrongBoardError
from agent.devices.benchlab.options import USB_ID, Options
from agent.devices.contract import device_errors
from agent.devices.links.holders import OURS, is_ours, locked_text
from agent.devices.links.link import Link
from agent.devices.links.serial_port import (
    LOCKED_RETRY_S,
    Line,
    PortLockedError,
    SerialLink,
    pause,
)
from agent.devices.links.usb import is_serial_port, usb_id, usb_text
from agent.errors import DeviceError
from agent.model import Reason

LINE: Final = Line(115200)
SHORTEST_SHARE_S: Final = 0.25  # of a port, to greet; slow boards of old firmware need 0.15 s
TOLD_LIMIT: Final = 6  # ports that an error text speaks of


def open_port(path: str, deadline: Deadline) -> Link:
    """A link; a locked port is an error at once."""
    return SerialLink(path, LINE, deadline, is_patient=False)


def matching_ports(pattern: str) -> Sequence[str]:
    """Serial ports that match, in the order in which people count."""
    return sorted(filter(is_serial_port, glob.glob(pattern)), key=_counted)  # noqa: PTH207 - absolute


@attrs.frozen
class Connected:
    """A board that was found; ``where`` is its port."""

    board: Board
    identity: Identity
    where: str


class Search:
    """Looks at the port where the board was last, at ``port``, and at all that ``search`` matches.

    Ports with USB ids of something else get no byte, unless ``port`` names them. Those that
    another driver of ours holds are tried again: it may only be looking what is there.

    Args:
        opener: Opens a link to a port, without waiting for one that is locked.
        matches: The ports that match a pattern.
        usb: The USB ids of a port.
    """

    def __init__(
        self,
        options: Options,
        opener: Callable[[str, Deadline], Link] = open_port,
        matches: Callable[[str], Sequence[str]] = matching_ports,
        usb: Callable[[str], tuple[int, int] | None] = usb_id,
    ) -> None:
        self._options = options
        self._open = opener
        self._matches = matches
        self._usb = usb
        self._last = ""
        self._failures = 0

    def connect(self, uid: str, deadline: Deadline) -> Connected:
        """The board with a UID, or any board where that is empty.

        Raises:
            DeviceError: It is at none of the ports; with what is there instead.
        """
        told: dict[str, DeviceError] = {}
        waiting = self._candidates(uid, told)
        ours: set[str] = set()  # that another driver of ours had locked
        foreign: set[str] = set()  # that nobody of ours had locked at the last look
        while waiting:
            held = []
            for number, path in enumerate(waiting):
                try:
                    found = self._try(path, uid, deadline, len(waiting) - number)
                except DeviceError as error:
                    told[path] = error
                    if not isinstance(error.__cause__, PortLockedError):
                        continue
                    if is_ours(path):
                        ours.add(path)
                        foreign.discard(path)
                        held.append(path)
                    elif path not in foreign:
                        # One of ours that only looked may have let go of it in between.
                        foreign.add(path)
                        held.append(path)
                    # Said now: by the end somebody else may have the port, or nobody.
                    text = OURS if path in ours else locked_text(path)
                    told[path] = DeviceError(f"{path}: {text}", error.reason)
                else:
                    if not uid and not self._options.port:
                        self._refuse_a_second(found, waiting[number + 1 :], deadline)
                    self._last, self._failures = path, 0
                    return found
            waiting = held if held and pause(LOCKED_RETRY_S, deadline) else []
        self._failures += 1
        raise self._not_found(uid, told)

    def _refuse_a_second(self, found: Connected, paths: Sequence[str], deadline: Deadline) -> None:
        """Which of two boards is meant would else be decided by chance, anew at each start."""
        for number, path in enumerate(paths):
            try:
                other = self._try(path, "", deadline, len(paths) - number)
            except (DeviceError, TimeoutError):  # no board, or another program has it
                continue
            other.board.close()
            found.board.close()
            boards = f"{found.identity.uid} at {found.where} and {other.identity.uid} at {path}"
            raise DeviceError(
                f"looking for a BENCHLAB board: found more than one, {boards}: set uid, and give "
                "each board a table of its own",
                Reason.REFUSED,
            )

    def _candidates(self, uid: str, told: dict[str, DeviceError]) -> list[str]:
        """The ports to look at, the likely ones first; why others are left alone goes to told."""
        port = self._options.port
        others = []
        for path in self._matches(self._options.search) if uid or not port else ():
            usb = self._usb(path)
            if usb is None or usb == USB_ID:
                others.append(path)
            elif path != port:
                text = f"{path}: left alone, it is another device (USB {usb_text(usb)})"
                told[path] = DeviceError(text, Reason.UNREACHABLE)
        last = [self._last] if self._last in others else []
        # Drivers that search at once begin apart.
        others = _turned(others, int(uid[-4:] or "0", 16))
        unique: dict[str, str] = {}
        for path in (*last, *([port] if port else []), *others):
            unique.setdefault(os.path.realpath(path), path)
        # No port is always the one without time.
        return _turned(list(unique.values()), self._failures)

    def _try(self, path: str, uid: str, deadline: Deadline, left: int) -> Connected:
        """The board at a port; this port and those behind it are ``left``."""
        try:
            with device_errors(path):
                share = _share(deadline, left)
                board = Board(self._open(path, share))
                try:
                    return Connected(board, board.identify(deadline, uid, share), path)
                except BaseException:
                    board.close()
                    raise
        except WrongBoardError as error:
            raise DeviceError(f"{path}: {error}", error.reason) from error

    def _not_found(self, uid: str, told: dict[str, DeviceError]) -> DeviceError:
        wanted = f"board {uid}" if uid else "a BENCHLAB board"
        where = self._options.search if uid or not self._options.port else self._options.port
        if not told:
            text = f"looking for {wanted}: no serial port matches {where}; is it plugged in?"
            return DeviceError(text, Reason.UNREACHABLE)
        texts = [
            _told(path, error, is_alone=len(told) == 1)
            for path, error in list(told.items())[:TOLD_LIMIT]
        ]
        more = f"; and {len(told) - TOLD_LIMIT} more" if len(told) > TOLD_LIMIT else ""
        if len(told) == 1 and next(iter(told.values())).reason is Reason.TIMEOUT:
            more = "; if it is a BENCHLAB board, unplug it and plug it in again"
        more += self._exchanged(told)
        at = f" at none of {len(told)} ports" if len(told) > 1 else ""
        reasons = {error.reason for error in told.values()}
        return DeviceError(
            f"looking for {wanted}{at}: {'; '.join(texts)}{more}",
            reasons.pop() if len(reasons) == 1 else Reason.UNREACHABLE,
        )

    def _exchanged(self, told: dict[str, DeviceError]) -> str:
        """What to do when there is another board, where the wanted one was not configured."""
        port = self._options.port
        others = [
            path
            for path, error in told.items()
            if isinstance(error.__cause__, WrongBoardError) and error.__cause__.uid
        ]
        if self._options.uid or not others or (port and port not in others):
            return ""
        which = "this one" if len(told) == 1 else f"the one at {port}" if port else "another one"
        return f"; restart the agent to take {which}, or set uid"


def _turned(paths: list[str], by: int) -> list[str]:
    """The same ones in the same order, beginning elsewhere.

    >>> _turned(["a", "b", "c"], 4)
    ['b', 'c', 'a']
    """
    at = by % max(1, len(paths))
    return paths[at:] + paths[:at]


def _share(deadline: Deadline, left: int) -> Deadline:
    """The time for one port to greet, when so many are left with it."""
    left_s = deadline.left_s()
    share_s = round(max(left_s / left, SHORTEST_SHARE_S), 2)
    return deadline if left == 1 or left_s < share_s else Deadline(share_s)


def _told(path: str, error: DeviceError, *, is_alone: bool) -> str:
    """What an error text says of a port; what is wanted is said once."""
    if isinstance(error.__cause__, WrongBoardError) and not is_alone:
        return f"{path}: {error.__cause__.found}"
    return str(error)


def _counted(path: str) -> list[tuple[int, str]]:
    """For sorting: ttyACM2 before ttyACM10.

    >>> sorted(["/dev/ttyACM10", "/dev/ttyACM2"], key=_counted)
    ['/dev/ttyACM2', '/dev/ttyACM10']
    """
    return [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path)
    ]
