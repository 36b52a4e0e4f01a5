"""The way that this tool replaces: all crates copied, an image each, packs baked in (pure).

One target cache for all services under a lock, as such Dockerfiles have it: builds that run at once
wait for each other, and one changed line of any crate compiles for every image.
"""

from __future__ import annotations

from collections.abc import Mapping

DOCKERFILE = "docker/Dockerfile.old"
IGNORED = ".git\n.attune-dev\ntarget\n"  # packs are wanted, unlike in the other ways
OVERRIDE = "docker-compose.override.yaml"
BINARIES: Mapping[str, str] = {
    "api": "attune-api",
    "executor": "attune-executor",
    "notifier": "attune-notifier",
    "sensor": "attune-sensor attune-core-timer-sensor",
    "worker-shell": "attune-worker",
    "worker-python": "attune-worker",
}
READERS = frozenset({"api", "sensor", "worker-shell", "worker-python"})


def dockerfile(caches: str) -> str:
    """The one Dockerfile of all services.

    Args:
        caches: what the names of the cache mounts begin with; nothing else may use them.
    """
    return f"""\
ARG RUST_IMAGE=rust:1.95-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${{RUST_IMAGE}} AS builder
WORKDIR /build
ENV CARGO_HOME=/usr/local/cargo
COPY . .
ARG BINARIES
RUN --mount=type=cache,id={caches}-registry,target=/usr/local/cargo/registry,sharing=locked \\
    --mount=type=cache,id={caches}-target,target=/build/target,sharing=locked \\
    set -eu; \\
    for binary in $BINARIES; do \\
        cargo build --locked --release --bin "$binary"; \\
        install -D -t /out "target/release/$binary"; \\
    done

FROM ${{DEBIAN_IMAGE}} AS runtime
ARG EXTRA=""
RUN [ -z "$EXTRA" ] || {{ apt-get update && apt-get install -y --no-install-recommends $EXTRA; }}
COPY packs /opt/attune/packs
COPY --from=builder /out/ /usr/local/bin/
ARG PROGRAM
RUN ln -s "$PROGRAM" /usr/local/bin/attune-service \\
    && if [ -e /usr/local/bin/attune-core-timer-sensor ]; then \\
        cp /usr/local/bin/attune-core-timer-sensor /opt/attune/packs/core/sensors/; fi
USER 10001:10001
WORKDIR /opt/attune
ENTRYPOINT ["/usr/local/bin/attune-service"]
"""


def override() -> str:
    """What the Compose file's services are changed to, as its override file."""
    return "services:\n" + "".join(_service(name, names) for name, names in BINARIES.items())


def _service(name: str, binaries: str) -> str:
    extra = "python3" if name == "worker-python" else ""
    text = f"""\
  {name}:
    build:
      dockerfile: {DOCKERFILE}
      target: runtime
      args: {{BINARIES: "{binaries}", PROGRAM: {binaries.split()[0]}, EXTRA: "{extra}"}}
"""
    if name.startswith("worker-"):
        runners = "shell,python" if extra else "shell"
        text += f"    environment: {{ATTUNE_WORKER_RUNNERS: '{runners}'}}\n"
    if name in READERS:
        text += """\
    depends_on: !reset null
    volumes: !override
      - ./config:/opt/attune/config:ro
      - ./packs.dev:/opt/attune/packs.dev
"""
    return text
