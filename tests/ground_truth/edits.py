"""The edits: every row of what the planner decides, every class of file, code of every crate."""

from __future__ import annotations

from tests.ground_truth.edit import (
    Edit,
    Step,
    add,
    cargo,
    delete,
    mode,
    move,
    put,
    relock,
    swap,
    touch,
)
from tests.ground_truth.sample import crate

PACK = "pack YAML or script"
DEV_PACK = "packs.dev"
PACK_BINARY = "source of a pack binary"
SERVICE = "source of one service's crate"
SHARED = "source of a shared crate"
MANIFEST = "Cargo.lock or a manifest"
DOCKERFILE = "a Dockerfile, a file it copies"
COMPOSE = "a Compose file, .env"
MOUNTED = "a file bind-mounted into a service"
NOTHING = "tests, examples, docs, what nothing reads"
UNCHANGED = "a save that changes no byte"


def _edit(name: str, row: str, *steps: Step, unread: tuple[str, ...] = ()) -> Edit:
    return Edit(name, row, steps, unread, cargo=row in _OF_CARGO)


_OF_CARGO = (PACK_BINARY, SERVICE, SHARED, MANIFEST)


def _marker(name: str) -> Step:
    return swap(f"crates/{name}/src/marker.rs", f'"{name}-1"', f'"{name}-2"')


_PACKS = (
    _edit("action YAML", PACK, add("packs/core/actions/echo.yaml", "# more\n")),
    _edit("action script, shell", PACK, add("packs/core/actions/echo.sh", "# more\n")),
    _edit("action script, Python", PACK, add("packs/core/actions/greet.py", "# more\n")),
    _edit("action script, mode", PACK, mode("packs/core/actions/echo.sh", 0o700)),
    _edit("trigger YAML", PACK, add("packs/core/triggers/timer.yaml", "# more\n")),
    _edit("sensor YAML", PACK, add("packs/core/sensors/timer.yaml", "# more\n")),
    _edit("pack.yaml", PACK, add("packs/core/pack.yaml", "# more\n")),
    _edit("README of a pack", PACK, add("packs/extra/README.md", "more\n")),
    _edit("action added", PACK, put("packs/extra/actions/bye.sh", "#!/bin/sh\necho bye\n")),
    _edit("action deleted", PACK, delete("packs/core/actions/noop.sh")),
    _edit("action renamed", PACK, move("packs/core/actions/upper.js", "packs/core/actions/up.js")),
    _edit("pack added", PACK, put("packs/third/pack.yaml", "ref: third\n")),
    _edit("pack deleted", PACK, delete("packs/extra")),
    _edit("pack renamed", PACK, move("packs/extra", "packs/other")),
    _edit(
        "script in packs.dev",
        DEV_PACK,
        add("packs.dev/examples/actions/count-words.sh", "# x\n"),
        unread=("packs.dev/examples/actions/count-words.sh",),
    ),
    _edit("pack added to packs.dev", DEV_PACK, put("packs.dev/mine/pack.yaml", "ref: mine\n")),
    _edit(
        "README in packs.dev",
        DEV_PACK,
        add("packs.dev/examples/README.md", "more\n"),
        unread=("packs.dev/examples/README.md",),
    ),
)

