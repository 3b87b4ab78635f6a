"""The configuration of a service: what becomes of the user's own."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices import KINDS
from agent.errors import ConfigError
from agent.service.configuration import (
    Configured,
    configured,
    report_folders,
    service_environ,
    with_data_dir,
)
from agent.service.paths import system_places

FOLDER = "/var/lib/agent"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", f'[agent]\ndata_dir = "{FOLDER}"\n\n'),
        ("[store]\n", f'[agent]\ndata_dir = "{FOLDER}"\n\n[store]\n'),
        ("[agent]\n", f'[agent]\ndata_dir = "{FOLDER}"\n'),
        ("[agent]", f'[agent]\ndata_dir = "{FOLDER}"'),
        (
            "[agent] # mine\r\n[store]\r\n",
            f'[agent] # mine\r\ndata_dir = "{FOLDER}"\r\n[store]\r\n',
        ),
        ('[agent]\ndata_dir="d"\n', f'[agent]\ndata_dir="{FOLDER}"\n'),
        ("[agent]\n  data_dir = 'd'  # x\n", f'[agent]\n  data_dir = "{FOLDER}"  # x\n'),
        ('[agent]\n# data_dir = "d"\n', f'[agent]\ndata_dir = "{FOLDER}"\n'),
        (
            '[agent]\nlog_level = "info"\n[reports]\ndir = "x"\n',
            f'[agent]\ndata_dir = "{FOLDER}"\nlog_level = "info"\n[reports]\ndir = "x"\n',
        ),
    ],
)
def test_the_data_folder_is_written_and_all_else_stays(text: str, wanted: str) -> None:
    assert with_data_dir(text, FOLDER, "x.toml") == wanted


def test_the_comment_behind_it_stays_in_its_column() -> None:
    text = '[agent]\n# data_dir = "data"             # folder\n'

    changed = with_data_dir(text, FOLDER, "x.toml").splitlines()

    assert changed[1].index("# folder") == text.splitlines()[1].index("# folder")


@pytest.mark.parametrize(
    "text",
    ['agent = { data_dir = "d" }\n', 'agent.data_dir = "d"\n', '[agent]\ndata_dir = """d"""\n'],
)
def test_an_unusual_spelling_is_left_to_the_user(text: str) -> None:
    with pytest.raises(ConfigError, match=r"write data_dir = .* into \[agent\] first"):
        with_data_dir(text, FOLDER, "x.toml")


lines = st.sampled_from(
    [
        "[agent]",
        "[store]",
        "# data_dir = 'x'",
        'data_dir = "y"',
        "a = 1",
        "[[device]]",
        "",
        "b = '''",
    ]
)


@given(st.lists(lines, max_size=8))
def test_nothing_but_the_data_folder_ever_changes(parts: list[str]) -> None:
    text = "\n".join(parts)
    try:
        before = tomllib.loads(text)
        changed = tomllib.loads(with_data_dir(text, FOLDER, "x.toml"))
    except (tomllib.TOMLDecodeError, ConfigError):
        return

    before.setdefault("agent", {})["data_dir"] = FOLDER
    assert changed == before


def of_file(tmp_path: Path, text: str) -> Configured:
    file = tmp_path / "mine/agent.toml"
    file.parent.mkdir()
    file.write_text(text)
    return configured(system_places(root=tmp_path), file, KINDS, lambda: "")


def test_a_folder_elsewhere_is_honoured(tmp_path: Path) -> None:
    text = f'[agent]\ndata_dir = "{tmp_path}/mnt/usb"\n'

    found = of_file(tmp_path, text)

    assert found.text == text
    assert found.folders(system_places(root=tmp_path)) == [tmp_path / "mnt/usb"]


def test_reports_elsewhere_are_a_folder_that_the_service_writes_to(tmp_path: Path) -> None:
    folder = tmp_path / "srv/reports"
    text = f'[reports]\ndaily_dir = "{folder}/{{device}}/daily"\n'

    found = of_file(tmp_path, text)

    assert found.folders(system_places(root=tmp_path)) == [folder]
    assert found.own_folders(system_places(root=tmp_path)) == [folder]


HOST = '[[device]]\nname = "h"\nkind = "host"\n'


def test_of_a_folder_that_was_there_only_those_of_the_devices_are_the_services(
    tmp_path: Path,
) -> None:
    share, places = tmp_path / "srv/share", system_places(root=tmp_path)
    share.mkdir(parents=True)

    found = of_file(tmp_path, f'[reports]\ndaily_dir = "{share}/{{device}}"\n{HOST}')

    assert found.folders(places) == [share]
    assert found.own_folders(places) == [share / "h"]
    assert share not in found.own_files()
    assert share / "h" in report_folders(found.config)


@pytest.mark.parametrize("daily", ["{device}/daily", "../{device}", ".", "..", "{dir}/../{device}"])
def test_a_folder_with_the_data_folder_inside_is_never_given_away(
    tmp_path: Path, daily: str
) -> None:
    data_dir, places = tmp_path / "srv/x/data", system_places(root=tmp_path)
    data_dir.mkdir(parents=True)
    (data_dir / "photo.jpg").touch()
    (data_dir / "telemetry.db-wal").touch()
    text = f'[agent]\ndata_dir = "{data_dir}"\n[reports]\ndaily_dir = "{daily}"\n{HOST}'

    found = of_file(tmp_path, text)

    given = {*found.own_files(), *report_folders(found.config)}
    assert not [path for path in given if data_dir.is_relative_to(path)]
    assert data_dir / "telemetry.db-wal" in given
    assert data_dir / "photo.jpg" not in given
    assert data_dir.parent not in found.own_folders(places)


def test_folders_inside_of_others_are_not_named_twice(tmp_path: Path) -> None:
    text = f'[agent]\ndata_dir = "{tmp_path}/mnt/usb"\n[reports]\ndir = "all"\n'

    found = of_file(tmp_path, text)

    assert found.folders(system_places(root=tmp_path)) == [tmp_path / "mnt/usb"]


@pytest.mark.parametrize(
    "folder",
    ["/", "/home", "/home/pi", "/etc", "/usr/share", "/var/lib", "/tmp/x", "/mnt", "/dev/shm"],
)
def test_a_folder_of_the_system_is_never_given_to_the_service(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConfigError, match="the service can't have the folder"):
        of_file(tmp_path, f'[agent]\ndata_dir = "{folder}"\n')


def test_a_home_is_not_meant_by_the_service(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no home"):
        of_file(tmp_path, '[agent]\ndata_dir = "~/data"\n')


def test_samples_so_far_are_mentioned(tmp_path: Path) -> None:
    (tmp_path / "mine/data").mkdir(parents=True)
    (tmp_path / "mine/data/telemetry.db").touch()
    (tmp_path / "mine/agent.toml").write_text("")

    found = configured(
        system_places(root=tmp_path), tmp_path / "mine/agent.toml", KINDS, lambda: ""
    )

    assert any("the samples so far stay in" in note for note in found.notes)


def test_a_secret_from_a_folder_above_is_named(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    device = '[[device]]\nname = "s"\nkind = "json"\nurl = "http://127.0.0.1/"\nuser = "u"\n'

    with pytest.raises(ConfigError, match="cannot be copied"):
        of_file(tmp_path, device + 'password = { file = "../password" }\n')


def test_variables_come_from_the_file_of_the_service(tmp_path: Path) -> None:
    places = system_places(root=tmp_path)
    places.environment.parent.mkdir(parents=True)
    places.environment.write_text("# mine\nAGENT_STORE_RETENTION_DAYS=3\nexport X='y z'\n")

    found = of_file(tmp_path, "")

    assert found.config.store.retention_days == 3
    assert service_environ(places)["X"] == "y z"
