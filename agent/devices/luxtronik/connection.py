"""One connection to a Luxtronik: one request at a time, and its whole answer before the next."""

import attrs

from agent.clock import Deadline
from agent.devices.contract import hex_bytes
from agent.devices.links.link import Link, Stream
from agent.devices.luxtronik.wire import (
    COMMAND_SIZE,
    Table,
    check_command,
    parse_head,
    parse_values,
    size_of,
)


class UnansweredError(ConnectionAbortedError):
    """The controller closed the connection before any byte of an answer."""


@attrs.frozen
class Answer:
    """A whole table; the meaning of a status other than 0 is not known."""

    status: int
    values: tuple[int, ...]


class Connection:
    """Asks over a link. Every step shares the caller's deadline.

    After an error it is of no use: what comes late would be taken for the next answer.
    """

    def __init__(self, link: Link) -> None:
        self._stream = Stream(link)
        self.is_luxtronik = False  # an answer began as it should

    def ask(self, table: Table, deadline: Deadline) -> Answer:
        """All values of a table.

        Raises:
            UnansweredError: Nothing of an answer came, the connection is closed.
            ValueError, OSError: As the controller answered.
        """
        stream = self._stream
        received = stream.received_bytes
        try:
            early = stream.link.receive_now(64)
            if early:
                raise ValueError(f"wanted silence before a request, got {hex_bytes(early)}")
            stream.send(table.request, deadline)
            check_command(table, stream.exactly(COMMAND_SIZE, deadline))
        except ConnectionError as exc:
            if stream.received_bytes > received:
                raise
            raise UnansweredError("the controller closed the connection without an answer") from exc
        self.is_luxtronik = True
        head = stream.exactly(table.head_size - COMMAND_SIZE, deadline)
        status, count = parse_head(table, head)
        data = stream.exactly(count * size_of(table), deadline)
        if stream.unread:
            more = hex_bytes(stream.unread)
            raise ValueError(f"wanted {count} {table.name}, got more bytes than those: {more}")
        return Answer(status, parse_values(table, data))

    def close(self) -> None:
        self._stream.close()
