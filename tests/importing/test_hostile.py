"""Files that are torn, damaged or made by a spreadsheet: what is whole is taken."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.importing.lines import LINE_LIMIT, NOT_UTF_8, Line, Lines
from agent.importing.records import NULS, TOO_LONG, Records
from tests.importing.station import PRESS, Station

HEAD = "ts,counter,temperature,pressure,alarm,mode_ro\n"


def row(number: int) -> str:
    return f"2024-06-10T08:00:{number:02},{number},20,1.5,False,3\n"


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path, PRESS)


def bad(station: Station, content: str | bytes) -> tuple[int, list[tuple[int, str]]]:
    """How many rows were stored, and which were bad for what."""
    (facts,) = station.facts(station.file("log.csv", content))
    return facts["stored"], [(each["line"], each["text"]) for each in facts["bad_rows"]]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2024-06-10T08:00:01,1,20\n", "wanted 6 cells, got 3"),
        ("2024-06-10T08:00:01,1,20,1.5,False,3,4\n", "wanted 6 cells, got 7"),
        ("yesterday,1,20,1.5,False,3\n", "wanted a time, got 'yesterday'"),
        (",1,20,1.5,False,3\n", "wanted a time, got ''"),
        ("2024-06-10T08:00:01,one,20,1.5,False,3\n", "counter: wanted a number, got 'one'"),
        ("2024-06-10T08:00:01,1,20,1.5,2,3\n", "alarm: wanted true or false, got '2'"),
        ("1970-01-01T01:00:07,1,20,1.5,0,3\n", "before 2000, as a clock says that was never set"),
        (
            "2991-01-01T01:00:07,1,20,1.5,0,3\n",
            "in the future; is the time zone in [agent] right, and this clock?",
        ),
        ("x" * LINE_LIMIT + "\n", TOO_LONG),
        ('"2024-06-10T08:00:01,1,20\n', "wanted 6 cells, got 1"),
    ],
)
def test_a_bad_row_is_skipped_and_named(station: Station, line: str, why: str) -> None:
    stored, named = bad(station, HEAD + row(0) + line + row(2))

    assert (stored, named) == (2, [(3, why)])


def test_the_first_ten_are_named_and_all_are_counted(station: Station) -> None:
    path = station.file("log.csv", HEAD + row(0) + "torn\n" * 25)

    (facts,) = station.facts(path)
    text = station.run(path).output

    assert (facts["bad"], [each["line"] for each in facts["bad_rows"]]) == (25, [*range(3, 13)])
    assert "bad: line 12: wanted 6 cells, got 1" in text
    assert "bad: and 15 more" in text


def test_nul_bytes_of_a_power_cut_cost_the_row_they_are_in(station: Station) -> None:
    content = HEAD + row(0) + "2024-06-10T08:00:0" + "\0" * 5000 + row(2) + "\0" * 99

    stored, named = bad(station, content)

    assert (stored, named) == (2, [(3, NULS), (4, NULS)])


def test_a_header_behind_nul_bytes_is_found(station: Station) -> None:
    assert bad(station, "\0" * 100 + HEAD + row(0)) == (1, [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"], ids=str)
def test_any_usual_encoding_is_read(station: Station, encoding: str) -> None:
    content = (HEAD + row(0) + row(1)).encode(encoding)
    if encoding == "utf-16-be":
        content = codecs.BOM_UTF16_BE + content

    assert bad(station, content) == (2, [])


def test_what_is_no_utf_8_is_windows_1252_and_said(station: Station) -> None:
    content = "ts,Füllstand,Text\n2024-06-10T08:00:00,1.5,größer\n".encode("cp1252")

    (facts,) = station.facts(station.file("log.csv", content), "--device", "tank", "--kind", "s7")

    assert facts["notes"] == [NOT_UTF_8]
    assert station.samples("tank")[0][1] == {"Füllstand": 1.5, "Text": "größer"}


@pytest.mark.parametrize(
    "text",
    [
        HEAD + row(0),
        HEAD.replace(",", ";") + row(0).replace(",", ";"),
        HEAD.replace(",", "\t") + row(0).replace(",", "\t"),
        "sep=;\r\n" + (HEAD + row(0)).replace(",", ";").replace("1.5", "1,5"),
        (HEAD + row(0)).replace(",", ";").replace("False", "FALSCH").replace("1.5", "1,50"),
        (HEAD + row(0)).replace("\n", "\r\n"),
        "\n\n" + HEAD + "\n" + row(0) + "\n\n",
        HEAD.replace("ts", '"ts"') + row(0).replace("20,", '"20",'),
        HEAD.replace("\n", ",,\n") + row(0).replace("\n", ",,\n"),
        HEAD + row(0).removesuffix("\n"),
        HEAD.replace(",", " , ") + row(0).replace(",", " , "),
    ],
)
def test_any_dialect_is_read(station: Station, text: str) -> None:
    assert bad(station, text) == (1, [])
    assert station.samples("press")[0][1] == {
        "counter": 0, "temperature": 20, "pressure": 1.5, "alarm": False, "mode_ro": 3,
    }  # fmt: skip


def test_a_header_again_is_where_the_logger_was_started_anew(station: Station) -> None:
    text = HEAD + row(0) + HEAD + row(1) + "ts,counter,level\n2024-06-10T08:00:05,9,7.5\n"

    stored, named = bad(station, text)

    assert (stored, named) == (3, [])
    assert station.samples("press")[2][1] == {"counter": 9, "level": 7.5}


def test_a_new_header_without_times_ends_the_file_there(station: Station) -> None:
    path = station.file("x.csv", "a,ts\n1,2024-06-10T08:00:00\na,b\n1,2\n")

    result = station.run(path, "--device", "tank", "--kind", "json")

    assert result.exit_code == 1
    assert "line 3: a new header without a column 'ts'" in result.output
    assert len(station.samples("tank")) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"\0" * 5000, "it is empty"),
        (HEAD, "and no whole row"),
        ("a,b\n1,2\n", "no column of times that is known, its header is 'a, b'"),
        (b"\x1f\x8b\x08\x00abc", "it is packed, unpack it first, such as with gunzip"),
        (b"PK\x03\x04abc", "such as with unzip"),
        (b"SQLite format 3\0" + b"\xff" * 4096, "cannot read"),
        (b"x" * (LINE_LIMIT + 1), "its first line is too long for a header"),
        ("ts," + ",".join(f"m{n}" for n in range(20_001)) + "\n", "it has a header"),
    ],
)
def test_what_is_no_log_is_refused_and_said(
    station: Station, content: str | bytes, why: str
) -> None:
    result = station.run(station.file("x.csv", content))

    assert result.exit_code == 1
    assert why in result.output
    assert not station.store_path.exists()


def test_a_file_that_is_not_there_costs_the_others_nothing(station: Station) -> None:
    good = station.file("log.csv", HEAD + row(0))

    result = station.run(station.folder / "none.csv", station.folder, good)

    assert result.exit_code == 1
    assert "none.csv: not imported: there is no such file" in result.output
    assert "it is a folder, name the files in it" in result.output
    assert len(station.samples("press")) == 1


def test_columns_that_can_be_no_metrics_are_left_out_and_said(station: Station) -> None:
    header = "ts,a,,A,ts_ms," + "n" * 300 + "\n"
    path = station.file("x.csv", header + "2024-06-10T08:00:00,1,2,3,4,5\n")

    (facts,) = station.facts(path, "--device", "tank", "--kind", "json")

    assert station.samples("tank")[0][1] == {"a": 1}
    assert [note.partition(": ")[2] for note in facts["notes"]] == [
        "it has no name",
        "another column has this name",
        "no metric may have this name",
        "its name is too long",
    ]


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_no_bytes_at_all_stop_the_lines(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("x") / "x.csv"
    path.write_bytes(b"ts,a\n" + data)

    for record in Records(Lines(path)):
        assert record.fault or record.is_header or len(record.cells) == 2


def test_a_cell_with_line_breaks_is_one_and_a_torn_one_costs_itself() -> None:
    lines = ["a,b", '1,"x', "y", 'z"', '2,"torn', "3,whole", '4,"p', 'q"']

    found = [*Records(numbered(lines))]

    assert [(each.line, [*each.cells]) for each in found if not each.fault] == [
        (2, ["1", "x\ny\nz"]),
        (5, ["2", "torn"]),
        (6, ["3", "whole"]),
        (7, ["4", "p\nq"]),
    ]


def numbered(lines: list[str]) -> list[Line]:
    return [Line(number, text) for number, text in enumerate(lines, 1)]
