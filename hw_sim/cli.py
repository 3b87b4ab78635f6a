"""The simulators on the command line."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from hw_sim.terminal import explain, run_until_stopped, signals_wake

S7_HELP = """A Siemens S7 PLC with data blocks DB1, DB2 and DB3.

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

EXAMPLES = """Simulators of the devices, with their real protocols and faults on demand.

\b
Examples:
  python -m hw_sim s7 --port 1102
  python -m hw_sim s7 --help
  python -m hw_sim host --root sim-root
  python -m hw_sim demo
"""


@click.group(help=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulators on the command line."""


def _list_faults(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        click.echo(_fault_table())
        context.exit()


@main.command(help=S7_HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0: from everywhere.")
@click.option(
    "--port", default=1102, show_default=True, type=click.IntRange(0, 65535), help="0: any free."
)
@click.option("--fault", metavar="NAME[:ARG]", help="Misbehave from the start.")
@click.option(
    "--pdu",
    default=480,
    show_default=True,
    type=click.IntRange(20, 65535),
    help="Largest PDU size, in bytes.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same values.")
@click.option("--read-only", is_flag=True, help="Writes are printed and refused.")
@click.option("--frozen", is_flag=True, help="Values don't move.")
@click.option(
    "--faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_faults,
    help="List the faults and end.",
)
def s7(
    host: str, port: int, fault: str | None, pdu: int, seed: int, read_only: bool, frozen: bool
) -> None:
    """Run the simulated PLC until it is stopped."""
    from hw_sim.s7 import S7Simulator

    plc = S7Simulator(
        host,
        port,
        pdu=pdu,
        seed=seed,
        writable=not read_only,
        frozen=frozen,
        on_write=lambda write: _say(write.describe()),
    )
    with signals_wake() as wake:
        try:
            plc.set_fault(fault)
            plc.start()
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            raise click.ClickException(explain(error, host, port)) from error
        with plc:
            note = f", fault {plc.fault}" if plc.fault else ""
            _say(f"S7 simulator ready on {plc.address} (rack 0, slot 1){note}; Ctrl+C ends it")
            run_until_stopped(wake, partial(_obey, plc.set_fault))
    _say(f"stopped after {plc.requests} requests, {plc.write_requests} of them to write")


@main.command()
@click.option(
    "--root",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the tree is made.",
)
@click.option(
    "--interval",
    "interval_s",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.01, 3600),
    help="Seconds between changes.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same values.")
def host(root: Path, interval_s: float, seed: int) -> None:
    """The files that a Linux computer tells about itself, with values that move.

    \b
    Example:
      python -m hw_sim host --root sim-root --interval 5
    """
    from hw_sim.host import HostTree

    tree = HostTree(root, seed)
    with signals_wake() as wake:
        try:
            tree.build()
            _say(f"host simulator ready in {root}; Ctrl+C ends it")
            run_until_stopped(wake, on_tick=partial(tree.step, interval_s), interval_s=interval_s)
        except OSError as error:
            raise click.ClickException(f"cannot make {root}: {error.strerror}") from error
    _say("stopped")


@main.command()
@click.option(
    "--data",
    default="demo-data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the demo keeps everything in.",
)
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(0.1),
    help="Seconds until it ends by itself.  [default: with Ctrl+C]",
)
def demo(data: Path, duration_s: float | None) -> None:
    """The agent with simulated devices, in one go.

    \b
    Examples:
      python -m hw_sim demo
      python -m hw_sim demo --data demo-data --duration 60
    """
    from hw_sim.demo import run_demo

    run_demo(data, duration_s)


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # whoever read us has gone: the simulator is still of use
        pass


def _obey(set_fault: Callable[[str | None], None], line: str) -> None:
    match line.split():
        case []:
            return
        case ["fault", "none"]:
            set_fault(None)
            _say("fault: none")
        case ["fault", name]:
            try:
                set_fault(name)
            except (ValueError, OSError) as error:
                _say(f"error: {error}")
            else:
                _say(f"fault: {name}")
        case _:
            _say(f'type "fault NAME" or "fault none"\n{_fault_table()}')


def _fault_table() -> str:
    from hw_sim.s7.faults import FAULTS

    width = max(map(len, FAULTS))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in FAULTS.items())
