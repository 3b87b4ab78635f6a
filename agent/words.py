"""Words of the texts that a user reads."""


def counted(number: int, thing: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(0, "row"), counted(12345, "row")
    ('1 row', '0 rows', '12,345 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
