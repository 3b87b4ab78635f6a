"""The error of bytes that are no block."""


class Damaged(ValueError):  # noqa: N818  a state that callers name, as they name a block
    """Bytes that should be a block and are none, or not all of one."""
