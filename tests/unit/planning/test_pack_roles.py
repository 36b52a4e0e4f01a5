"""What a file of a pack is."""

from __future__ import annotations

import pytest

from attune_dev.planning.pack_roles import PackRole, pack_role


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("pack.yaml", PackRole.CONTENT),
        ("actions/a.yaml", PackRole.CONTENT),
        ("actions/workflows/w.yaml", PackRole.CONTENT),
        ("triggers/t.yml", PackRole.CONTENT),
        ("lib/helper.py", PackRole.CONTENT),
        ("docs", PackRole.CONTENT),
        ("actions/a.sh", PackRole.SCRIPT),
        ("actions/lib/deep/a.py", PackRole.SCRIPT),
        ("actions/templates/mail.md", PackRole.SCRIPT),
        ("actions/README.md", PackRole.DOCUMENT),
        ("sensors/README", PackRole.DOCUMENT),
        ("README", PackRole.DOCUMENT),
        ("readme.yaml", PackRole.CONTENT),
        ("notes.md", PackRole.DOCUMENT),
        ("LICENSE.txt", PackRole.DOCUMENT),
        ("tests/fixtures/a.yaml", PackRole.DOCUMENT),
        ("docs/a.png", PackRole.DOCUMENT),
        ("sensors/s.yaml", PackRole.SENSOR),
        ("sensors/program", PackRole.SENSOR),
        ("sensors/lib/requirements.txt", PackRole.SENSOR),
        ("requirements.txt", PackRole.RUNTIME),
        ("actions/package.json", PackRole.RUNTIME),
        ("runtimes/ruby.yaml", PackRole.RUNTIME),
    ],
)
def test_the_first_line_of_the_table_that_fits_decides(path: str, role: PackRole) -> None:
    assert pack_role(path) is role
