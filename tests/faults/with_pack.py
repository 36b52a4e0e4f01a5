"""A small watched project with a pack, a volume for it and a service that reads it."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.small import Small

ACTION = "packs/core/actions/a.yaml"
YAML = "ref: core.a\nlabel: {label}\nrunner_type: shell\nentry_point: a.sh\nenabled: true\n"


class WithPack(Small):
    """A service that is long in building, and one that reads a pack at its start."""

    def write_compose(self, **web: Any) -> None:
        """See :class:`Small`."""
        super().write_compose(**web)
        file = self.root / "compose.yaml"
        document = json.loads(file.read_text())
        reading = "cat /packs/core/actions/a.yaml; exec sleep 100000"
        filling = ["cp", "-a", "/source/.", "/packs"]
        common = {"image": self.image, "network_mode": "none", "init": True}
        common |= {"stop_grace_period": "0s"}
        mounts = ["./packs:/source:ro", "packs:/packs"]
        fill = common | {"restart": "no", "command": filling, "volumes": mounts}
        done = {"fill": {"condition": "service_completed_successfully"}}
        read = common | {"command": ["sh", "-c", reading], "volumes": ["packs:/packs:ro"]}
        read |= {"depends_on": done}
        document["services"] |= {"fill": fill, "reader": read}
        file.write_text(json.dumps(document | {"volumes": {"packs": {}}}, indent=1))

    def write_pack(self) -> None:
        """Writes the pack."""
        self.label("First")
        core = self.root / "packs/core"
        (core / "pack.yaml").write_text("ref: core\nlabel: Core\nversion: 1.0.0\n")
        script = core / "actions/a.sh"
        script.write_text("#!/bin/sh\n")
        script.chmod(0o755)

    def label(self, label: str) -> None:
        """Saves the pack's file."""
        file = self.root / ACTION
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(YAML.format(label=label))

    def read(self) -> str:
        """What the reader has read at its last start."""
        logs = self.docker("compose", "logs", "--no-log-prefix", "reader").split("label: ")
        return logs[-1].partition("\n")[0]

    def in_volume(self, path: str) -> str:
        """A file as it is in the volume of packs."""
        mount = f"{self.project}_packs:/packs:ro"
        looking = ("run", "--rm", "--network", "none", "--volume", mount, self.image)
        return self.docker(*looking, "cat", f"/packs/{path}")
