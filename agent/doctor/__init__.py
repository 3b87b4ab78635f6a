"""``agent doctor``: looks at all that the agent needs and says what to do about it."""
