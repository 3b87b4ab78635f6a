"""Samples from before the clock was set get their true time, once that is known, and are marked.

Within a boot the monotonic clock runs through: what it said when a sample was read, and by how much
the true time is ahead of it, is when the sample was read. See docs/decisions/0015-true-time.md.
"""

from agent.store.true_time.step import TrueTime

__all__ = ["TrueTime"]
