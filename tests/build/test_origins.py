"""Where parts of the one file came from: packages of a Debian, packages of Python."""

import importlib
from pathlib import Path

import pytest

from build.contents import Contents, copyrights, licences, zlib_component
from build.inside import Part
from build.origins import Component, DebianPackages, Distributions

STATUS = """\
Package: libexample1
Status: install ok installed
Architecture: armhf
Multi-Arch: same
Source: example (1:2.0-3)
Version: 1:2.0+deb12-3

Package: base-files
Status: install ok installed
Architecture: armhf
Version: 12.4
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2001 Somebody
License: Expat

License: Expat
 As you like it.
"""


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    """The root of a Debian with one library."""
    files = {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\nNAME="Debian"\n',
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/info/libexample1:armhf.list": "/.\n/lib/arm/libexample.so.1.2\n",
        "usr/share/doc/libexample1/copyright": COPYRIGHT,
        "usr/lib/arm/libexample.so.1.2": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "usr/lib/arm/libexample.so.1").symlink_to("libexample.so.1.2")
    return tmp_path


@pytest.mark.parametrize("folder", ["/lib/arm", "/usr/lib/arm"])
def test_a_library_is_the_package_s_that_brought_it_whatever_link_leads_there(
    debian: Path, folder: str
) -> None:
    found = DebianPackages(debian).owner(Path(folder, "libexample.so.1"))

    assert found == Component(
        "libexample1",
        "1:2.0+deb12-3",
        "pkg:deb/debian/libexample1@1%3A2.0%2Bdeb12-3?arch=armhf&distro=debian-12",
        "MIT",
        {"libexample1: copyright": COPYRIGHT},
        supplier="Debian",
    )


def test_a_file_of_no_package_has_no_package(debian: Path) -> None:
    assert DebianPackages(debian).owner(Path("/opt/own.so")) is None


def test_a_package_without_its_licence_ends_the_build(debian: Path) -> None:
    (debian / "usr/share/doc/libexample1/copyright").unlink()

    with pytest.raises(SystemExit, match=r"libexample1: .*copyright is missing"):
        DebianPackages(debian).owner(Path("/lib/arm/libexample.so.1"))


def test_a_licence_that_is_not_known_ends_the_build(debian: Path) -> None:
    (debian / "usr/share/doc/libexample1/copyright").write_text("Do what the author says.")

    with pytest.raises(SystemExit, match="libexample1: what is its licence"):
        DebianPackages(debian).owner(Path("/lib/arm/libexample.so.1"))


def test_a_module_is_the_distribution_s_that_brought_it() -> None:
    source = importlib.import_module("click").__file__
    assert source is not None

    found = Distributions().owner(Path(source))

    assert found is not None
    assert (found.name, found.licence) == ("click", "BSD-3-Clause")
    assert found.purl == f"pkg:pypi/click@{found.version}"
    assert "Pallets" in "".join(found.texts.values())


def test_a_distribution_that_forgot_its_licence_has_it_from_us() -> None:
    found = Distributions().component("pyserial")

    assert "Chris Liechti" in "".join(found.texts.values())


def test_a_part_that_nobody_made_ends_the_build() -> None:
    contents = Contents(b"")

    with pytest.raises(SystemExit, match=r"odd\.so comes from /nowhere/odd\.so"):
        contents.add(Part("odd.so", "0" * 64, Path("/nowhere/odd.so")))


def test_the_bootloader_names_the_zlib_inside_it() -> None:
    code = b"\x7fELF.. inflate 1.3.2 Copyright 1995-2026 Mark Adler .."

    found = zlib_component(code)

    assert (found.version, found.licence) == ("1.3.2", "Zlib")


def test_a_bootloader_without_zlib_ends_the_build() -> None:
    with pytest.raises(SystemExit, match="does not say which zlib"):
        zlib_component(b"\x7fELF")


def test_lines_that_name_an_owner_are_found_once() -> None:
    text = "Licence\n\n  Copyright (c) 2020, A  B\n# (c) 2021 C\nCopyright (c) 2020, A B\n"

    assert copyrights([text, "the copyright holders"]) == ["Copyright (c) 2020, A B", "(c) 2021 C"]


def test_a_text_that_two_share_is_shown_once() -> None:
    one = Component("one", "1", "pkg:generic/one@1", "MIT", {"one: LICENSE": "As you like\n"})
    two = Component("two", "22", "pkg:generic/two@22", "MIT", {"two: LICENSE": "As you like"})

    text = licences(one, [two])

    assert "one  1   MIT\ntwo  22  MIT\n" in text
    assert "one: LICENSE, two: LICENSE\n" in text
    assert text.count("As you like") == 1
