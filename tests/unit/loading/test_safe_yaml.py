"""YAML that nobody vouches for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.safe_yaml import (
    check_bounds,
    load_yaml,
    load_yaml_document,
    read_bounded,
)

ALIAS_LISTS = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_KEYS = "a0: &a0 {k0: 1, k1: 1, k2: 1}\n" + "".join(
    f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]\n  n{i}: 1\n" for i in range(1, 9)
)

# Text, what is told, in which line.
REFUSED = [
    ("a: 1\nb: 2\na: 3\n", "duplicate key `a`", 3),
    ("a:\n  - {x: 1, x: 2}\n", "duplicate key `x`", 2),
    ('a: 1\n"a": 2\n', "duplicate key `a`", 2),
    ("a: [1,\n", "not valid YAML", 2),
    ("a:\n\t- 1\n", "not valid YAML", 2),
    ("a: *b\n", "not valid YAML", 1),
    ("a: 1\n---\nb: 1\n", "not valid YAML", 2),
    ("a: !!python/object:os.system {}\n", "not valid YAML", 1),
    ("a: !!python/object/apply:os.system [ls]\n", "not valid YAML", 1),
    ("? [1]\n: 1\n", "not valid YAML", 1),
    ("a: 2024-13-45\n", "has a value that cannot be read", None),
    ("a: " + "9" * 5000, "has a value that cannot be read", None),
    ("a: \x00\n", "not valid YAML", None),
    ("[" * 500, "is nested more than 100 levels deep", 1),
    ("".join(" " * i + "a:\n" for i in range(200)), "is nested more than 100 levels deep", 101),
    ("a: &a [*a]\n", "`*a` contains itself", 1),
    ("a: &a {b: {c: *a}}\n", "`*a` contains itself", 1),
    (ALIAS_LISTS, "describes more than 500,000 values", 6),
    (MERGE_KEYS, "describes more than 500,000 values", None),
    ("x: " + "y" * (5 * 1024 * 1024 + 1), "is larger than 5 MiB", None),
]


@pytest.mark.parametrize(("text", "what", "line"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_trusted_is_refused_with_its_line(
    text: str, what: str, line: int | None
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml(text, file="packs/core/pack.yaml")
    assert caught.value.what == what
    assert caught.value.file == "packs/core/pack.yaml"
    if line is not None:
        assert caught.value.line == line


def test_an_error_shows_little_of_a_long_text() -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml("a: [" + "x" * 100_000)
    assert len("\n".join(caught.value.lines())) < 1000


LOADED = [
    ("", None),
    ("# nothing\n", None),
    ("a", "a"),
    ("- 1\n- b\n", [1, "b"]),
    ("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ("base: &x [1, 2]\nother: *x\n", {"base": [1, 2], "other": [1, 2]}),
    ("a: ä\n", {"a": "ä"}),
    ("1: a\n'1': b\n", {1: "a", "1": "b"}),
]


@pytest.mark.parametrize(("text", "value"), LOADED)
def test_values_are_loaded(text: str, value: object) -> None:
    assert load_yaml(text) == value


def test_places_are_kept() -> None:
    document = load_yaml_document("ref: core\nactions:\n  - name: x\n    runner: sh\n  - name: y\n")
    assert document.value["actions"][1] == {"name": "y"}
    assert document.line("actions", 0, "runner") == 4
    assert document.column("actions", 0, "runner") == 5
    assert document.line("actions", 1) == 5
    assert document.line("actions", 1, "missing") == 5
    assert document.line("missing") == 1
    assert document.column("missing") is None


def test_a_large_ordinary_file_is_loaded_in_short_time() -> None:
    text = "".join(f"k{i}:\n  list: [a, b, {i}]\n  map: {{x: y}}\n" for i in range(1500))
    start = time.process_time()
    assert len(load_yaml(text)) == 1500
    assert time.process_time() - start < 2


@pytest.mark.parametrize("text", [ALIAS_LISTS, MERGE_KEYS, "[" * 1_000_000, "{a: " * 200_000])
def test_a_bomb_is_refused_with_little_memory(text: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(text)
    program = (
        "import resource, sys; from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from attune_dev.errors import ConfigError\n"
        "from attune_dev.loading.safe_yaml import load_yaml\n"
        "try: load_yaml(Path('bomb.yaml'))\n"
        "except ConfigError as e: print('refused:', e.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("refused:"), done.stderr[-500:]


def test_documents_of_compose_may_be_several_and_carry_tags() -> None:
    check_bounds("a: !reset []\n---\nb: !override {c: 1}\n", "compose.yaml")


def test_files_are_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa: \xc3\xa4\n")
    assert read_bounded(tmp_path / "a") == "a: ä\n"


def test_a_missing_file_is_left_to_the_caller(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_yaml(tmp_path / "none.yaml")


def test_bytes_that_are_no_text_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        read_bounded(tmp_path / "a", name="packs/a")
    assert caught.value.lines() == [
        "error: is not UTF-8 text (packs/a:2)",
        "  byte 0xe9 at column 7",
    ]


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match="is not a regular file"):
        read_bounded(tmp_path / "fifo")


def test_a_folder_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a regular file"):
        read_bounded(tmp_path)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ConfigError, match="is larger than 5 MiB"):
        read_bounded(tmp_path / "huge")
