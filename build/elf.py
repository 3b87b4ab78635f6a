"""Libraries without the search path of the machine that made them: elsewhere it leads to strangers.

Source: elf(5), ``Elf64_Dyn`` and its 32-bit form; all machines that we build for are little-endian.
"""

import struct
from collections.abc import Iterator

PT_DYNAMIC = 2
DT_NULL, DT_RPATH, DT_RUNPATH = 0, 15, 29


def without_search_path(content: bytes) -> bytes:
    """The same library without RPATH and RUNPATH; what is none stays as it is."""
    if not content.startswith(b"\x7fELF") or content[5] != 1:
        return content
    is_64_bit = content[4] == 2
    entry = struct.Struct("<qQ" if is_64_bit else "<iI")
    changed = bytearray(content)
    for offset, size in _dynamic_sections(content, is_64_bit=is_64_bit):
        entries = list(entry.iter_unpack(content[offset : offset + size - size % entry.size]))
        kept = [each for each in entries if each[0] not in (DT_RPATH, DT_RUNPATH)]
        kept += [(DT_NULL, 0)] * (len(entries) - len(kept))
        packed = b"".join(entry.pack(*each) for each in kept)
        changed[offset : offset + len(packed)] = packed
    return bytes(changed)


def _dynamic_sections(content: bytes, *, is_64_bit: bool) -> Iterator[tuple[int, int]]:
    """Where the dynamic linker's table lies: offset and size in the file."""
    headers_at = struct.unpack_from(
        "<Q" if is_64_bit else "<I", content, 0x20 if is_64_bit else 0x1C
    )
    size, count = struct.unpack_from("<HH", content, 0x36 if is_64_bit else 0x2A)
    for number in range(count):
        at = headers_at[0] + number * size
        if is_64_bit:
            kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", content, at)
        else:
            kind, offset, _, _, length = struct.unpack_from("<IIIII", content, at)
        if kind == PT_DYNAMIC:
            yield offset, length