_CODE = (
    _edit("constant in core-timer-sensor", PACK_BINARY, _marker("core-timer-sensor")),
    _edit(
        "module added to core-timer-sensor",
        PACK_BINARY,
        put("crates/core-timer-sensor/src/more.rs", "pub const MORE: u8 = 1;\n"),
        swap("crates/core-timer-sensor/src/main.rs", "mod marker;", "mod marker;\n#[used]\nstatic "
             "KEPT: u8 = more::MORE;\nmod more;"),
    ),
    *(
        _edit(f"constant in {name}", SERVICE, _marker(name))
        for name in ("api", "executor", "notifier", "sensor", "worker")
    ),
    _edit("comment at the end of api", SERVICE, add("crates/api/src/main.rs", "// more\n")),
    _edit("comment at the top of worker", SERVICE,
          swap("crates/worker/src/main.rs", "mod ", "// more\nmod ")),
    _edit("tests inside a source of api", SERVICE,
          add("crates/api/src/marker.rs", "#[cfg(test)]\nmod tests {\n    #[test]\n"
              "    fn one() {}\n}\n")),
    _edit("module renamed in api", SERVICE,
          move("crates/api/src/marker.rs", "crates/api/src/marked.rs"),
          swap("crates/api/src/main.rs", "mod marker;", "#[path = \"marked.rs\"]\nmod marker;")),
    _edit("module deleted in notifier", SERVICE, delete("crates/notifier/src/marker.rs"),
          swap("crates/notifier/src/main.rs", "mod marker;",
               'mod marker {\n    pub const MARKER: &str = "notifier-3";\n}')),
    _edit("source that no module names", SERVICE, add("crates/worker/src/unused.rs", "// more\n")),
    _edit("source that no module names, deleted", SERVICE, delete("crates/worker/src/unused.rs")),
    _edit("binary in no service", SERVICE,
          swap("crates/notifier/src/bin/notify-tool.rs", "one", "two")),
    _edit("binary added", SERVICE,
          put("crates/api/src/bin/ask.rs", 'fn main() {\n    println!("ask");\n}\n')),
    _edit("hub of sensor", SERVICE,
          swap("crates/sensor/src/hub.rs", "events are not passed on", "events are lost")),
    _edit("supervisor of sensor", SERVICE,
          swap("crates/sensor/src/supervisor.rs", "has no output", "has no outputs")),
    _edit("runner of worker", SERVICE,
          swap("crates/worker/src/run.rs", "a child that was not waited for", "a running child")),
    _edit("file that api includes", SERVICE, add("crates/api/assets/banner.txt", "more\n")),
    _edit("input of executor's build script", SERVICE, put("crates/executor/limits.txt", "two")),
    _edit("executor's build script", SERVICE,
          swap("crates/executor/build.rs", "LIMITS={}", "LIMITS=more-{}")),
    _edit("constant in common", SHARED, _marker("common")),
    *(
        _edit(f"{name} of common", SHARED, swap(f"crates/common/src/{name}.rs", old, new))
        for name, old, new in (
            ("config", "the configuration has no services", "the configuration lacks services"),
            ("http", "no connection in", "not connected in"),
            ("service", "unknown argument", "unexpected argument"),
        )
    ),
    _edit("tests inside a source of common", SHARED,
          swap("crates/common/src/packs.rs", "ref: a.echo", "ref: a.say")),
    _edit("comment at the end of common", SHARED, add("crates/common/src/lib.rs", "// more\n")),
    _edit("module added to common", SHARED,
          put("crates/common/src/more.rs", "pub const MORE: u8 = 1;\n"),
          add("crates/common/src/lib.rs", "pub mod more;\n")),
    _edit("library behind an optional dependency", SHARED,
          swap("crates/extra/src/lib.rs", "one", "two")),
    _edit("library for tests", SHARED, swap("crates/fixtures/src/lib.rs", "one", "two")),
    _edit("library that nobody uses", SHARED, swap("crates/lonely/src/lib.rs", "one", "two")),
)  # fmt: skip

