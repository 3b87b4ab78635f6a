"""What runs that were killed left in the journal goes into the file first, each event once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import attrs

from agent.errors import StoreError
from agent.store.journal import mark_all
from agent.store.part import Part, Run, make_part
from agent.store.records import Content, Decoder, Encoder, NameRecords
from agent.store.waiting import Known, WaitingRow, note_lost
from agent.store.writer import Writer

log = logging.getLogger(__name__)


@attrs.define
class Left:
    """The parts of one run, oldest first."""

    run: Run
    parts: list[Part]


class Recovery:
    """Parts that earlier runs left, about ``limit_bytes`` of them: the oldest go first.

    ``next_number`` gives numbers to new parts.
    """

    def __init__(
        self, parts: Sequence[Part], limit_bytes: int, next_number: Callable[[], int]
    ) -> None:
        self._next_number = next_number
        self._left = [Left(run, list(own)) for run, own in groupby(parts, lambda part: part.run)]
        self._give_up(limit_bytes)

    def replay(self, open_writer: Callable[[Run], Writer], devices: Mapping[str, Known]) -> None:
        """Commit what is not in the file yet, as the run would have done it itself.

        Raises:
            StoreError: The file cannot be written now; nothing is lost.
        """
        while self._left:
            self._replay(self._left[0], open_writer, devices)
            del self._left[0]

    def close(self) -> None:
        """Leave what is still there for the next run."""
        for left in self._left:
            for part in left.parts:
                part.close()

    def _replay(
        self, left: Left, open_writer: Callable[[Run], Writer], devices: Mapping[str, Known]
    ) -> None:
        writer = open_writer(left.run)
        try:
            parts = [part for part in left.parts if not writer.holds(part.witness)]
            content = _read(parts)
            known = {**devices, **content.known}
            events = [event for event in content.events if event.device in known]
            dropped = {name: one for name, one in content.dropped.items() if name in known}
            if events or dropped:
                writer.commit(
                    events, dropped, known, [*content.known], lambda made: mark_all(parts, made)
                )
                samples = sum(isinstance(event, WaitingRow) for event in events)
                log.info(
                    "%d samples and %d starts and ends of gaps that waited when the agent was "
                    "killed are stored now", samples, len(events) - samples,
                )  # fmt: skip
            if content.unread_bytes:
                log.warning(
                    "the journal in memory was damaged: %d bytes of what waited there are lost",
                    content.unread_bytes,
                )
            # Its log stays: without one, a file whose run has no end looks as if it had lost some.
            writer.close()
        except StoreError:
            raise
        except Exception:
            # Kept, it would stop every commit from now on.
            log.exception("what waited when the agent was killed is lost, please report this")
        finally:
            writer.abandon()
        for part in left.parts:
            _remove(part)

    def _give_up(self, limit_bytes: int) -> None:
        """Runs that are killed again and again while nothing can be written fill the memory."""
        size_bytes = sum(part.size_bytes for left in self._left for part in left.parts)
        for left in self._left:
            heir: Part | None = None
            # A part with a mark may be in the file: it is not lost.
            for part in [part for part in left.parts if part.witness is None]:
                if size_bytes <= limit_bytes:
                    return
                size_bytes -= part.size_bytes
                content = _read([part])
                for event in content.events:
                    note_lost(content.dropped, event)
                try:
                    heir = heir or make_part(part.folder, self._next_number(), left.run)
                    encoder = Encoder(content.known, {}, NameRecords())
                    heir.write(encoder.dropped(part.number, content.dropped))
                except OSError as exc:
                    log.warning("cannot write in %s: %s", part.folder.path, exc.strerror)
                    return
                if heir not in left.parts:
                    left.parts.append(heir)
                left.parts.remove(part)
                _remove(part)
                log.warning(
                    "more waited in memory than max_waiting_mb allows: the oldest %d samples and "
                    "starts and ends of gaps are lost", len(content.events),
                )  # fmt: skip


def _read(parts: Sequence[Part]) -> Content:
    content = Content()
    numbers = {part.number for part in parts}
    for part in parts:
        Decoder(content, numbers).read(part.records())
    return content


def _remove(part: Part) -> None:
    try:
        part.remove()
    except OSError as exc:
        log.warning("cannot remove %s: %s", part.folder.path / part.name, exc.strerror)
