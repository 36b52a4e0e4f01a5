"""The managed block in ``.env`` never costs a user a line."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from attune_dev.setup import envfile

VALUES = {"RUST_IMAGE": "standin/rust:1", "DEBIAN_IMAGE": "standin/debian:1"}
LINES = st.lists(
    st.sampled_from(
        ["", "A=1", "# note", "RUST_IMAGE=mine", "B='x y'", "  ", "attune-dev: begin", "\tC=2"]
    )
)


def test_values_are_set_changed_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PORT=1\n")
    path.chmod(0o600)
    assert envfile.update(path, VALUES)
    assert envfile.managed_values(path.read_text()) == VALUES
    assert envfile.users_values(path.read_text()) == {"PORT": "1"}
    assert not envfile.update(path, VALUES)
    assert envfile.update(path, {"RUST_IMAGE": "other"})
    assert envfile.managed_values(path.read_text()) == {"RUST_IMAGE": "other"}
    assert envfile.update(path, {})
    assert path.read_text() == "PORT=1\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]


def test_a_file_that_held_nothing_else_is_removed(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    envfile.update(path, VALUES)
    envfile.update(path, {})
    assert not path.exists()
    assert not envfile.update(path, {})


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target = tmp_path / "shared.env"
    target.write_text("A=1\n")
    (tmp_path / ".env").symlink_to(target)
    envfile.update(tmp_path / ".env", VALUES)
    assert (tmp_path / ".env").is_symlink()
    assert "RUST_IMAGE" in target.read_text()


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"NAME=caf\xe9\n")
    envfile.update(path, VALUES)
    assert path.read_bytes().startswith(b"NAME=caf\xe9\n")


def test_quotes_and_comments_are_no_part_of_a_value() -> None:
    text = "A=\"x y\" # note\nB='q'\nexport C=d # e\nD=e#f\n"
    assert envfile.users_values(text) == {"A": "x y", "B": "q", "C": "d", "D": "e#f"}


@given(before=LINES, after=LINES, last_newline=st.booleans())
def test_every_line_of_the_user_stays(
    before: list[str], after: list[str], last_newline: bool
) -> None:
    tail = "\n".join(after) + ("\n" if last_newline and after else "")
    text = envfile.with_managed("\n".join(before), {"RUST_IMAGE": "old"}) + tail
    user = text.replace(envfile.with_managed("", {"RUST_IMAGE": "old"}), "")
    changed = envfile.with_managed(text, VALUES)
    assert envfile.managed_values(changed) == VALUES
    assert envfile.with_managed(changed, {}).rstrip("\n") == user.rstrip("\n")
    assert envfile.with_managed(changed, VALUES) == changed
