"""Where the first ``agent.toml`` has the data kept."""

from pathlib import Path

import pytest

from agent.config import load
from agent.console.first_config import COMMENT_AT, config_text, head
from agent.devices import KINDS


@pytest.mark.parametrize("data_dir", ["/var/lib/agent", "/a", '/srv/"our" data/of the agent'])
def test_a_folder_for_the_data_is_switched_on_and_nothing_else(
    data_dir: str, tmp_path: Path
) -> None:
    file = tmp_path / "agent.toml"
    text = config_text([], KINDS, data_dir)
    file.write_text(text, "utf-8")

    changed = set(text.splitlines()) - set(config_text([], KINDS).splitlines())

    assert load(file, KINDS, {}).data_dir == Path(data_dir)
    assert len(changed) == 1


def test_the_comments_of_the_head_stand_below_each_other() -> None:
    options = [line for line in head().splitlines() if " = " in line]

    columns = {line.rindex("# ") for line in options if line.count("# ") > 1}

    assert columns == {COMMENT_AT}
