"""The command that looks at everything and says what to do."""

from pathlib import Path

import click

from agent.cli.options import config_option, json_option, show

DEFAULT_NAME = ""  # --report alone: a name with the time in it, in this folder


@click.command()
@config_option
@click.option(
    "--report",
    "report",
    is_flag=False,
    flag_value=DEFAULT_NAME,
    metavar="[FILE]",
    help="Write all of it to a new file, to attach to a report of a fault.",
)
@click.option(
    "--hide-hosts", is_flag=True, help="With --report: hide addresses and names of hosts."
)
@json_option
def doctor(file: Path | None, *, report: str | None, hide_hosts: bool, as_json: bool) -> None:
    """Look whether all is well, and say what to do if not.

    It looks at the configuration, the devices, permissions, disk, clock, service and versions.
    Devices are only read from, and those that the running agent reads are left to it. The exit
    code is 1 when something is a problem. The file of --report has no passwords and no tokens in
    it, and can be read before it is sent.

    \b
    Examples:
      agent doctor
      sudo agent doctor --config /etc/agent/agent.toml
      agent doctor --report
      agent doctor --report fault.txt --hide-hosts
      agent doctor --json | jq '.[] | select(.level == "problem")'
    """
    from agent.doctor.command import doctor_report

    if hide_hosts and report is None:
        raise click.UsageError("--hide-hosts goes with --report")
    text, is_well = doctor_report(file, report=report, is_without_hosts=hide_hosts, as_json=as_json)
    show(text)
    if not is_well:
        raise SystemExit(1)
