"""Lock files of all versions give the same resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo_lock import parse_lock, read_lock
from attune_dev.model.cargo import LockedPackage

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
GIT = "git+https://example.org/rand?branch=main#0123456789abcdef0123456789abcdef01234567"

EXPECTED = (
    LockedPackage(
        "app", "0.1.0", dependencies=(("log", "0.4.1"), ("rand", "0.7.0"), ("rand", "0.8.0"))
    ),
    LockedPackage("log", "0.4.1", REGISTRY, "aaaa"),
    LockedPackage("rand", "0.7.0", REGISTRY, "bbbb", (("log", "0.4.1"),)),
    LockedPackage("rand", "0.8.0", GIT),
)

VERSION_1 = f"""
[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "log 0.4.1 ({REGISTRY})",
 "rand 0.7.0 ({REGISTRY})",
 "rand 0.8.0 ({GIT})",
]

[[package]]
name = "log"
version = "0.4.1"
source = "{REGISTRY}"

[[package]]
name = "rand"
version = "0.7.0"
source = "{REGISTRY}"
dependencies = [
 "log 0.4.1 ({REGISTRY})",
]

[[package]]
name = "rand"
version = "0.8.0"
source = "{GIT}"

[metadata]
"checksum log 0.4.1 ({REGISTRY})" = "aaaa"
"checksum rand 0.7.0 ({REGISTRY})" = "bbbb"
"""


def newer(version: str) -> str:
    return f"""{version}
[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "log",
 "rand 0.7.0",
 "rand 0.8.0 ({GIT})",
]

[[package]]
name = "log"
version = "0.4.1"
source = "{REGISTRY}"
checksum = "aaaa"

[[package]]
name = "rand"
version = "0.7.0"
source = "{REGISTRY}"
checksum = "bbbb"
dependencies = [
 "log",
]

[[package]]
name = "rand"
version = "0.8.0"
source = "{GIT}"

[[patch.unused]]
name = "unused"
version = "1.0.0"
"""


@pytest.mark.parametrize(
    "text",
    [VERSION_1, newer(""), newer("version = 3"), newer("version = 4")],
    ids=["1", "2", "3", "4"],
)
def test_every_version_gives_the_same_resolution(text: str) -> None:
    assert parse_lock(text) == EXPECTED


@pytest.mark.parametrize(
    "change",
    [
        ("", ""),
        ("version = 4", "# written by hand\nversion = 4 # by hand"),
        ('name = "log"\nversion = "0.4.1"', 'version = "0.4.1"\nname = "log"'),
        ('name = "log"', "name = 'log'"),
        ('name = "log"', 'name = "l\\u006Fg"'),
        ('"log",\n "rand 0.7.0",', '"log", "rand 0.7.0",'),
        ("\n", "\r\n"),
        ("\n\n", "\n\n\n"),
    ],
)
def test_the_layout_does_not_matter(change: tuple[str, str]) -> None:
    text = newer("version = 4").partition("\n[[patch")[0]
    assert change[0] in text
    assert parse_lock(text.replace(*change)) == EXPECTED


def test_the_order_of_packages_does_not_matter() -> None:
    head, *blocks = newer("").partition("[[patch")[0].split("[[package]]")
    assert parse_lock("[[package]]".join([head, *reversed(blocks)])) == EXPECTED


def test_the_root_of_the_oldest_files_is_a_package() -> None:
    text = VERSION_1.replace("[[package]]", "[root]", 1)
    assert parse_lock(text) == EXPECTED


def test_a_replaced_package_leads_to_its_replacement() -> None:
    text = f"""
[[package]]
name = "log"
version = "0.4.1"
source = "{REGISTRY}"
replace = "log 0.4.2"

[[package]]
name = "log"
version = "0.4.2"
"""
    assert parse_lock(text)[0].dependencies == (("log", "0.4.2"),)


def test_a_name_that_is_not_clear_leads_to_all_its_versions() -> None:
    text = (
        newer("version = 4").replace("rand 0.7.0", "rand").replace(f' "rand 0.8.0 ({GIT})",\n', "")
    )
    assert parse_lock(text)[0] == EXPECTED[0]


def test_without_a_file_nothing_is_resolved(tmp_path: Path) -> None:
    assert read_lock(str(tmp_path), "Cargo.lock") == ()


@pytest.mark.parametrize(
    "text", ['package = "x"', '[[package]]\nname = "x"', "[[package]]\n[[package]]"]
)
def test_what_is_no_lock_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_lock(text, "backend/Cargo.lock")
    assert caught.value.where == "backend/Cargo.lock:1"
