"""What ``store backup`` and ``store restore`` do and print."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import attrs

from agent.clock import SystemClock, monotonic_s
from agent.config import Config
from agent.console.progress import ProgressLine
from agent.console.store_aside import moment
from agent.console.store_verify import checked
from agent.console.table import size_text, table
from agent.errors import ConfigError, StoreError
from agent.store.copy import backup_beside
from agent.store.repair.restore import Held, held, restore
from agent.store.repair.verify import Verify
from agent.zones import zone_of


def backup_made(config: Config, target: Path | None, *, force: bool, as_json: bool) -> str:
    """Write a copy of the store that opens anywhere, and check it.

    Raises:
        ConfigError: There is a file already, or no folder.
        StoreError: The store can't be read, the copy not be written, or it is damaged.
    """
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    target = target or Path(f"telemetry-{now:%Y%m%dT%H%M%SZ}.db")
    if target.is_dir():
        target = target / f"telemetry-{now:%Y%m%dT%H%M%SZ}.db"
    if target.exists() and (not force or not target.is_file()):
        raise ConfigError(f"{target} is there already: name another file, or use --force")
    if target.exists() and config.store_path.exists() and target.samefile(config.store_path):
        raise ConfigError(f"{target} is the store itself, name another file")
    with backup_beside(config.store_path, target, _progress("copying")) as beside:
        verify = Verify(beside, quick=False)
        faults = checked(verify)
        size = beside.stat().st_size
        beside.replace(target)
    if faults:
        raise StoreError(
            f"{target} was written, and is damaged as the store is: {faults[0].text}; "
            "all of it shows: agent store verify"
        )
    if as_json:
        facts = {"path": str(target), "size_bytes": size, "samples": verify.samples}
        return json.dumps(facts, indent=1, ensure_ascii=False)
    return f"{target}: {size_text(size)}, {verify.samples:,} samples, checked"


def restored(config: Config, backup: Path, *, as_json: bool) -> str:
    """Put a backup in the store's place, and say what is different now.

    Raises:
        StoreError: The backup is damaged, or one of them can't be read or written.
    """
    faults = checked(Verify(backup, quick=False))
    if faults:
        raise StoreError(
            f"{backup} is damaged: {faults[0].text}; what can be read of it is added to the store "
            f"by: agent store repair --from {backup}"
        )
    before = _held(config.store_path)
    now_ms = SystemClock().now_ms()
    aside = restore(config.store_path, backup, now_ms, _progress("copying"))
    after = held(config.store_path)
    if as_json:
        facts = {
            "path": str(config.store_path),
            "before": {name: attrs.asdict(one) for name, one in before.items()},
            "after": {name: attrs.asdict(one) for name, one in after.items()},
            "set_aside": str(aside) if aside is not None else None,
        }
        return json.dumps(facts, indent=1, ensure_ascii=False)
    zone = zone_of(config.agent.timezone)

    def time(ts_ms: int) -> str:
        return moment(ts_ms, zone)

    lines = [f"{config.store_path} is what {backup} was"]
    if aside is not None:
        lines.append(f"the store that was there is called {aside.name} now")
    return "\n".join([*lines, _changes(before, after, time)])


def _held(path: Path) -> Mapping[str, Held]:
    """What is in a store that may be damaged, or not there."""
    try:
        return held(path)
    except StoreError:
        return {}


def _changes(
    before: Mapping[str, Held], after: Mapping[str, Held], time: Callable[[int], str]
) -> str:
    rows = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        rows.append(
            [
                name,
                f"{old.count:,}" if old is not None else "–",
                time(old.last_ms) if old is not None else "–",
                f"{new.count:,}" if new is not None else "–",
                time(new.last_ms) if new is not None else "–",
            ]
        )
    header = ["device", "samples before", "up to", "samples now", "up to"]
    return table(header, rows, right=[1, 3])


def _progress(what: str) -> Callable[[int, int], None]:
    line = ProgressLine()
    began_s = monotonic_s()

    def tell(done: int, total: int) -> None:
        line.say(monotonic_s() - began_s, f"{what}: {done:,} of {total:,} pages")
        if done == total:
            line.clear()

    return tell
