"""The sandbox of the service in the check-up: closed for folders that were moved after it."""

from pathlib import Path

import pytest

from agent.doctor.case import Case
from agent.doctor.permissions import check_permissions
from agent.doctor.sandbox import check_sandbox
from tests.doctor.machines import Programs, Tree, bad, case_of, levels, shown

HOST = '[[device]]\nname = "host"\nkind = "host"\n'
REPORTS = '[reports]\ndir = "/srv/reports"\n'


def moved(tree: Tree, config: str = HOST, **facts: str) -> Case:
    """A service with the usual sandbox, and data beside the configuration."""
    tree.boot_systemd()
    file = tree.root.parent / "agent.toml"
    command = f"{{ path=/x ; argv[]=/x run --config {file} ; }}"
    sandbox = {"ProtectSystem": "strict", "StateDirectory": "agent", "ExecStart": command}
    answer = shown(**{**sandbox, **facts})
    return case_of(tree, config, run=Programs({"systemctl show": answer}))


def test_a_data_dir_that_the_unit_does_not_name_is_a_problem(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    found = list(check_permissions(moved(tree)))

    (finding,) = bad(iter(found))
    assert finding.text == (
        f"the service may not write to {tmp_path}/data: its unit is older than this data_dir"
    )
    assert finding.fix == "sudo agent install-service"
    assert not any("can be written" in each.text for each in found)


@pytest.mark.parametrize(
    "facts",
    [
        {"ReadWritePaths": "/mnt/x {0}/data"},
        {"ReadWritePaths": "-{0}"},
        {"ReadWritePaths": '"/my disk" "-{0}/data"'},
        {"BindPaths": "/a:/b:norbind {0}/data:{0}/data:rbind"},
        {"ProtectSystem": "full"},
        {"ExecStart": "{{ path=/x ; argv[]=/x run --config /etc/other.toml ; }}"},
    ],
)
def test_a_folder_that_the_unit_opens_is_well(
    tree: Tree, tmp_path: Path, facts: dict[str, str]
) -> None:
    case = moved(tree, **{key: value.format(tmp_path) for key, value in facts.items()})

    assert levels(check_sandbox(case)) == []


def test_the_folder_of_the_service_is_open(tree: Tree) -> None:
    config = f'[agent]\ndata_dir = "/var/lib/agent"\n{HOST}'

    assert levels(check_sandbox(moved(tree, config))) == []
    assert len(levels(check_sandbox(moved(tree, config, StateDirectory="other")))) == 1


def test_a_folder_of_reports_outside_is_a_problem(tree: Tree, tmp_path: Path) -> None:
    case = moved(tree, REPORTS + HOST, ReadWritePaths=f"{tmp_path}/data")

    ((level, text),) = levels(check_sandbox(case))
    assert level == "problem"
    assert text.startswith("the service may not write reports to /srv/reports")
    assert text.endswith(": its unit is older than that")


def test_a_unit_of_a_package_is_opened_beside_it(tree: Tree, tmp_path: Path) -> None:
    of_package = {"FragmentPath": "/usr/lib/systemd/system/agent.service", "User": "agent"}
    case = moved(tree, Group="agent", **of_package)

    (missing,) = check_sandbox(case)
    (tmp_path / "data").mkdir()
    (there,) = check_sandbox(case)

    edit = (
        f"sudo systemctl edit agent, write [Service] there and ReadWritePaths={tmp_path}/data "
        "below it; then: sudo systemctl restart agent"
    )
    assert there.text == (
        f"the service may not write to {tmp_path}/data: "
        "the unit of the package knows /var/lib/agent only"
    )
    assert there.fix == edit
    assert missing.fix == f"sudo install -d -o agent -g agent -m 2770 {tmp_path}/data; {edit}"
