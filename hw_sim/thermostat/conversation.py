"""What the simulated thermostat says on one connection."""

import threading
from typing import TYPE_CHECKING

from hw_sim.tcp import Session
from hw_sim.thermostat.commands import changes, run
from hw_sim.thermostat.faults import Fault
from hw_sim.thermostat.reply import Reply
from hw_sim.thermostat.text import LineReader, encode

if TYPE_CHECKING:
    from hw_sim.thermostat.simulator import ThermostatSimulator

LOOK_S = 0.01  # how often is looked whether there is a sample to send by itself


class Conversation:
    """One connection: its requests one after the other, and the reports that it wants to see."""

    def __init__(self, thermostat: "ThermostatSimulator", session: Session) -> None:
        self._thermostat = thermostat
        self._session = session
        self._number = 0  # of requests
        self._sending = threading.Lock()  # lines of two threads stay whole
        self._ended = threading.Event()
        self._streaming: threading.Thread | None = None

    def run(self) -> None:
        """Until either side has had enough."""
        reader = LineReader()
        try:
            while True:
                for line in reader.add(self._session.receive(1)):
                    if not self._answer(line):
                        return
        finally:
            self._stop_streaming()

    def _answer(self, line: str) -> bool:
        self._number += 1
        thermostat, fault = self._thermostat, self._thermostat.fault_in_force
        thermostat.note(line, changes=changes(line))
        board = thermostat.board
        with board.lock:
            reply = run(board, line, self._streaming is not None)
            report = encode(board.report()) if fault.name == "stream" else ""
        data = b"".join(fault.changed(each, line) for each in reply.lines)
        if report:
            data = f"{report}\n".encode() + data + f"{report}\n".encode()
        with self._sending:
            goes_on = not reply.lines or self._send(data, fault)
        self._obey(reply)
        if reply.restarts:
            thermostat.restart()
        return goes_on and not reply.ends

    def _send(self, data: bytes, fault: Fault) -> bool:
        if fault.name == "lost-reply" and self._number == fault.argument:
            return True
        if fault.name in ("split-line", "long-line"):
            fault.send_line(self._session.send, data)
            return fault.name == "split-line"
        return fault.answer(self._session.send, data, self._number)

    def _obey(self, reply: Reply) -> None:
        if reply.mode is not None:
            self._stop_streaming()
        if reply.mode:
            self._ended.clear()
            self._streaming = threading.Thread(
                target=self._stream, name=f"stream {self._session.peer}", daemon=True
            )
            self._streaming.start()

    def _stream(self) -> None:
        board = self._thermostat.board
        with board.lock:
            seen = board.advance()
        while not self._ended.wait(LOOK_S):
            with board.lock:
                now = board.advance()
                line = encode(board.report()) if now != seen else ""
            seen = now
            if line:
                try:
                    with self._sending:
                        self._session.send(f"{line}\n".encode())
                except OSError:  # the client has gone
                    return

    def _stop_streaming(self) -> None:
        self._ended.set()
        if self._streaming is not None:
            self._streaming.join()
            self._streaming = None