_ROOT, _API = "Cargo.toml", "crates/api/Cargo.toml"
_MANIFESTS = (
    _edit("locked version of a shared dependency", MANIFEST,
          cargo("update", "--quiet", "itoa", "--precise", "1.0.15")),
    _edit("locked version that nothing shipped reaches", MANIFEST,
          swap("crates/lonely/Cargo.toml", "=1.13.0", "=1.12.0"), relock),
    _edit("profile of releases", MANIFEST, swap(_ROOT, "opt-level = 1", "opt-level = 2")),
    _edit("profile of development", MANIFEST,
          swap(_ROOT, 'debug = "line-tables-only"', 'debug = "limited"')),
    _edit("feature of a workspace dependency", MANIFEST,
          swap(_ROOT, '"sync", "time"]', '"sync", "time", "fs"]'), relock),
    _edit("workspace dependency that one inherits", MANIFEST,
          add("crates/notifier/Cargo.toml", 'percent-encoding.workspace = true\n'),
          swap(_ROOT, 'libc = "0.2"', 'libc = "0.2"\npercent-encoding = "2"'), relock),
    _edit("version of the workspace", MANIFEST,
          swap(_ROOT, 'version = "0.1.0"', 'version = "0.1.1"'), relock),
    _edit("version of api", MANIFEST,
          swap(_API, "version.workspace = true", 'version = "0.2.0"'), relock),
    _edit("dependency added to api", MANIFEST,
          swap(_API, "serde_json.workspace = true", "serde_json.workspace = true\n"
               "libc.workspace = true"), relock),
    _edit("dependency for tests added to api", MANIFEST,
          add(_API, "serde.workspace = true\n"), relock),
    _edit("description of api", MANIFEST,
          swap(_API, "publish.workspace = true", 'publish.workspace = true\ndescription = "x"')),
    _edit("keywords of api", MANIFEST,
          swap(_API, "publish.workspace = true", 'publish.workspace = true\nkeywords = ["x"]')),
    _edit("comment in a manifest", MANIFEST, add(_API, "# more\n")),
    _edit("comment in the root manifest", MANIFEST, add(_ROOT, "# more\n")),
    _edit("crate added", MANIFEST, *crate("fresh", "attune-fresh"), relock),
    _edit("crate deleted", MANIFEST, delete("crates/lonely"), relock),
    _edit("crate renamed", MANIFEST, move("crates/lonely", "crates/alone"), relock),
    _edit("rust-toolchain.toml added", MANIFEST,
          put("rust-toolchain.toml", '[toolchain]\nchannel = "stable"\n')),
    _edit(".cargo/config.toml added", MANIFEST,
          put(".cargo/config.toml", "[build]\njobs = 1\n")),
)  # fmt: skip

