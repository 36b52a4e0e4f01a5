"""Which program is called for a plugin of the docker client."""

from __future__ import annotations

from pathlib import Path

from attune_dev.docker.plugins import buildx_command, compose_command


def test_plugins_are_called_by_themselves_where_the_client_has_nothing_to_add(
    tmp_path: Path,
) -> None:
    for name in ("compose", "buildx"):
        program = tmp_path / "cli-plugins" / f"docker-{name}"
        program.parent.mkdir(exist_ok=True)
        program.touch(0o755)
    own = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "unix:///x"}
    assert compose_command(own) == [str(tmp_path / "cli-plugins/docker-compose")]
    assert buildx_command(own) == [str(tmp_path / "cli-plugins/docker-buildx")]
    far = own | {"DOCKER_HOST": "tcp://far:2376"}
    assert compose_command(far) == compose_command(own)
    assert buildx_command(far) == ["docker", "buildx"]
