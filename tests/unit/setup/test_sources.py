"""Package sources of the machine: both formats, and which of them are the distribution's."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.setup.apt import Offered, stanza
from attune_dev.setup.sources import (
    Distribution,
    Source,
    archive_sources,
    for_suite,
    main_mirror,
    parse_deb822,
    parse_one_line,
    parse_os_release,
    read_machine_sources,
)

DEBIAN = Distribution("debian", ("debian",), "bookworm")

DEB822 = """\
Types: deb
# a note
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://mirror.test/debian
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://off.test/debian
Suites: bookworm
Components: main
"""


def test_deb822_stanzas_give_binary_sources_that_are_enabled() -> None:
    assert parse_deb822(DEB822) == [
        Source(
            ("http://mirror.test/debian",),
            ("bookworm", "bookworm-updates"),
            ("main",),
            "/usr/share/keyrings/debian-archive-keyring.gpg",
        )
    ]


def test_a_key_block_within_a_stanza_survives_being_written_again() -> None:
    block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = f"Types: deb\nURIs: http://a.test\nSuites: sid\nComponents: main\nSigned-By:\n {block}\n"
    (source,) = parse_deb822(text)
    assert "abc" in source.signed_by
    assert parse_deb822(stanza(source, DEBIAN)) == [source]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "deb http://a.test/debian bookworm main contrib",
            [Source(("http://a.test/debian",), ("bookworm",), ("main", "contrib"))],
        ),
        (
            "deb [arch=amd64 signed-by=/k.gpg] https://a.test/x bookworm main # note",
            [Source(("https://a.test/x",), ("bookworm",), ("main",), "/k.gpg")],
        ),
        ("deb http://a.test/repo ./", [Source(("http://a.test/repo",), ("./",), ())]),
        ("deb-src http://a.test/debian bookworm main", []),
        ("# deb http://a.test/debian bookworm main", []),
        ("deb cdrom:[Debian]/ bookworm main", []),
        ("deb [arch=amd64 http://a.test bookworm main", []),
        ("", []),
    ],
)
def test_one_line_sources_are_read_as_apt_reads_them(line: str, expected: list[Source]) -> None:
    assert parse_one_line(line) == expected


def test_other_peoples_suites_are_no_part_of_the_archive() -> None:
    own = Source(("http://m.test/debian",), ("bookworm", "bookworm-updates"), ("main",))
    security = Source(("http://m.test/security",), ("bookworm-security",), ("main",))
    others = [
        Source(("http://x.test/apt",), ("cloud-sdk-bookworm",), ("main",)),
        Source(("http://y.test/linux/debian",), ("bookworm",), ("stable",)),
        Source(("http://z.test/node",), ("nodistro",), ("main",)),
    ]
    found = archive_sources([*others, security, own], "bookworm")
    assert found == [security, own]
    assert main_mirror(found, "bookworm") == own


def test_a_machine_without_its_own_archive_has_no_mirror() -> None:
    assert main_mirror([], "bookworm") is None


def test_a_machine_that_follows_an_alias_has_a_mirror_too() -> None:
    alias = Source(("http://m.test/debian",), ("stable",), ("main",))
    assert archive_sources([alias], "bookworm") == [alias]
    assert main_mirror([alias], "bookworm") == alias
    assert for_suite([alias], "bookworm", "bookworm") == []


def test_another_suite_keeps_the_pockets_of_the_mirror() -> None:
    own = [
        Source(("http://m.test/debian",), ("trixie", "trixie-updates"), ("main", "contrib"), "/k"),
        Source(("http://m.test/security",), ("trixie-security",), ("main",), "/k"),
        Source(("http://m.test/debian",), ("sid",), ("main",), "/k"),
    ]
    assert for_suite(own, "trixie", "bookworm") == [
        Source(("http://m.test/debian",), ("bookworm", "bookworm-updates"), ("main",), "/k"),
        Source(("http://m.test/security",), ("bookworm-security",), ("main",), "/k"),
    ]


def test_every_file_that_apt_reads_is_read(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.test/debian bookworm main\n")
    (parts / "two.list").write_text("deb http://two.test/debian bookworm main\n")
    (parts / "three.sources").write_text(DEB822)
    (parts / "four.sources.save").write_text(DEB822.replace("mirror", "four"))
    assert [source.uris[0] for source in read_machine_sources(tmp_path)] == [
        "http://one.test/debian",
        "http://two.test/debian",
        "http://mirror.test/debian",
    ]


def test_a_derivative_is_of_the_debian_family() -> None:
    mint = parse_os_release('ID=linuxmint\nID_LIKE="ubuntu debian"\nUBUNTU_CODENAME=noble\n')
    assert (mint.is_debian_family, mint.is_ubuntu, mint.codename) == (True, True, "noble")
    fedora = parse_os_release("ID=fedora\nVERSION_ID=40\n")
    assert not fedora.is_debian_family


@pytest.mark.parametrize(
    ("full", "upstream"),
    [("2.40.3-3", "2.40.3"), ("0.29.1+ds1-4", "0.29.1"), ("1:2.26.1~rc1-4", "2.26.1")],
)
def test_the_upstream_version_of_a_package_is_told(full: str, upstream: str) -> None:
    assert Offered("x", full).upstream == upstream
