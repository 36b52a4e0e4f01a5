from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from attune_dev.docker.identity import checkout_identity

if TYPE_CHECKING:
    from pathlib import Path


def checkout(place: Path) -> Path:
    place.mkdir()
    return place


def test_a_checkout_keeps_its_identity(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    assert checkout_identity(root) == checkout_identity(root)
    assert len(checkout_identity(root)) == 12


def test_two_checkouts_differ_and_a_copy_is_another_one(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    identity = checkout_identity(root)
    assert checkout_identity(checkout(tmp_path / "b")) != identity
    copy = shutil.copytree(root, tmp_path / "copy")
    assert checkout_identity(copy) != identity
    assert checkout_identity(root) == identity


def test_a_link_to_a_checkout_is_that_checkout(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    link = tmp_path / "link"
    link.symlink_to(root)
    assert checkout_identity(link) == checkout_identity(root)


def test_what_is_kept_wins_so_that_a_new_host_name_changes_nothing(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    checkout_identity(root)
    kept = root / ".attune-dev" / "identity"
    kept.write_text(f"0123456789ab {root.resolve()}\n")
    assert checkout_identity(root) == "0123456789ab"


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    identity = checkout_identity(root)
    kept = root / ".attune-dev" / "identity"
    kept.write_text("")
    assert checkout_identity(root) == identity
    assert kept.read_text().startswith(identity)


def test_a_checkout_that_cannot_be_written_has_an_identity_too(tmp_path: Path) -> None:
    root = checkout(tmp_path / "a")
    (root / ".attune-dev").write_text("in the way")
    assert checkout_identity(root) == checkout_identity(root)
