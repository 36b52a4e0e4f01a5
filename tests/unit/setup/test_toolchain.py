"""The machine's toolchain: which one is taken, and what of it. rustc is a script that answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import EnvironmentLacksError, ExitCode
from attune_dev.setup.toolchain import copy_toolchain, find_toolchain


def install(rustup: Path, name: str, version: str, files: tuple[str, ...] = ()) -> Path:
    folder = rustup / "toolchains" / name
    rustc = f"#!/bin/sh\necho 'release: {version}'\necho 'host: x86_64-unknown-linux-gnu'\n"
    for path, text in {
        "bin/rustc": rustc,
        "bin/cargo": "#!/bin/sh\n",
        "lib/rustlib/components": "rustc\n",
        **dict.fromkeys(files, "text"),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        (folder / path).chmod(0o755)
    return folder


@pytest.fixture
def rustup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    install(tmp_path, "nightly", "1.97.0-nightly")
    install(tmp_path, "stable", "1.95.0")
    install(tmp_path, "old", "1.9.1")
    (tmp_path / "toolchains" / "1.95.0").symlink_to("stable")
    return tmp_path


@pytest.mark.parametrize("asked", ["1.95", "1.95.0"])
def test_the_asked_version_is_found_among_all(asked: str, rustup: Path) -> None:
    found = find_toolchain(asked)
    assert (found.version, found.folder.name) == ("1.95.0", "stable")
    assert found.name == "1.95.0-x86_64-unknown-linux-gnu"


def test_a_nightly_never_stands_for_a_release(rustup: Path) -> None:
    assert "nightly" not in find_toolchain("1").version


@pytest.mark.parametrize("asked", ["1.97", "1.94", "1.95.1", "2"])
def test_another_version_is_not_taken_instead(asked: str, rustup: Path) -> None:
    with pytest.raises(EnvironmentLacksError) as caught:
        find_toolchain(asked)
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert f"rustup toolchain install {asked}" in caught.value.hint
    assert "1.95.0" in caught.value.why


def test_without_rustup_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentLacksError, match=r"no Rust toolchain 1\.95") as caught:
        find_toolchain("1.95")
    assert caught.value.why == "no rustup toolchain found"


def test_documentation_stays_behind_and_programs_keep_their_run_bit(
    rustup: Path, tmp_path: Path
) -> None:
    files = ("share/doc/index.html", "lib/rustlib/src/lib.rs", "lib/libstd.so", "bin/rust-analyzer")
    folder = install(rustup, "stable", "1.95.0", files)
    (folder / "lib" / "link.so").symlink_to("libstd.so")
    copy_toolchain(find_toolchain("1.95"), tmp_path / "copy")
    copied = {
        str(path.relative_to(tmp_path / "copy"))
        for path in (tmp_path / "copy").rglob("*")
        if not path.is_dir()
    }
    assert copied == {
        "bin/cargo",
        "bin/rustc",
        "lib/libstd.so",
        "lib/link.so",
        "lib/rustlib/components",
    }
    assert (tmp_path / "copy/bin/rustc").stat().st_mode & 0o111
    assert (tmp_path / "copy/lib/link.so").is_symlink()
