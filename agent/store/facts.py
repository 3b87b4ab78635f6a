"""How the store is, and what a power cut and a killed process cost at most."""

import attrs


@attrs.frozen
class StoreState:
    """How the store is; ``error`` is ``None`` while all is well."""

    path: str
    error: str | None
    error_since_ms: int | None
    last_commit_ms: int | None
    waiting: int
    waiting_bytes: int
    dropped: int
    flush_interval_s: float
    journal: str | None  # the folder in memory that mirrors what waits
    journal_error: str | None  # why there is none
    power_cut_s: float | None  # what is lost at most; None: all since ``error_since_ms``
    killed_s: float | None  # the same when the process is killed


def bound_text(power_cut_s: float | None, *, has_journal: bool) -> str:
    """``power_cut_s`` is 0 when each poll is written at once, ``None`` while nothing can be.

    >>> bound_text(10.0, has_journal=True)
    'a power cut costs at most the last 10 s, a killed process nothing'
    >>> bound_text(0.0, has_journal=False)
    'a power cut or a killed process costs at most the poll in hand'
    """
    if power_cut_s is None:
        what = "everything since then"
    else:
        what = f"at most the {f'last {power_cut_s:g} s' if power_cut_s else 'poll in hand'}"
    if has_journal:
        return f"a power cut costs {what}, a killed process nothing"
    if power_cut_s is None:
        what += ", it is only in memory"
    return f"a power cut or a killed process costs {what}"
