"""One call of cargo in a builder, as words (pure)."""

from __future__ import annotations

import shlex
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

    @property
    def rewritten(self) -> frozenset[str]:
        """The sources that the call itself may change."""
        return frozenset() if self.locked else frozenset((f"{self.stage.directory}/Cargo.lock",))


def variables(request: CompileRequest) -> list[str]:
    """The environment of the call, as ``NAME=value``."""
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
    return pairs


def header(
    request: CompileRequest,
    number: str,
    linker: Sequence[str],
    program: Sequence[str] = ("cargo",),
    early: Sequence[str] = (),
) -> bytes:
    """What the builder's script reads before the sources: shell words, up to a line of ours.

    Args:
        request: what is to be compiled.
        number: names the call, for ending it.
        linker: further settings, for a fast linker.
        program: how cargo is called.
        early: files that have to go before the sources come.
    """
    words = [
        *(request.stage.directory, number, " ".join(request.programs if request.bring else ())),
        *(" ".join(sorted(request.known)), " ".join(request.workspace_packages)),
        *(*program, *cargo(request, linker)),
    ]
    named = (pair.partition("=")[::2] for pair in variables(request))
    exports = [f"export {name}={shlex.quote(value)}" for name, value in named]
    first = [f"early() {{ make_way {shlex.join(early)}; }}"] if early else []
    text = "\n".join([*exports, *first, f"set -- {shlex.join(words)}", "attune-dev: go", ""])
    return text.encode(errors="surrogateescape")


def cargo(request: CompileRequest, linker: Sequence[str]) -> list[str]:
    """The words of the call.

    Args:
        request: what is to be compiled.
        linker: further settings, for a fast linker.
    """
    packages = request.packages if request.stage.by_package else ()
    return [
        *("build", "--message-format=json-render-diagnostics"),
        *(("--locked",) if request.locked else ()),
        *("--profile", request.profile),
        *(word for setting in (*request.config, *linker) for word in ("--config", setting)),
        *(word for name in packages for word in ("--package", name)),
        *(word for name in request.programs for word in ("--bin", name)),
        *request.stage.options,
    ]
