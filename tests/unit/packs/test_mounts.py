"""Whether services mount the volume that packs are synced into."""

from __future__ import annotations

from attune_dev.docker.containers import ContainerMount, ContainerState, State
from attune_dev.model.compose import ComposeProject, Mount, MountKind, Service
from attune_dev.packs.mounts import readers_of


def _container(service: str, source: str, state: State = State.RUNNING) -> ContainerState:
    mounts = (ContainerMount("volume", source, "/packs", read_only=True),)
    return ContainerState(service, service, f"x-{service}-1", state=state, mounts=mounts)


def test_a_container_that_mounts_another_volume_is_told() -> None:
    mount = Mount(MountKind.VOLUME, "data", "/packs", read_only=True)
    compose = ComposeProject(
        "x",
        {name: Service(name, mounts=(mount,)) for name in ("api", "sensor", "worker")}
        | {"web": Service("web")},
        volumes={"data": "x_data"},
    )
    containers = [
        _container("api", "x_data"),
        _container("sensor", "old_data"),
        _container("web", "x_data"),
        _container("worker", "old_data", State.EXITED),
        ContainerState("worker", "w2", "x-worker-2"),
    ]
    told = [(r.container, r.mounted, r.right) for r in readers_of(compose, containers, "data")]
    assert told == [
        ("x-api-1", "x_data", True),
        ("x-sensor-1", "old_data", False),
        ("x-worker-2", "", False),
    ]
