"""One call of cargo in a builder, as words (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.docker.feeding import Source
    from attune_dev.model.swap import CompileStage


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """One call of cargo.

    Attributes:
        stage: where and how.
        sources: what it compiles, by absolute path in the builder.
        programs: Cargo binaries.
        packages: their packages, for a stage that selects packages.
        workspace_packages: names of all packages whose sources can change.
        profile: Cargo profile.
        locked: whether the lock file must fit.
        known: SHA-256 of the programs whose bytes are known already.
        config: further settings of cargo, as ``--config`` takes them.
        bring: whether the bytes of the programs are needed.
    """

    stage: CompileStage
    sources: Mapping[str, Source]
    programs: tuple[str, ...]
    packages: tuple[str, ...] = ()
    workspace_packages: tuple[str, ...] = ()
    profile: str = "dev"
    locked: bool = True
    known: frozenset[str] = frozenset()
    config: tuple[str, ...] = ()
    bring: bool = True


def variables(request: CompileRequest) -> list[str]:
    """The environment of the call, as arguments of ``docker exec``."""
    given = {
        "CARGO_TARGET_DIR": f"{request.stage.directory}/target",
        "CARGO_TERM_PROGRESS_WHEN": "always",
        "CARGO_TERM_PROGRESS_WIDTH": "200",
        "CARGO_TERM_COLOR": "never",
    }
    if request.profile == "dev":
        given["CARGO_INCREMENTAL"] = "1"  # whatever the Dockerfile thinks best for its own builds
    pairs = [f"{name}={value}" for name, value in given.items()]
    pairs += [pair for pair in request.stage.environment if pair.split("=")[0] not in given]
    return [word for pair in pairs for word in ("--env", pair)]


def cargo(request: CompileRequest, linker: Sequence[str]) -> list[str]:
    """The call.

    Args:
        request: what is to be compiled.
        linker: further settings, for a fast linker.
    """
    packages = request.packages if request.stage.by_package else ()
    return [
        *("cargo", "build", "--message-format=json-render-diagnostics"),
        *(("--locked",) if request.locked else ()),
        *("--profile", request.profile),
        *(word for setting in (*request.config, *linker) for word in ("--config", setting)),
        *(word for name in packages for word in ("--package", name)),
        *(word for name in request.programs for word in ("--bin", name)),
        *request.stage.options,
    ]
