"""The page about adding a kind is followed to the letter, in a copy of the project."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "ADDING_A_DEVICE.md"
COPIED = ("agent", "hw_sim", "tests", "docs", "agent.toml", "pyproject.toml")
FILES = (
    "agent/devices/balance.py",
    "hw_sim/balance.py",
    None,  # the lines in the registries
    None,
    "tests/devices/cases/balance.py",
    "tests/devices/test_balance.py",
)


def blocks(language: str) -> list[str]:
    """The code of the page."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def insert(file: Path, before: str, text: str) -> None:
    content = file.read_text("utf-8")
    assert before in content, f"{before!r} is not in {file.name}"
    file.write_text(content.replace(before, text + before, 1), "utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project with the new kind."""
    root = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    code = blocks("python")
    assert len(code) == len(FILES)
    for place, text in zip(FILES, code, strict=True):
        if place is not None:
            (root / place).write_text(text, "utf-8")
    kinds, simulators = root / "agent/devices/__init__.py", root / "hw_sim/registry.py"
    insert(kinds, "KINDS: Mapping", code[2] + "\n\n")
    insert(simulators, "SIMULATED: Mapping", code[3] + "\n\n")
    append_to_last_literal(kinds, '"balance": _balance,')
    append_to_last_literal(simulators, '"balance": Entry("A laboratory balance.", _balance),')
    cases = root / "tests/devices/kinds.py"
    insert(cases, "\nTIMEOUT_S", "from tests.devices.cases import balance\n")
    text = cases.read_text("utf-8")
    cases.write_text(
        re.sub(
            r"^(CASES = \(.*?)(,?\n?)\)$",
            r"\1, balance.CASE)",
            text,
            count=1,
            flags=re.MULTILINE | re.DOTALL,
        )
    )
    with (root / "agent.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + blocks("toml")[0])
    yield root
    shutil.rmtree(root)


def append_to_last_literal(file: Path, line: str) -> None:
    """Put a line into the dictionary that ends the file."""
    content = file.read_text("utf-8").rstrip()
    assert content.endswith("}")
    body = content[:-1].rstrip().rstrip(",")
    file.write_text(f"{body},\n    {line}\n}}\n", "utf-8")


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in the copy, which must not meet the project itself."""
    environment = {"PYTHONPATH": str(copy), "PATH": str(Path(sys.executable).parent), "TZ": "UTC"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_contract_holds_for_the_new_kind(copy: Path) -> None:
    tests = [
        "tests/devices/test_balance.py",
        "tests/devices/test_contract.py",
        "tests/devices/test_contract_faults.py",
        "tests/test_agent_toml.py",
        "tests/test_architecture.py",
    ]

    done = run(copy, "-m", "pytest", "-p", "no:cacheprovider", "-k", "balance or every", *tests)

    assert done.returncode == 0, done.stdout[-3000:]
    assert len(re.findall(r"\.", done.stdout)) > 100


def test_the_new_kind_has_its_simulator_on_the_command_line(copy: Path) -> None:
    done = run(copy, "-m", "hw_sim", "balance", "--faults")

    assert done.returncode == 0, done.stderr
    assert "overload" in done.stdout


def test_the_code_of_the_page_passes_the_checks(copy: Path) -> None:
    files = [name for name in FILES if name is not None]
    ruff = Path(sys.executable).parent / "ruff"

    checked = subprocess.run(
        [ruff, "check", "--no-cache", *files], cwd=copy, capture_output=True, text=True, check=False
    )
    formatted = subprocess.run(
        [ruff, "format", "--no-cache", "--check", *files],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
    assert formatted.returncode == 0, formatted.stdout
