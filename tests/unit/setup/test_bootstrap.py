"""Making the environment: what is told where the machine's Python cannot."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from attune_dev.setup import bootstrap


def test_a_python_without_venv_is_told_with_the_package_that_adds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec

    def without_ensurepip(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ensurepip" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_ensurepip)
    monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        bootstrap.main()
    told = capsys.readouterr()
    assert caught.value.code == 3
    assert "lacks the venv module" in told.err
    assert f"python3.{sys.version_info.minor}-venv" in told.err
    assert told.out == ""
    assert not (tmp_path / ".venv").exists()


def test_what_runs_before_anything_is_installed_needs_the_standard_library_alone() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import attune_dev.setup.bootstrap;"
        "print([m for m in sys.modules if m.split('.')[0] not in"
        " {*sys.stdlib_module_names, 'attune_dev', '__main__', 'sitecustomize'}])"
    )
    from attune_dev.docker import process

    repository = Path(bootstrap.__file__).parents[2]
    done = process.run([sys.executable, "-I", "-S", "-c", script, str(repository)])
    assert done.stdout.strip() == "[]"
