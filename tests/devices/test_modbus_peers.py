"""The Modbus driver reads the servers of other implementations, in every type and order."""

import contextlib
import json
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from pyModbusTCP.server import DataBank, ModbusServer

from agent.devices.modbus import Options, Tag
from agent.devices.modbus.driver import Modbus
from agent.devices.modbus.types import TYPES
from agent.model import Value
from tests.peers import free_port

TIMEOUT_S = 5.0
VALUES: Mapping[str, tuple[int | float, ...]] = {
    "UINT16": (0, 1, 0x022B, 0xFFFF),
    "INT16": (-32768, -1, 0, 32767),
    "UINT32": (0, 0x12345678, 0xFFFFFFFF),
    "INT32": (-(2**31), -2, 2**31 - 1),
    "UINT64": (0, 0x0123456789ABCDEF, 2**64 - 1),
    "INT64": (-(2**63), -3, 2**63 - 1),
    "FLOAT32": (0.0, 230.5, -1.1, 3.4028235e38),
    "FLOAT64": (0.1, -1e-300, 1.7976931348623157e308),
}
TEXT = "EM340 Zähler"

PYMODBUS_SERVER = """
import asyncio, json, sys
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
wish = json.loads(sys.stdin.readline())
data = [SimData(at, values=value, datatype=DataType[name]) for at, name, value in wish["data"]]
bits = [SimData(0, values=wish["bits"], datatype=DataType.BITS)]
async def main():
    device = SimDevice(7, (bits, bits, data, data))
    server = ModbusTcpServer(device, address=("127.0.0.1", wish["port"]))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.shutdown()
asyncio.run(main())
"""

pytestmark = pytest.mark.peer


def read(options: Options) -> dict[str, Value]:
    driver = Modbus(options, TIMEOUT_S)
    try:
        return dict(driver.read())
    finally:
        driver.close()


@contextlib.contextmanager
def py_modbus_tcp_server(bank: DataBank) -> Iterator[int]:
    """On a port that was free a moment ago."""
    port = free_port()
    server = ModbusServer("127.0.0.1", port, no_block=True, data_bank=bank)
    server.start()
    try:
        yield port
    finally:
        server.stop()


@contextlib.contextmanager
def pymodbus_server(data: list[tuple[int, str, object]], bits: list[bool]) -> Iterator[int]:
    """In a process of its own, so that its event loop is none of ours."""
    wish = {"port": free_port(), "data": data, "bits": bits}
    with subprocess.Popen(
        [sys.executable, "-c", PYMODBUS_SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            server.stdin.write(json.dumps(wish) + "\n")
            server.stdin.flush()
            assert server.stdout.readline().strip() == "ready"
            yield wish["port"]  # type: ignore[misc]
        finally:
            server.kill()


@pytest.mark.parametrize("byte_order", ["big", "little"])
@pytest.mark.parametrize("word_order", ["big", "little"])
@pytest.mark.parametrize("area", ["HR", "IR"])
def test_the_driver_reads_what_was_put_into_the_server_of_py_modbus_tcp(
    area: str, word_order: str, byte_order: str
) -> None:
    bank = DataBank()
    put = bank.set_holding_registers if area == "HR" else bank.set_input_registers
    tags: list[Tag] = []
    expected: dict[str, Value] = {}
    at = 50
    for name, values in VALUES.items():
        for number, value in enumerate(values):
            data = struct.pack(">" + TYPES[name].code, value)
            words = [data[i : i + 2] for i in range(0, len(data), 2)]
            words = words[::-1] if word_order == "little" else words
            put(at, [int.from_bytes(word, byte_order) for word in words])  # type: ignore[arg-type]
            tags.append(Tag(f"{name}_{number}", f"{area}{at}:{name}"))
            expected[tags[-1].name] = value
            at += len(words) + number

    with py_modbus_tcp_server(bank) as port:
        found = read(
            Options(
                "127.0.0.1",
                port,
                word_order=word_order,
                byte_order=byte_order,
                tag=tuple(tags),
            )
        )

    assert found == expected


def test_the_driver_reads_bits_and_texts_of_py_modbus_tcp() -> None:
    bank = DataBank()
    bits = [number % 3 == 0 for number in range(2100)]
    bank.set_coils(0, bits)
    bank.set_discrete_inputs(100, bits[:9])
    data = TEXT.encode().ljust(20, b"\0")
    bank.set_holding_registers(7, [int.from_bytes(data[i : i + 2]) for i in range(0, 20, 2)])
    coils = tuple(Tag(f"c{number}", f"CO{number}") for number in range(2100))
    inputs = tuple(Tag(f"d{number}", f"DI{100 + number}") for number in range(9))

    with py_modbus_tcp_server(bank) as port:
        found = read(
            Options("127.0.0.1", port, tag=(*coils, *inputs, Tag("text", "HR7:STRING(20)")))
        )

    assert list(found.values()) == [*bits, *bits[:9], TEXT]


def test_the_driver_reads_what_was_put_into_the_server_of_pymodbus() -> None:
    data: list[tuple[int, str, object]] = []
    tags = [Tag("bit_0", "CO0"), Tag("bit_3", "DI3")]
    expected: dict[str, Value] = {"bit_0": True, "bit_3": False}
    at = 10
    for name, values in VALUES.items():
        for number, value in enumerate(values):
            data.append((at, name, value))
            tags.append(Tag(f"{name}_{number}", f"{'HR' if number % 2 else 'IR'}{at}:{name}"))
            expected[tags[-1].name] = value
            at += TYPES[name].size
    tags += [Tag("after", f"HR{at}:UINT16")]  # does not exist
    bits = [True, True, True, False] * 4

    with pymodbus_server(data, bits) as port:
        found = read(Options("127.0.0.1", port, unit_id=7, tag=tuple(tags)))

    assert found == {**expected, "after": None}
