"""Workspaces built by hand for planner tests: small words for model values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attune_dev.model.cargo import (
    CargoModel,
    CargoTarget,
    CargoWorkspace,
    DependencyKind,
    Package,
    PathDependency,
    TargetKind,
)
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.compose import (
    BuildConfig,
    ComposeProject,
    Condition,
    Dependency,
    Mount,
    MountKind,
    Override,
    Service,
)
from attune_dev.model.dockerfile import CargoBuild, ImageInputs, SourcePattern
from attune_dev.model.packs import Pack, PackBinary, PacksFolder
from attune_dev.model.workspace import Workspace

SOURCES = (
    SourcePattern("Cargo.toml", "", line=9),
    SourcePattern("Cargo.lock", "", line=9),
    SourcePattern("crates", "", line=9),
)


def package(
    root: str,
    *needs: str,
    name: str = "",
    binaries: Iterable[str] = (),
    dev: Iterable[str] = (),
    workspace: str = "",
) -> Package:
    """A package in a folder; it depends on the packages in the folders ``needs``."""
    targets = [CargoTarget(b, TargetKind.BIN, f"{root}/src/main.rs") for b in binaries]
    kinds = [(n, DependencyKind.NORMAL) for n in needs] + [(n, DependencyKind.DEV) for n in dev]
    return Package(
        name=name or root.rpartition("/")[2],
        version="0.1.0",
        root=root,
        workspace=workspace,
        targets=tuple(targets)
        or (CargoTarget(root.rpartition("/")[2], TargetKind.LIB, f"{root}/src/lib.rs"),),
        path_dependencies=tuple(
            sorted(PathDependency(n, n.rpartition("/")[2], kind) for n, kind in kinds)
        ),
    )


def cargo(*packages: Package) -> CargoModel:
    """All packages in one workspace at the root."""
    return CargoModel({"": CargoWorkspace("", {p.root: p for p in packages})})


def bind(source: str, target: str = "/mnt", *, read_only: bool = True) -> Mount:
    """A bind mount."""
    return Mount(MountKind.BIND, source, target, read_only)


def volume(name: str, target: str = "/vol", *, read_only: bool = True) -> Mount:
    """A volume."""
    return Mount(MountKind.VOLUME, name, target, read_only)


def service(
    name: str,
    *mounts: Mount,
    waits: Mapping[str, Condition] | None = None,
    build: bool = False,
    profiles: tuple[str, ...] = (),
    override: Override | None = None,
    restart: str = "",
    image: str = "",
    digest: str = "1",
) -> Service:
    """A service; with ``build`` by the Dockerfile of the root."""
    return Service(
        name,
        build=BuildConfig("", "Dockerfile") if build else None,
        image=image,
        mounts=mounts,
        depends_on=tuple(Dependency(n, c) for n, c in sorted((waits or {}).items())),
        profiles=profiles,
        restart=restart,
        digest=digest,
        build_digest="1" if build else "",
        override=override or Override(),
    )


def compose(*services: Service) -> ComposeProject:
    """A project of these services."""
    return ComposeProject(
        "test",
        {s.name: s for s in sorted(services, key=lambda s: s.name)},
        files=("docker-compose.yaml", ".env"),
    )


def image(name: str, binary: str, dockerfile: str = "Dockerfile", **more: object) -> ImageInputs:
    """The inputs of an image that compiles all of ``crates`` and ships one binary."""
    values: dict[str, object] = {
        "sources": SOURCES,
        "cargo_builds": (CargoBuild(binaries=(binary,)),),
        "shipped": (binary,),
        "ignore_file": "",
        **more,
    }
    return ImageInputs(name, dockerfile, "", **values)  # type: ignore[arg-type]


def lines(*names: str) -> dict[str, frozenset[int]]:
    """The line of ``SOURCES`` is in a compile stage."""
    return dict.fromkeys(names, frozenset({9}))


def changed(*paths: str) -> list[Change]:
    """Modified files."""
    return [Change(path, ChangeKind.MODIFIED) for path in paths]


def attune() -> Workspace:
    """The sample in small: services, a shared crate, a pack with a binary, one profile."""
    done = {"init-packs": Condition.COMPLETED}
    packs = (volume("packs_data"), bind("packs.dev", read_only=False), bind("config"))
    services = compose(
        service("init-packs", bind("packs"), volume("packs_data", read_only=False), restart="no"),
        service("api", *packs, waits=done, build=True),
        service("notifier", bind("config"), build=True),
        service("sensor", *packs, waits={**done, "notifier": Condition.HEALTHY}, build=True),
        service("worker-shell", *packs, waits=done, build=True),
        service("worker-node", *packs, waits=done, build=True, profiles=("full",)),
    )
    images = {
        "api": image("api", "attune-api"),
        "notifier": image("notifier", "attune-notifier"),
        "sensor": image("sensor", "attune-sensor"),
        "worker-shell": image("worker-shell", "attune-worker", "Dockerfile.worker"),
        "worker-node": image("worker-node", "attune-worker", "Dockerfile.worker"),
    }
    timer = PackBinary("timer-sensor", "core", "packs/core/sensors/timer-sensor", "crates/timer")
    return Workspace(
        cargo(
            package("crates/common"),
            package("crates/api", "crates/common", binaries=["attune-api"]),
            package("crates/notifier", "crates/common", binaries=["attune-notifier"]),
            package("crates/sensor", "crates/common", binaries=["attune-sensor"]),
            package("crates/worker", "crates/common", binaries=["attune-worker"]),
            package("crates/timer", "crates/common", binaries=["timer-sensor"]),
            package("crates/tool", "crates/common", binaries=["attune-tool"]),
        ),
        services,
        images=images,
        packs_folders=(
            PacksFolder(
                "packs",
                "packs_data",
                "init-packs",
                {"core": Pack("core", "packs/core", (timer,)), "net": Pack("net", "packs/net")},
            ),
        ),
        bound_packs=("packs.dev",),
        pack_binary_images={
            "Dockerfile.pack": image("", "timer-sensor", "Dockerfile.pack"),
        },
        compile_lines=lines(*images, "Dockerfile.pack"),
    )
