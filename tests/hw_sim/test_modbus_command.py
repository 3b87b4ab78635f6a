"""``python -m hw_sim modbus`` in a process of its own."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from agent.devices.modbus import Options, Tag
from agent.devices.modbus.driver import Modbus

TIMEOUT_S = 10.0  # all of it takes 0.3 s
POWER = Tag("power", "IR18:FLOAT32", unit_id=3)


def run(options: list[str], ready: str) -> tuple[re.Match[str], subprocess.Popen[str]]:
    command = [sys.executable, "-m", "hw_sim", "modbus", "--frozen", "--units", "3", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(ready, line)
    if found is None:
        process.kill()
        process.communicate()
    assert found, line
    return found, process


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    return rest


def test_it_serves_tcp_until_it_is_stopped() -> None:
    ready = r"Modbus TCP simulator ready on 127\.0\.0\.1:(\d+) \(units 1 to 3\); Ctrl\+C ends it\n"
    found, process = run(["--port", "0"], ready)

    driver = Modbus(Options("127.0.0.1", int(found[1]), tag=(POWER,)), TIMEOUT_S)
    values = driver.read()
    driver.close()

    assert end(process) == "stopped after 1 reads, 0 writes\n"
    assert values == {"power": 1770.0}


def test_it_serves_a_serial_port_until_it_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "meter"
    ready = rf"Modbus RTU simulator ready on {path} \(units 1 to 3\), fault echo; .*\n"
    _, process = run(["--link", str(path), "--fault", "echo"], ready)

    driver = Modbus(Options(serial=str(path), tag=(POWER,)), TIMEOUT_S)
    values = driver.read()
    driver.close()

    assert end(process) == "stopped after 1 reads, 0 writes\n"
    assert values == {"power": 1770.0}
    assert not path.exists()
