"""Modules that others stand in for while APScheduler is imported, and whether they suffice."""

import ast
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from agent.schedule import UNUSED
from agent.stand_ins import standing_in

# Only its pool of processes asks for it, when one is made: we make none.
NEVER_ASKED = {("multiprocessing", "get_context")}
NAME = "a_module_that_nobody_has"


def loaded_modules() -> list[str]:
    """The modules of APScheduler that the schedule loads."""
    code = "import sys, agent.schedule\nprint(*(n for n in sys.modules if 'apscheduler' in n))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


def asked_for(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each module that has a stand-in with each name that a file uses of it."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in UNUSED:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            aliases |= {a.asname or a.name: a.name for a in node.names if a.name in UNUSED}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := ast.unparse(node.value)) in aliases:
            yield aliases[name], node.attr


def test_what_apscheduler_asks_the_modules_for_is_what_stands_in_for_them() -> None:
    asked = set()
    for name in loaded_modules():
        file = import_module(name).__file__
        assert file is not None
        asked |= set(asked_for(ast.parse(Path(file).read_bytes())))

    assert asked - NEVER_ASKED == {(name, each) for name in UNUSED for each in UNUSED[name]}
    assert {name for name, _ in asked} == set(UNUSED)


def test_a_stand_in_has_only_the_names_it_is_given_and_goes_afterwards() -> None:
    code = (
        "import sys\n"
        "from agent.stand_ins import standing_in\n"
        f"with standing_in({{{NAME!r}: {{'one': 1}}}}):\n"
        f"    from {NAME} import one\n"
        f"print(one, {NAME!r} in sys.modules)\n"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "1 False\n"


def test_where_another_thread_might_import_it_nothing_stands_in() -> None:
    end = threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()

    with standing_in({NAME: {"one": 1}}), pytest.raises(ModuleNotFoundError):
        import_module(NAME)

    end.set()
    other.join()
