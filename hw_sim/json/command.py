"""``python -m hw_sim json``."""

from pathlib import Path

import click

from hw_sim import running
from hw_sim.json.faults import BY_MODE, FAULTS
from hw_sim.json.simulator import PATH, PERIOD_S, JsonSimulator

HELP = f"""A weather station with an energy meter that speaks JSON.

\b
--mode http     GET {PATH} gives all values, / a web page
--mode request  TCP: the line "report" is answered with a line of JSON
--mode lines    TCP: it sends a line of JSON every second by itself
--mode serial   as request, over a serial port made at --path

What is no request to read is counted and printed. While it runs, type "fault NAME",
"fault none" or "help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim json
  python -m hw_sim json --mode http --port 8080 --fault chunked
  python -m hw_sim json --mode serial --path ./station
"""


@click.command(help=HELP)
@click.option("--mode", type=click.Choice(list(BY_MODE)), default="http", show_default=True)
@running.host_option
@running.port_option(8080)
@click.option(
    "--path",
    default="json-station",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Of the serial port.",
)
@click.option("--request", default="report", show_default=True, help="The line that is answered.")
@click.option(
    "--period",
    "period_s",
    default=PERIOD_S,
    show_default=True,
    type=click.FloatRange(0.01, 3600),
    help="Seconds between lines.",
)
@running.fault_option
@running.seed_option
@click.option("--frozen", is_flag=True, help="Values don't move.")
@running.faults_option(FAULTS)
def command(
    mode: str,
    host: str,
    port: int,
    path: Path,
    fault: str | None,
    *,
    request: str,
    period_s: float,
    seed: int,
    frozen: bool,
) -> None:
    """Run the simulated station until it is stopped."""
    station = JsonSimulator(
        mode,
        host,
        port,
        path=path.absolute(),
        request=request,
        period_s=period_s,
        seed=seed,
        frozen=frozen,
        on_write=running.say,
    )
    running.run(
        station,
        fault,
        lambda: f"JSON simulator ready on {station.address} ({mode})",
        lambda: f"stopped after {station.requests} requests, {station.write_requests} to write",
        port,
        table=lambda: _table(mode, station.address, request),
    )


def _table(mode: str, address: str, request: str) -> str:
    from hw_sim.json import SIMULATED, table

    return table(SIMULATED.name, address, mode, request)
