"""The commands that work with what is stored."""

from pathlib import Path

import click

from agent.cli.options import config_option, finite, load_config, show
from agent.cli.setup import INTERRUPTED

FORMATS = ("table", "csv", "json", "markdown")


@click.command()
@click.argument("sql", metavar="[SQL]", required=False)
@config_option
@click.option(
    "--file",
    "-f",
    "sql_file",
    metavar="FILE",
    help="Read the query from a file; - is standard input, as it is in place of SQL.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="By default a table on a terminal, else CSV, or what the ending of --output says.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file: all of the answer or nothing.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, 1e9, min_open=True),
    callback=finite,
    metavar="S",
    help="End with an error after S seconds.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    metavar="MB",
    help="What the program may take at most.",
)
def query(
    sql: str | None,
    *,
    file: Path | None,
    sql_file: str | None,
    form: str | None,
    as_json: bool,
    output: Path | None,
    timeout_s: float | None,
    memory_mb: int,
) -> None:
    """Answer a query in SQL about all that is stored.

    It does so whether the agent runs or not.

    Each device is a table of its name, with the columns time (ISO 8601, UTC), ts_ms (milliseconds
    since 1970) and its metrics. NAME_minutes, NAME_hours and NAME_days have what a metric came to:
    metric, time, ts_ms, count, min, max, mean, first, last. A host is also in system_sample,
    cpu_core, process_sample and training_view. devices, metrics and gaps tell what there is.

    It can only read, and reads only the columns and the stretch of time that are asked for: name
    it, as in the examples. Names with other signs than letters, digits and _ stand in double
    quotes, texts in single ones. Ctrl+C ends it, with exit code 130.

    \b
    Examples:
      agent query "SELECT * FROM devices"
      agent query "SELECT * FROM plc ORDER BY ts_ms DESC LIMIT 10"
      agent query "SELECT time, mean FROM plc_days WHERE metric = 'level'"
      agent query "SELECT avg(level) FROM plc WHERE time >= '2026-11-20' AND time < '2026-11-21'"
      agent query 'SELECT time, "calculations.ID_WEB_Temperatur_TVL" FROM heatpump' -o flow.csv
      agent query --file month.sql --json | jq length
    """
    from agent.console.query import STANDARD_INPUT, answer, query_text

    if (sql is None) == (sql_file is None):
        raise click.UsageError('the query is missing, such as: agent query "SELECT * FROM devices"'
                               if sql is None else "a query or --file, one at a time")  # fmt: skip
    if as_json and form not in (None, "json"):
        raise click.UsageError("--json or --format, one at a time")
    if sql_file is not None or sql == STANDARD_INPUT:
        sql = query_text(sql_file or STANDARD_INPUT)
    try:
        made = answer(
            load_config(file),
            sql or "",
            form="json" if as_json else form,
            output=output,
            timeout_s=timeout_s,
            memory_mb=memory_mb,
        )
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    if made is not None:
        show(made)
