"""The command line: options in, exit codes out. Imports the rest inside the commands."""

from pathlib import Path
from typing import Any

import click

from agent import __version__
from agent.cli.data import query
from agent.cli.doctor import doctor
from agent.cli.import_data import import_
from agent.cli.options import Commands, config_option, finite, json_option, load_config, show
from agent.cli.service import install_service, uninstall_service
from agent.cli.setup import discover, init
from agent.cli.simulate import simulate
from agent.cli.store import store
from agent.errors import AgentError, StoreError
from agent.words import counted


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agent", message="%(prog)s %(version)s")
def main() -> None:
    """Poll devices, keep every sample in one SQLite file, and write CSV reports.

    \b
    The first five minutes:
      agent discover            which devices are here?
      agent init                write agent.toml with them
      agent check               is agent.toml right?
      agent read plc            what does this device say now?
      agent run                 poll everything, until Ctrl+C
      agent status              in another terminal: who is well, who is not
      agent report --daily      the last 24 hours of every device as CSV
      agent query "SELECT ..."  any question about all that is stored
      agent import old.csv      take what other loggers wrote into it
      agent store backup FILE   copy the store, also while the agent runs
      agent simulate demo       all of it without a device: simulators stand in
      agent install-service     have it start with the machine
      agent doctor              is all well, and what to do if not
    """


@main.command()
@config_option
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(0, 1e9),
    callback=finite,
    metavar="S",
    help="Stop after S seconds.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log more, as with log_level = debug.")
def run(file: Path | None, duration_s: float | None, *, verbose: bool) -> None:
    """Poll every configured device until Ctrl+C or SIGTERM.

    \b
    Examples:
      agent run
      agent run --config /etc/agent/agent.toml
      agent run --duration 60
    """
    import os
    import signal

    from agent import logs
    from agent.app import App
    from agent.devices import KINDS
    from agent.service.heap import share_one_heap
    from agent.service.leftovers import remove_leftovers
    from agent.service.notify import Notify

    config = load_config(file)
    logs.set_up("debug" if verbose else config.agent.log_level)
    logs.say_where_it_was_killed()
    share_one_heap()
    remove_leftovers()
    app = App(config, KINDS, notify=Notify(os.environ))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What nohup ignores stays ignored; a shell's background job ignores the first one too.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: app.stop())
    lost = app.run(duration_s)
    if lost:
        raise StoreError(f"{counted(lost, 'sample')} could not be stored, see the log")


@main.command()
@config_option
@json_option
def check(file: Path | None, *, as_json: bool) -> None:
    """Check the configuration.

    No device is touched, and all faults are named at once.

    \b
    Examples:
      agent check
      agent check --config new.toml
      agent check --json | jq '.faults[].text'
    """
    from agent.console.commands import check_faults, check_report

    try:
        text = check_report(load_config(file), as_json=as_json)
    except AgentError as exc:
        if not as_json:
            raise
        show(check_faults(exc))
        raise SystemExit(exc.exit_code) from exc
    show(text)


@main.command()
@click.argument("device")
@click.argument("names", nargs=-1)
@config_option
@json_option
def read(device: str, names: tuple[str, ...], file: Path | None, *, as_json: bool) -> None:
    """Read one DEVICE once, and show what it says.

    That is all, or the metrics with NAMES in their name or explanation.

    The agent may be running meanwhile, but some devices take one connection only.

    \b
    Examples:
      agent read host
      agent read heatpump temperatur_t energy
      agent read plc --json
    """
    from agent.console.commands import read_report

    show(read_report(load_config(file), device, names, as_json=as_json))


@main.command()
@config_option
@json_option
def status(file: Path | None, *, as_json: bool) -> None:
    """Show who is well and what is stored.

    It does so whether the agent runs or not.

    \b
    Examples:
      agent status
      agent status --json | jq '.devices[] | select(.is_configured and (.is_well | not))'
    """
    from agent.console.status import status_report

    show(status_report(load_config(file), as_json=as_json))


@main.command()
@click.argument("devices", nargs=-1)
@config_option
@click.option("--daily", is_flag=True, help="The last 24 hours.")
@click.option("--weekly", is_flag=True, help="The last 7 days.")
@click.option("--from", "start", metavar="TIME", help="From this date or time (ISO 8601).")
@click.option("--to", "end", metavar="TIME", help="Up to this date or time; now by default.")
@click.option("--date", "day", metavar="DATE", help="With --daily or --weekly: of this day.")
@click.option("--calendar/--no-calendar", default=None, help="Whole local days.")
@click.option("--timezone", "zone", metavar="NAME", help="Such as Europe/Berlin.")
@click.option("--units/--no-units", default=None, help="Units in the header.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write one device to this file.",
)
@json_option
def report(file: Path | None, *, daily: bool, weekly: bool, as_json: bool, **options: Any) -> None:
    """Write CSV reports of all DEVICES, or of some.

    All are those that have data.

    Daily ones end now and are named by today; with --date they end at [reports] time of that day,
    as the scheduled ones do, and with --calendar they are whole local days.

    \b
    Examples:
      agent report --daily
      agent report --weekly plc
      agent report --daily --calendar --date 2026-03-29
      agent report --from 2026-11-01 --to 2026-11-08T12:00 --timezone Europe/Berlin
      agent report --from 2026-11-20 plc --output plc.csv
    """
    from agent.console.report import report_made

    if daily and weekly:
        raise click.UsageError("--daily or --weekly, one at a time")
    span = "daily" if daily else "weekly" if weekly else None
    show(report_made(load_config(file), span=span, as_json=as_json, **options))


@main.command()
@json_option
def version(*, as_json: bool) -> None:
    """Show the versions of the agent and its parts.

    \b
    Examples:
      agent version
      agent version --json
    """
    from agent.console.version import version_report

    show(version_report(as_json=as_json))


main.add_command(discover)
main.add_command(doctor)
main.add_command(import_)
main.add_command(init)
main.add_command(install_service)
main.add_command(query)
main.add_command(simulate)
main.add_command(store)
main.add_command(uninstall_service)
