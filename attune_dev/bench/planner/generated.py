"""A workspace of any size, as files: crates in layers, services, packs, everything they need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attune_dev.model.change import Change, ChangeKind

CRATES, SERVICES, PACKS = 200, 50, 100
"""How many there are at size 1."""

_LAYERS = 8
_MODULES = 8
_LOCKED = 400
_ACTIONS = 5
_DOCKERFILE = """\
ARG RUST_IMAGE=rust:1
ARG DEBIAN_IMAGE=debian:stable-slim
FROM ${RUST_IMAGE} AS builder
WORKDIR /build
ARG SERVICE
COPY Cargo.toml Cargo.lock ./
COPY crates crates
RUN --mount=type=cache,id=target,target=/build/target \\
    cargo build --locked --release --bin service-${SERVICE} \\
    && install -D -t /out target/release/service-${SERVICE}
FROM ${DEBIAN_IMAGE}
ARG SERVICE
COPY --from=builder /out/service-${SERVICE} /usr/local/bin/service
CMD ["service"]
"""


def write_workspace(root: Path, size: int) -> None:
    """Writes a workspace below a folder.

    Args:
        root: an empty folder.
        size: how many times as large as 200 crates, 50 services, 100 packs.
    """
    for path, text in files(size):
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, encoding="utf-8")


def changed_paths(size: int, count: int) -> list[Change]:
    """Changes of every class of file, spread over all crates and packs.

    Args:
        size: of the workspace.
        count: how many; new, deleted and changed ones.
    """
    kinds = tuple(ChangeKind)[:3]
    templates = (
        *(f"crates/c{{crate:04}}/src/part{n}.rs" for n in range(_MODULES)),
        "crates/c{crate:04}/src/new{n}.rs",
        "crates/c{crate:04}/tests/t{n}.rs",
        "crates/c{crate:04}/README.md",
        "packs{part}/p{pack:04}/actions/a{n}.yaml",
        "packs{part}/p{pack:04}/actions/a{n}.sh",
        "packs{part}/p{pack:04}/docs/{n}.md",
        "config/service{n}.yaml",
        "docs/page{n}.md",
        "target/debug/deps/x{n}.o",
        "crates/c{crate:04}/src/.part{n}.rs.swp",
    )
    found: dict[str, Change] = {}
    n = 0
    while len(found) < count:
        template = templates[n % len(templates)]
        pack = n % (PACKS * size)
        path = template.format(crate=n % (CRATES * size), pack=pack, part=pack // PACKS, n=n)
        found.setdefault(path, Change(path, kinds[n % len(kinds)]))
        n += 1
    return list(found.values())


def files(size: int) -> Iterator[tuple[str, str]]:
    """Path and text of each file of a workspace of this size."""
    crates, services, packs = CRATES * size, SERVICES * size, PACKS * size
    yield "Cargo.toml", _ROOT
    yield "Cargo.lock", _lock(crates, _LOCKED * size)
    yield ".dockerignore", "target\n**/*.md\ncrates/*/tests\n"
    yield ".gitignore", "/target/\n*.log\n"
    yield "Dockerfile", _DOCKERFILE
    yield "docker-compose.yaml", _compose(services)
    for n in range(crates):
        yield from _crate(n, size)
    for n in range(packs):
        folder = f"packs{n // PACKS}/p{n:04}"
        yield f"{folder}/pack.yaml", f"ref: p{n:04}\nversion: 1.0.0\n"
        yield f"{folder}/sensors/s.yaml", f"ref: p{n:04}.s\nentry_point: s.py\n"
        for action in range(_ACTIONS):
            yield f"{folder}/actions/a{action}.yaml", f"ref: p{n:04}.a{action}\n"
            yield f"{folder}/actions/a{action}.sh", "true\n"
    for n in range(services):
        yield f"config/service{n}.yaml", "level: 1\n"


_ROOT = """\
[workspace]
resolver = "2"
members = ["crates/*"]

[workspace.package]
version = "0.1.0"
edition = "2021"

[workspace.dependencies]
serde = "1"
"""


def _needs(n: int) -> list[int]:
    """Three crates of the layer below; those of the lowest layer need none.

    The layers repeat every 200 crates: a workspace of twice the size has twice the edges, so what
    grows faster than it does is the planner's own doing.
    """
    first, inside = n - n % CRATES, n % CRATES
    width = CRATES // _LAYERS
    layer = min(inside // width, _LAYERS - 1)
    below = first + (layer - 1) * width
    return sorted({below + (n * step) % width for step in (1, 3, 7)}) if layer else []


def _service(n: int) -> int | None:
    """The number of the service whose binary a crate is: the last 50 of every 200 are."""
    inside = n % CRATES - (CRATES - SERVICES)
    return n // CRATES * SERVICES + inside if inside >= 0 else None


def _crate(n: int, size: int) -> Iterator[tuple[str, str]]:
    folder = f"crates/c{n:04}"
    service = _service(n)
    manifest = [
        f'[package]\nname = "c{n:04}"\nversion.workspace = true\nedition.workspace = true\n',
        f'[dependencies]\nserde.workspace = true\nx{n % (_LOCKED * size):04} = "1"',
        *(f'c{need:04} = {{ path = "../c{need:04}" }}' for need in _needs(n)),
    ]
    if service is not None:
        manifest.append(f'\n[[bin]]\nname = "service-{service}"\npath = "src/main.rs"')
    yield f"{folder}/Cargo.toml", "\n".join([*manifest, ""])
    yield f"{folder}/src/{'lib' if service is None else 'main'}.rs", _SOURCE
    for part in range(_MODULES):
        yield f"{folder}/src/part{part}.rs", _SOURCE
    yield f"{folder}/README.md", "# crate\n"
    yield f"{folder}/tests/t.rs", "#[test]\nfn one() {}\n"


_SOURCE = "/// One of many.\npub fn part(value: u64) -> u64 {\n    value + 1\n}\n\n" * 20


def _lock(crates: int, locked: int) -> str:
    parts = ["version = 4\n"]
    for n in range(crates):
        needs = [f"c{need:04}" for need in _needs(n)] + ["serde", f"x{n % locked:04}"]
        listed = "".join(f' "{need}",\n' for need in sorted(needs))
        parts.append(
            f'[[package]]\nname = "c{n:04}"\nversion = "0.1.0"\ndependencies = [\n{listed}]\n'
        )
    source = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
    names = ("serde", *(f"x{n:04}" for n in range(locked)))
    parts += [f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n{source}' for name in names]
    return "\n".join(parts)


def _compose(services: int) -> str:
    lines = ["name: generated", "services:"]
    for part in range(services // SERVICES):
        lines += [
            f"  init-packs{part}:",
            "    image: debian:stable-slim",
            '    restart: "no"',
            f'    volumes: ["./packs{part}:/in:ro", "packs{part}:/out"]',
        ]
    for n in range(services):
        part = n // SERVICES
        config = f"./config/service{n}.yaml:/etc/service.yaml:ro"
        lines += [
            f"  service-{n}:",
            f"    build: {{context: ., args: {{SERVICE: '{n}'}}}}",
            f"    depends_on: {{init-packs{part}: {{condition: service_completed_successfully}}}}",
            f'    volumes: ["packs{part}:/packs:ro", "{config}"]',
        ]
    volumes = [f"  packs{part}:" for part in range(services // SERVICES)]
    return "\n".join([*lines, "volumes:", *volumes, ""])