_SERVICES = "docker/Dockerfile.optimized"
_WORKERS = "docker/Dockerfile.worker.optimized"
_PACK_FILE = "docker/Dockerfile.pack-binaries"
_YAML = "docker-compose.yaml"
_BUILDS = (
    _edit("comment in the services' Dockerfile", DOCKERFILE, add(_SERVICES, "# more\n")),
    _edit("runtime stage of the services", DOCKERFILE,
          swap(_SERVICES, "USER 10001:10001", "ENV MORE=1\nUSER 10001:10001")),
    _edit("runtime stage of one worker", DOCKERFILE,
          swap(_WORKERS, "ENV ATTUNE_WORKER_RUNNERS=shell,python\n",
               "ENV ATTUNE_WORKER_RUNNERS=python\n")),
    _edit("builder stage of the services", DOCKERFILE,
          swap(_SERVICES, "ENV CARGO_HOME=/usr/local/cargo\n",
               "ENV CARGO_HOME=/usr/local/cargo MORE=1\n")),
    _edit("comment in the pack binaries' Dockerfile", DOCKERFILE, add(_PACK_FILE, "# more\n")),
    _edit("builder stage of the pack binaries", DOCKERFILE,
          swap(_PACK_FILE, "ENV CARGO_HOME=/usr/local/cargo\n",
               "ENV CARGO_HOME=/usr/local/cargo MORE=1\n")),
    _edit("script that the builds run", DOCKERFILE, add("docker/freshen.sh", "# more\n")),
    _edit("comment in .dockerignore", DOCKERFILE, add(".dockerignore", "# more\n")),
    _edit("rule of .dockerignore", DOCKERFILE,
          swap(".dockerignore", "crates/*/docs\n", "")),
    _edit("comment in the Compose file", COMPOSE, add(_YAML, "# more\n")),
    _edit("environment of worker-shell", COMPOSE,
          swap(_YAML, "ATTUNE_SERVICE_NAME: worker-shell",
               'ATTUNE_SERVICE_NAME: worker-shell\n      MORE: "1"')),
    _edit("health check of all services", COMPOSE, swap(_YAML, "interval: 5s", "interval: 6s")),
    _edit("command of init-packs", COMPOSE,
          swap(_YAML, 'network_mode: none', 'network_mode: none\n    environment: {MORE: "1"}')),
    _edit("port in .env", COMPOSE, add(".env", "ATTUNE_NOTIFIER_PORT=18082\n")),
    _edit("unused variable in .env", COMPOSE, add(".env", "ATTUNE_OTHER=1\n")),
    _edit("build target of worker-node", COMPOSE,
          swap(_YAML, "target: runtime-node", "target: runtime-shell")),
    _edit("build argument of api", COMPOSE,
          swap(_YAML, "args: {<<: *build-args, SERVICE: api}",
               'args: {<<: *build-args, SERVICE: api, OTHER: "1"}')),
    _edit("service added", COMPOSE,
          swap(_YAML, "  notifier:\n    <<: *service",
               "  executor-2:\n    <<: *service\n    build:\n      context: .\n"
               "      dockerfile: docker/Dockerfile.optimized\n"
               "      args: {<<: *build-args, SERVICE: executor}\n"
               "  notifier:\n    <<: *service")),
    _edit("service removed", COMPOSE, swap(_YAML, "  worker-full:\n", "x-gone:\n  worker-full:\n")),
    _edit("override file added", COMPOSE,
          put("docker-compose.override.yaml",
              'services:\n  api:\n    environment: {MORE: "1"}\n')),
    _edit("mount added", COMPOSE,
          swap(_YAML, "      ATTUNE_SERVICE_NAME: worker-python\n",
               "      ATTUNE_SERVICE_NAME: worker-python\n    volumes: [./docs:/docs:ro]\n")),
)  # fmt: skip

_REST = (
    _edit("configuration", MOUNTED, swap("config/attune.yaml", "keep: 200", "keep: 100")),
    _edit("file added to the configuration", MOUNTED, put("config/more.yaml", "a: 1\n")),
    _edit("agent of the packs volume", MOUNTED, add("attune_dev/packs/agent.pl", "# more\n")),
    _edit("README", NOTHING, add("README.md", "more\n")),
    _edit("page of the documents", NOTHING, add("docs/ci.md", "more\n")),
    _edit("tests of api", NOTHING, add("crates/api/tests/smoke.rs", "// more\n")),
    _edit("benches of api", NOTHING, add("crates/api/benches/load.rs", "// more\n")),
    _edit("examples of api", NOTHING, add("crates/api/examples/ask.rs", "// more\n")),
    _edit("documents of api", NOTHING, add("crates/api/docs/routes.md", "more\n")),
    _edit("README of api", NOTHING, add("crates/api/README.md", "more\n")),
    _edit("Python of the runner", NOTHING, add("attune_dev/cli/dev.py", "# more\n")),
    _edit("Python test", NOTHING, add("tests/unit/test_one.py", "# more\n")),
    _edit("workflow of CI", NOTHING, add(".github/workflows/ci.yaml", "# more\n")),
    _edit("script", NOTHING, add("scripts/build-pack-binaries.sh", "# more\n")),
    _edit("swap file of an editor", NOTHING, put("crates/api/src/.main.rs.swp", "x")),
    _edit("backup of an editor", NOTHING, put("crates/api/src/main.rs~", "x")),
    _edit("generated file", NOTHING, put("target/release/attune-api", "x")),
    _edit("saved as it was", UNCHANGED, touch("crates/common/src/lib.rs")),
)

EDITS: tuple[Edit, ...] = (*_PACKS, *_CODE, *_MANIFESTS, *_BUILDS, *_REST)
