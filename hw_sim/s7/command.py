"""``python -m hw_sim s7``."""

import click

from hw_sim import running
from hw_sim.s7.faults import FAULTS
from hw_sim.s7.simulator import S7Simulator

HELP = """A Siemens S7 PLC with data blocks DB1, DB2 and DB3.

\b
DB1 moves: counter DINT @0, temperature INT @4 (tenths), pressure REAL @6,
    alarm BOOL @10.0, mode_ro BYTE @11
DB2 holds one value of every type, DB3 what is no valid value
M, I and Q have some, C1 and T1 too

What clients write is printed. While it runs, type "fault NAME", "fault none" or
"help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim s7
  python -m hw_sim s7 --port 1103 --fault delay:0.5
  python -m hw_sim s7 --host 0.0.0.0 --read-only --pdu 240
"""


@click.command(help=HELP)
@running.host_option
@running.port_option(1102)
@running.fault_option
@click.option(
    "--pdu",
    default=480,
    show_default=True,
    type=click.IntRange(20, 65535),
    help="Largest PDU size, in bytes.",
)
@running.seed_option
@click.option("--read-only", is_flag=True, help="Writes are printed and refused.")
@click.option("--frozen", is_flag=True, help="Values don't move.")
@running.faults_option(FAULTS)
def command(
    host: str, port: int, fault: str | None, pdu: int, seed: int, read_only: bool, frozen: bool
) -> None:
    """Run the simulated PLC until it is stopped."""
    plc = S7Simulator(
        host,
        port,
        pdu=pdu,
        seed=seed,
        writable=not read_only,
        frozen=frozen,
        on_write=lambda write: running.say(write.describe()),
    )
    running.run(
        plc,
        fault,
        lambda: f"S7 simulator ready on {plc.address} (rack 0, slot 1)",
        lambda: f"stopped after {plc.requests} requests, {plc.write_requests} of them to write",
        port,
    )
