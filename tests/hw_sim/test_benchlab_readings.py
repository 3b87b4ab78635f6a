"""The PC that a simulated BENCHLAB board measures: it repeats itself, moves and makes sense."""

import pytest

from hw_sim.benchlab import readings_at


def test_the_same_seed_measures_the_same_and_values_move() -> None:
    one, same, other = (readings_at(12.34, seed) for seed in (3, 3, 4))

    assert one == same
    assert one != other
    assert one != readings_at(13.34, 3)
    assert readings_at(12.21, 3) == readings_at(12.39, 3)  # measured five times a second


@pytest.mark.parametrize("seed", range(5))
def test_the_physics_is_coherent(seed: int) -> None:
    for second in range(0, 120, 7):
        readings = readings_at(second, seed)

        for volts, current, power in readings.rails:
            assert power == round(volts * current / 1000)
        for connector, first in ((9, 11), (10, 17)):
            wires = readings.rails[first : first + 6]
            assert sum(wire[1] for wire in wires) == readings.rails[connector][1]
        assert readings.rails[10] == (0, 0, 0)
        assert 11_500 < readings.rails[9][0] < 12_200
        assert all(0 <= duty <= 100 for _, duty, _ in readings.fans)
