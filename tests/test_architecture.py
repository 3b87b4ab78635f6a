"""The rules of the layout, checked on the source: layers and sizes."""

import ast
import doctest
import importlib
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path for folder in ("agent", "hw_sim", "tests") for path in (ROOT / folder).rglob("*.py")
)
FILE_LIMIT = 300  # lines
FUNCTION_LIMIT = 40

# Innermost first: a part imports from its own layer and from those above it in this list.
LAYERS = (
    ("agent", "agent.model", "agent.errors", "agent.clock", "agent.closing"),
    (
        "agent.access",
        "agent.files",
        "agent.zones",
        "agent.words",
        "agent.state",
        "agent.worker",
        "agent.written",
        "agent.stand_ins",
    ),
    ("agent.health", "agent.config", "agent.store"),
    (
        "agent.devices",
        "agent.discovery",
        "agent.importing",
        "agent.reports",
        "agent.poller",
        "agent.schedule",
        "agent.progress",
        "agent.beginning",
        "agent.housekeeping",
    ),
    ("agent.console", "agent.service", "agent.logs", "agent.watchdog"),
    ("agent.doctor", "agent.storekeeping"),
    ("agent.app",),
    ("agent.cli",),
    ("agent.__main__",),
)
LAYER_OF = {part: number for number, layer in enumerate(LAYERS) for part in layer}
ONLY_IN = {
    "time": {"agent.clock"},
    "sqlite3": {"agent.store"},
    "apsw": {"agent.store"},
    "apscheduler": {"agent.schedule"},
    "socket": {"agent.devices", "agent.service"},  # systemd's sockets are not the network
    "click": {"agent.cli"},
    "cattrs": {"agent.config"},
}


def module_of(path: Path) -> str:
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def part_of(module: str) -> str:
    """The part that a module belongs to: the first two names of it."""
    return ".".join(module.split(".")[:2])


TREES = {module_of(path): ast.parse(path.read_bytes()) for path in FILES}
AGENT = {module: tree for module, tree in TREES.items() if part_of(module).startswith("agent")}


def imported(tree: ast.AST, known: Mapping[str, object]) -> Iterator[str]:
    """The modules that a file imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module or ""


IMPORTS = {module: sorted(set(imported(tree, TREES))) for module, tree in TREES.items()}


def imports_at_start(module: str) -> set[str]:
    """What a module imports when it is loaded: not inside functions, not for types only."""
    found = set()
    waiting: list[ast.AST] = [TREES[module]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= set(imported(node, TREES))
        waiting += ast.iter_child_nodes(node)
    return found


def test_every_part_has_its_layer() -> None:
    parts = {part_of(module) for module in AGENT}

    assert parts == set(LAYER_OF)


def test_imports_point_inwards_only() -> None:
    outward = [
        f"{module} imports {other}"
        for module in AGENT
        for other in IMPORTS[module]
        if part_of(other) in LAYER_OF and LAYER_OF[part_of(other)] > LAYER_OF[part_of(module)]
    ]

    assert outward == []


def test_no_imports_go_in_a_circle() -> None:
    graph = {module: imports_at_start(module) & set(TREES) for module in TREES}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def test_no_parts_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {part: set() for part in LAYER_OF if part != "agent"}
    for module in AGENT:
        part = part_of(module)
        others = {part_of(other) for other in IMPORTS[module]} & set(graph)
        if part in graph:
            graph[part] |= others - {part}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def test_the_agent_knows_no_tests_and_simulators_only_to_run_them() -> None:
    outside = {
        module: others
        for module in AGENT
        if (others := [each for each in IMPORTS[module] if each.startswith(("hw_sim", "tests"))])
    }

    assert set(outside) == {"agent.cli.simulate"}
    assert not any(each.startswith("tests") for each in outside["agent.cli.simulate"])


@pytest.mark.parametrize(("library", "parts"), ONLY_IN.items())
def test_a_library_has_its_one_user(library: str, parts: set[str]) -> None:
    users = {
        part_of(module)
        for module in AGENT
        if any(other.split(".")[0] == library for other in IMPORTS[module])
    }

    assert users <= parts


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_short(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())

    assert lines <= FILE_LIMIT


@pytest.mark.parametrize("module", TREES)
def test_a_function_stays_short(module: str) -> None:
    long = {
        node.name: length
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := body_lines(node)) > FUNCTION_LIMIT
    }

    assert long == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's code: signature and docstring are no work."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("module", sorted(AGENT))
def test_a_module_says_its_job_in_its_docstring(module: str) -> None:
    path = ROOT / module.replace(".", "/")
    is_package_mark = path.is_dir() and not (path / "__init__.py").read_text("utf-8")

    docstring = ast.get_docstring(TREES[module])

    assert is_package_mark or (docstring or "").split("\n\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("module", sorted(AGENT.keys() - {"agent.__main__"}))
def test_the_examples_in_docstrings_are_true(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(module))

    assert failed == 0
