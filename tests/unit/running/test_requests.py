from __future__ import annotations

from attune_dev.model.cargo import CargoModel, CargoTarget, CargoWorkspace, Package, TargetKind
from attune_dev.model.compose import ComposeProject
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.workspace import Workspace
from attune_dev.running.requests import binaries_of, build_request


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
