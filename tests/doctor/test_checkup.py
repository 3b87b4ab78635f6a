"""The check-up as a whole: nothing ends it, and what it found is shown."""

import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.doctor.case import Case
from agent.doctor.checkup import CHECKS, check_up
from agent.doctor.finding import Finding, Level, note, ok, problem, warning
from agent.doctor.show import as_json, as_text, is_well
from tests.doctor.machines import Tree, case_of, never

HOST = '[[device]]\nname = "host"\nkind = "host"\n'


def test_a_check_that_fails_is_a_finding_beside_what_it_found_before(tree: Tree) -> None:
    def breaks(_: Case) -> Iterator[Finding]:
        yield ok("so far")
        raise RuntimeError("oh")

    found = check_up(case_of(tree), never, (("own", breaks), ("more", lambda _: iter([ok("x")]))))

    assert [(each.area, str(each.level), each.text) for each in found[-3:]] == [
        ("own", "ok", "so far"),
        ("own", "warning", "could not be checked: RuntimeError: oh"),
        ("more", "ok", "x"),
    ]


def test_a_check_that_hangs_is_given_up(tree: Tree) -> None:
    gate = threading.Event()

    def hangs(_: Case) -> Iterator[Finding]:
        gate.wait(60)
        yield ok("never")

    found = check_up(case_of(tree), never, (("own", hangs),), within_s=0.05)
    gate.set()

    assert found[-1].text == "could not be checked: no end within 0.05 s"


@pytest.mark.parametrize("config", [None, "", "[agent", HOST, "[agent]\ndata_dir = 5\n"])
@pytest.mark.parametrize("uid", [0, 1000])
def test_every_area_is_looked_at_whatever_the_configuration(
    tree: Tree, config: str | None, uid: int
) -> None:
    case = case_of(tree, config, uid=uid, clock=SystemClock())

    found = check_up(case, never)

    silent = {"store", "power", "serial ports"}
    areas = {each.area for each in found}
    assert areas >= {"configuration", *(area for area, _ in CHECKS)} - silent
    assert not any("could not be checked" in each.text for each in found)
    assert all(each.fix for each in found if each.level in (Level.WARNING, Level.PROBLEM))


@given(st.dictionaries(st.sampled_from(
    ["etc/passwd", "etc/group", "proc/self/mountinfo", "proc/meminfo", "proc/vmstat",
     "proc/net/route", "proc/net/ipv6_route", "etc/os-release", "proc/1/comm",
     "sys/class/hwmon/hwmon0/name", "proc/device-tree/model"]
), st.text(max_size=80)))  # fmt: skip
def test_files_of_the_system_may_hold_anything(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    tree = Tree(tmp_path_factory.mktemp("any") / "machine")
    for path, text in files.items():
        (tree.root / path).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / path).write_bytes(text.encode("utf-8", "surrogatepass"))

    assert as_text(check_up(case_of(tree, clock=SystemClock()), never))


FOUND = [
    Finding(Level.OK, "fine", area="disk"),
    Finding(Level.WARNING, "soon\nfull", "make room", area="disk"),
    Finding(Level.PROBLEM, "gone \x1b[2J", "plug it in", area="devices"),
    Finding(Level.NOTE, "by the way", "if you like", area="devices"),
]


def test_each_finding_stands_there_once_with_what_to_do_below_it() -> None:
    assert as_text(FOUND) == (
        "disk     ok    fine\n"
        "         !     soon full\n"
        "               -> make room\n"
        "devices  !!    gone \\x1b[2J\n"
        "               -> plug it in\n"
        "         note  by the way\n"
        "               -> if you like\n"
        "\n"
        "1 problem, 1 warning."
    )


def test_a_narrow_terminal_has_no_line_that_it_would_break() -> None:
    path = "/srv/" + "x" * 60
    found = [problem("some words " * 20, f"do this and that with {path} and so on, then that")]

    lines = as_text(found, 60).splitlines()

    assert [line for line in lines if len(line) > 60] == [f"{' ' * 11}{path}"]
    assert lines[0].startswith("  !!    some words some")
    assert {line[:8] for line in lines[1:4]} == {" " * 8}


def test_a_file_that_is_closed_to_this_user_is_no_fault_of_the_agent(tree: Tree) -> None:
    def breaks(_: Case) -> Iterator[Finding]:
        yield ok("so far")
        raise PermissionError(13, "Permission denied", "/nonexistent/store")

    found = check_up(case_of(tree), never, (("own", breaks),))

    assert found[-1].level is Level.WARNING
    assert found[-1].text == "could not be checked: /nonexistent/store may not be read by this user"
    assert found[-1].fix == "sudo agent doctor"


def test_only_a_problem_makes_it_fail() -> None:
    assert is_well([ok("a"), note("b"), warning("c", "d")])
    assert not is_well([ok("a"), problem("b", "c")])
    assert as_text([ok("a")]).endswith("Nothing is wrong.")


def test_json_has_every_finding() -> None:
    found = json.loads(as_json([warning("a", "b"), ok("c", "d", "")]))

    assert found == [
        {"area": "", "level": "warning", "text": "a", "fix": "b", "details": []},
        {"area": "", "level": "ok", "text": "c", "fix": "", "details": ["d"]},
    ]
