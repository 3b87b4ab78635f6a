"""The manual page agent(1), made from the help that every command gives."""

import datetime as dt
import re
from collections.abc import Iterator

import click

from agent import __version__
from agent.cli import main
from agent.cli.options import EXIT_CODES

FILES = (
    ("/etc/agent/agent.toml", "What is polled, and how. Read by the service at its start."),
    ("/etc/agent/agent.env", 'Variables for { env = "NAME" } in it; need not be there.'),
    ("/var/lib/agent/telemetry.db", "Every sample: an SQLite file, to be read at any time."),
    ("/var/lib/agent/reports/", "The CSV files of every day and week."),
)
SEE_ALSO = ("sqlite3 (1)", "systemctl (1)", "journalctl (1)")


def manual(day: dt.date) -> str:
    """The whole page, in the language of man(7)."""
    lines = [f'.TH AGENT 1 "{day.isoformat()}" "agent {__version__}" "User Commands"']
    lines += [".SH NAME", "agent \\- poll devices, keep every sample, write CSV reports"]
    lines += [".SH SYNOPSIS", ".B agent", ".I COMMAND", "[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]..."]
    with click.Context(main, info_name="agent") as context:
        lines += [".SH DESCRIPTION", *_text(main.help or "")]
        lines += [".SH COMMANDS", *_commands(main, context)]
    lines += [".SH EXIT STATUS", *_exit_codes()]
    lines += [".SH FILES", *(line for file in FILES for line in _item(*file))]
    lines += [".SH SEE ALSO"]
    lines += [f".BR {page}{',' if page != SEE_ALSO[-1] else ''}" for page in SEE_ALSO]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        with click.Context(command, info_name=name, parent=context) as inside:
            usage = " ".join(command.collect_usage_pieces(inside))
            yield f".SS {_plain(f'{inside.command_path} {usage}')}"
            yield from _text(command.help or "")
            for parameter in command.get_params(inside):
                record = parameter.get_help_record(inside)
                if record is not None and record[1] and "--help" not in parameter.opts:
                    yield from _item(*record)
            if isinstance(command, click.Group):
                yield from _commands(command, inside)


def _text(text: str) -> Iterator[str]:
    """Paragraphs of a help; those after a line with \\b keep their lines."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.partition("\f")[0].strip("\n"))):
        lines = [line.strip() for line in block.splitlines()]
        if number:
            yield ".PP"
        if lines[0] == "\b":
            yield from (".nf", *map(_plain, _kept(block)), ".fi")
        else:
            yield from map(_plain, lines)


def _kept(block: str) -> Iterator[str]:
    lines = block.splitlines()[1:]
    least = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    yield from (line[least:].rstrip() for line in lines)


def _item(term: str, text: str) -> Iterator[str]:
    yield from (".TP", f"\\fB{_plain(term)}\\fR", _plain(text))


def _exit_codes() -> Iterator[str]:
    for line in EXIT_CODES.splitlines():
        found = re.fullmatch(r"\s*(\d+)\s+(.*)", line)
        if found:
            yield from _item(*found.groups())


def _plain(text: str) -> str:
    """A line that means itself in a manual page."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{text}" if text.startswith(".") else text
