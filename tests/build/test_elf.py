"""Libraries lose the search path of the machine that made them, and nothing else."""

import struct

import pytest

from build.elf import DT_NULL, DT_RPATH, DT_RUNPATH, PT_DYNAMIC, without_search_path

NEEDED, SONAME = 1, 14


def library(bits: int, *tags: int) -> bytes:
    """The head of a library, its program headers, and its dynamic section with these tags."""
    if bits == 64:
        head = bytearray(b"\x7fELF\x02\x01" + bytes(58))
        struct.pack_into("<Q", head, 0x20, 64)
        struct.pack_into("<HH", head, 0x36, 56, 2)
        length = 16 * len(tags)
        headers = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 176, 176, 4096)
        headers += struct.pack("<IIQQQQQQ", PT_DYNAMIC, 6, 176, 0, 0, length, length, 8)
        section = b"".join(struct.pack("<qQ", tag, 100 + tag) for tag in tags)
    else:
        head = bytearray(b"\x7fELF\x01\x01" + bytes(46))
        struct.pack_into("<I", head, 0x1C, 52)
        struct.pack_into("<HH", head, 0x2A, 32, 2)
        length = 8 * len(tags)
        headers = struct.pack("<IIIIIIII", 1, 0, 0, 0, 116, 116, 5, 4096)
        headers += struct.pack("<IIIIIIII", PT_DYNAMIC, 116, 0, 0, length, length, 6, 4)
        section = b"".join(struct.pack("<iI", tag, 100 + tag) for tag in tags)
    return bytes(head) + headers + section + b"the rest"


def tags_of(bits: int, content: bytes) -> list[tuple[int, int]]:
    start, form = (176, "<qQ") if bits == 64 else (116, "<iI")
    return list(struct.iter_unpack(form, content[start : -len(b"the rest")]))


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("path", [DT_RPATH, DT_RUNPATH])
def test_the_search_path_goes_and_the_rest_stays(bits: int, path: int) -> None:
    before = library(bits, NEEDED, path, SONAME, DT_NULL)

    after = without_search_path(before)

    zero = (DT_NULL, 0)
    assert tags_of(bits, after) == [(NEEDED, 101), (SONAME, 114), (DT_NULL, 100), zero]
    assert (len(after), after[-8:]) == (len(before), b"the rest")


@pytest.mark.parametrize("content", [b"", b"text", library(64, NEEDED, DT_NULL)])
def test_what_has_no_search_path_stays_as_it_is(content: bytes) -> None:
    assert without_search_path(content) == content
