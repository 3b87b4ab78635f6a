"""What holds for every test."""

from hypothesis import HealthCheck, settings

# The same examples each time, and no verdict by the wall clock: on a new machine hypothesis
# first builds its table of Unicode, and takes that for slow strategies.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")
