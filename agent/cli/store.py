"""The commands that look after the store's file."""

from pathlib import Path

import click

from agent.cli.options import config_option, json_option, load_config, show
from agent.errors import StoreError


@click.group()
def store() -> None:
    """Check, repair and back up the store.

    \b
    Examples:
      agent store info
      agent store verify
      agent store backup
    """


@store.command()
@config_option
@json_option
def info(file: Path | None, *, as_json: bool) -> None:
    """Show what each device takes up, and how fast it grows.

    It says when there is no more room. A day's growth is measured over the last week. What the
    agent wrote to the disk it counts while it runs, without the file system's own notes.

    \b
    Examples:
      agent store info
      agent store info --json | jq '.devices[] | [.device, .bytes_a_value]'
    """
    from agent.console.store_info import info_report

    show(info_report(load_config(file), as_json=as_json))


@store.command()
@config_option
@click.option("--quick", is_flag=True, help="Look at the checksums, and not behind them.")
@json_option
def verify(file: Path | None, *, quick: bool, as_json: bool) -> None:
    """Check every page, block and row of the store.

    The agent may be running meanwhile. The exit code is 4 when something is damaged; then it says
    what: device, range and count.

    \b
    Examples:
      agent store verify
      agent store verify --quick
      agent store verify --json | jq '.faults[] | [.device, .count, .text]'
    """
    from agent.console.store_verify import verify_report

    text, is_sound = verify_report(load_config(file), quick=quick, as_json=as_json)
    show(text)
    if not is_sound:
        raise SystemExit(StoreError.exit_code)


@store.command()
@config_option
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Add what can be read of this file, a store or a backup of one.",
)
@click.option("--dry-run", is_flag=True, help="Say what could be saved, and write nothing.")
@json_option
def repair(file: Path | None, *, source: Path | None, dry_run: bool, as_json: bool) -> None:
    """Set a damaged store aside, and save what can be read.

    That is done block by block and row by row. Files that were set aside by the agent and not saved
    yet are saved too. No sample is stored twice, and no file is deleted. What is lost is named:
    device, range and count. The agent must be stopped; while it runs, it does the same by itself,
    little by little.

    \b
    Examples:
      agent store repair --dry-run
      agent store repair
      agent store repair --from telemetry.db.damaged-20261120T120000Z
    """
    from agent.console.store_repair import Repair
    from agent.importing.alone import alone

    config = load_config(file)
    work = Repair(config, source)
    if dry_run:
        work.try_out()
    else:
        with alone(config.data_dir):
            work.run()
    show(work.text(as_json=as_json, is_dry=dry_run))


@store.command()
@click.argument("target", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@config_option
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def backup(target: Path | None, file: Path | None, *, force: bool, as_json: bool) -> None:
    """Write a copy of the store to FILE.

    It is the store of this moment; the agent may be running. By default it goes to a file with the
    time in its name, in this folder. It opens anywhere, without any other file, and is checked when
    it is written.

    \b
    Examples:
      agent store backup
      agent store backup /media/usb
      agent store backup --force /media/usb/telemetry.db
    """
    from agent.console.store_backup import backup_made

    show(backup_made(load_config(file), target, force=force, as_json=as_json))


@store.command()
@click.argument(
    "source", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"
)
@config_option
@json_option
def restore(source: Path, file: Path | None, *, as_json: bool) -> None:
    """Put a copy of the backup FILE in the store's place.

    The agent must be stopped. FILE is checked first. The store that is there is kept under another
    name.

    \b
    Examples:
      agent store restore telemetry-20261120T120000Z.db
    """
    from agent.console.store_backup import restored
    from agent.importing.alone import alone

    config = load_config(file)
    with alone(config.data_dir):
        show(restored(config, source, as_json=as_json))
