from __future__ import annotations

import pytest

from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.model.cargo import (
    CargoModel,
    CargoTarget,
    CargoWorkspace,
    DependencyKind,
    Package,
    PathDependency,
    TargetKind,
)
from attune_dev.model.compose import ComposeProject
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.workspace import Workspace
from attune_dev.running.requests import (
    binaries_of,
    build_request,
    concerned_programs,
    concerned_services,
)


def workspace(**images: tuple[tuple[str, ...], bool]) -> Workspace:
    """Images by service: what each ships, and whether its Dockerfile takes a list of binaries."""
    packages = {
        f"crates/{name}": Package(
            name, "0.1.0", f"crates/{name}", "", (CargoTarget(name, TargetKind.BIN, "main.rs"),)
        )
        for name in ("attune-api", "attune-worker")
    }
    return Workspace(
        CargoModel({"": CargoWorkspace("", packages)}),
        ComposeProject("demo", {}),
        images={
            name: ImageInputs(
                name, "Dockerfile", "", shipped=shipped, args={"BINARIES": "x"} if takes else {}
            )
            for name, (shipped, takes) in images.items()
        },
    )


def test_a_build_compiles_what_the_images_ship_and_nothing_else() -> None:
    made = workspace(
        api=(("attune-api", "run.sh"), True),
        shell=(("attune-worker",), True),
        python=(("attune-worker",), True),
    )
    request = build_request(made, ["shell", "python", "api"], args={"A": "b"}, no_cache=True)
    assert request.binaries == ("attune-api", "attune-worker")
    assert request.services == ("shell", "python", "api")
    assert (request.args, request.no_cache) == ({"A": "b"}, True)


def test_an_image_whose_binary_is_not_known_leaves_the_choice_to_the_dockerfile() -> None:
    made = workspace(api=(("attune-api",), True), odd=(("something",), True))
    assert binaries_of(made, ["api", "odd"]) == ()


def test_an_image_whose_dockerfile_takes_no_list_adds_nothing() -> None:
    made = workspace(api=(("attune-api",), True), db=((), False))
    assert binaries_of(made, ["api", "db", "unknown"]) == ("attune-api",)


def related() -> Workspace:
    """Two programs that use a shared package, and one that does not."""

    def package(name: str, *needs: str) -> Package:
        kind = TargetKind.LIB if name == "common" else TargetKind.BIN
        return Package(
            *(name, "0.1.0", f"crates/{name}", "", (CargoTarget(name, kind, "main.rs"),)),
            path_dependencies=tuple(
                PathDependency(f"crates/{n}", n, DependencyKind.NORMAL) for n in needs
            ),
        )

    listed = (package("common"), package("api", "common"), package("web", "common"), package("cli"))
    return Workspace(
        CargoModel({"": CargoWorkspace("", {each.root: each for each in listed})}),
        ComposeProject("demo", {}),
        images={
            name: ImageInputs(name, "Dockerfile", "", shipped=shipped)
            for name, shipped in {
                "api": ("api",),
                "web": ("web", "run.sh"),
                "cli": ("cli",),
                "any": ("*",),
            }.items()
        },
    )


@pytest.mark.parametrize(
    ("packages", "concerned"),
    [
        (["api"], {"api"}),
        (["common"], {"api", "web"}),
        (["cli", "web"], {"cli", "web"}),
        (["serde"], {"api", "web", "cli"}),
        (["api", "serde"], {"api", "web", "cli"}),
        ([], {"api", "web", "cli"}),
    ],
)
def test_a_package_that_does_not_compile_concerns_the_programs_that_need_it(
    packages: list[str], concerned: set[str]
) -> None:
    assert concerned_programs(related(), packages, ("api", "web", "cli")) == concerned


def failure(step: str = "", packages: tuple[str, ...] = ()) -> BuildFailed:
    return BuildFailed(("api",), why="", step=step, packages=packages)


def test_a_failed_build_concerns_the_images_that_ship_what_does_not_compile() -> None:
    names = ("api", "web", "cli", "any")
    assert concerned_services(related(), failure(packages=("api",)), names) == {"api", "any"}
    assert concerned_services(related(), failure(packages=("serde",)), names) == set(names)


def test_a_step_that_fails_concerns_its_own_image_where_that_is_known() -> None:
    names = ("api", "web")
    assert concerned_services(related(), failure("[web runtime 2/3] RUN x"), names) == {"web"}
    assert concerned_services(related(), failure("[other 2/3] RUN x"), names) == set(names)
    assert concerned_services(related(), failure(), names) == set(names)
