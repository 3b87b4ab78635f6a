"""Answers that no device should give, by the million."""
