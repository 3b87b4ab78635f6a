"""The command that takes what other loggers wrote into the store."""

from pathlib import Path

import click

from agent.cli.options import config_option, json_option, load_config, show
from agent.errors import AgentError

INTERRUPTED = 130  # what a shell says of a program that Ctrl+C ended


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@config_option
@click.option("--device", metavar="NAME", help="Into this device; else the only one of its kind.")
@click.option("--kind", metavar="KIND", help="What kind of device it is, where no file says it.")
@click.option("--dry-run", is_flag=True, help="Say what the files are, and write nothing.")
@json_option
def import_(
    files: tuple[Path, ...],
    file: Path | None,
    *,
    device: str | None,
    kind: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take in what other loggers wrote, each sample once.

    It goes into a device's history. A FILE is the database of the Raspberry Pi or the heat pump
    logger, or a CSV file of one of the five loggers or of this agent. The same file again adds
    nothing; what the store has is never replaced. The agent must be stopped meanwhile: sudo
    systemctl stop agent, and afterwards sudo systemctl start agent. Ctrl+C stops between two
    samples, and the same command again goes on.

    \b
    Examples:
      agent import --dry-run telemetry.db
      agent import telemetry.db cache.db
      agent import --device bench runs/*.csv
      agent import --device press --kind s7 log_*.csv
      agent import data.csv --json | jq '.files[].stored'
    """
    import signal
    import threading

    from agent.console.import_output import Import
    from agent.importing import Wanted
    from agent.importing.alone import alone

    config = load_config(file)
    stop = threading.Event()
    work = Import(config, stop.is_set, show)
    wanted = Wanted(device, kind)

    def interrupt(*_: object) -> None:
        if stop.is_set():  # once more: at once, without a word of what is in
            raise KeyboardInterrupt
        stop.set()

    if dry_run:
        work.plan(files, wanted, as_json=as_json, is_last=True)
    else:
        with alone(config.data_dir):
            planned = work.plan(files, wanted, as_json=as_json, is_last=False)
            before = signal.signal(signal.SIGINT, interrupt)
            try:
                work.run(planned, as_json=as_json)
            finally:
                signal.signal(signal.SIGINT, before)
    if work.is_interrupted:
        raise SystemExit(INTERRUPTED)
    if work.has_failed:
        raise AgentError("not all files could be imported, see above")
