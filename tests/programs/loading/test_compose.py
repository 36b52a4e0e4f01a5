"""Compose projects through the real ``docker compose config``; no engine is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from attune_dev.docker.process import Completed
from attune_dev.errors import ConfigError, EnvironmentLacksError
from attune_dev.loading.compose import load_compose
from attune_dev.loading.images import ImageLoader
from attune_dev.model.compose import BuildConfig, Condition, Dependency, Mount, MountKind, Port
from tests.programs.loading.conftest import Load

FULL = """\
name: attune
x-service: &service
  restart: unless-stopped
services:
  api:
    <<: *service
    build:
      context: .
      dockerfile: docker/Dockerfile
      target: runtime
      args: {SERVICE: api, TAG: "${TAG:-none}", NO_VALUE: }
      additional_contexts: {lib: ./lib, image: "docker-image://debian:12"}
    env_file: [api.env, {path: missing.env, required: false}]
    ports: ["127.0.0.1:8080:80"]
    volumes:
      - packs_data:/opt/packs:ro
      - ./config:/etc/app:ro
      - /etc/hosts:/hosts
      - .:/all
      - type: tmpfs
        target: /tmp
    configs: [settings]
    depends_on:
      init: {condition: service_completed_successfully, restart: true}
    healthcheck: {test: [CMD, "true"]}
    entrypoint: run --it
    command: ["a b", c]
  init:
    image: debian:12
    restart: "no"
    volumes: ["packs_data:/packs"]
    profiles: [full, extra]
configs:
  settings: {file: ./settings.toml}
volumes:
  packs_data:
  named: {name: fixed}
"""
FILES = {"compose.yaml": FULL, "api.env": "A=1\n", "settings.toml": ""}


def test_a_project_is_read_with_all_its_services(load: Load) -> None:
    project = load(FILES, {"TAG": "v1"})
    api, init = project.services["api"], project.services["init"]
    assert project.name == "attune"
    assert project.volumes["packs_data"] == "attune_packs_data"
    assert api.build == BuildConfig(
        context="",
        dockerfile="docker/Dockerfile",
        target="runtime",
        args={"SERVICE": "api", "TAG": "v1"},
        additional_contexts={"image": "docker-image://debian:12", "lib": "lib"},
    )
    assert api.mounts == (
        Mount(MountKind.VOLUME, "packs_data", "/opt/packs", read_only=True),
        Mount(MountKind.BIND, "config", "/etc/app", read_only=True),
        Mount(MountKind.BIND, "/etc/hosts", "/hosts"),
        Mount(MountKind.BIND, "", "/all"),
        Mount(MountKind.OTHER, "", "/tmp"),
    )
    assert api.depends_on == (Dependency("init", Condition.COMPLETED, restart=True),)
    assert api.command == ("run", "--it", "a b", "c")
    assert api.ports == (Port("127.0.0.1", "8080", 80),)
    assert (api.restart, api.has_healthcheck, api.profiles) == ("unless-stopped", True, ())
    assert api.files == ("settings.toml",)
    assert (init.image, init.profiles, init.restart) == ("debian:12", ("extra", "full"), "no")
    assert init.build is None
    assert project.files == (".env", "api.env", "compose.yaml", "missing.env")
    assert "compose.override.yaml" in project.candidates
    assert project.warnings == ()


def test_services_of_inactive_profiles_are_left_out_on_request(load: Load) -> None:
    services = {"services": "a: {image: x}\n  b: {image: x, profiles: [p]}"}
    files = {"compose.yaml": f"services:\n  {services['services']}\n"}
    assert list(load(files).services) == ["a", "b"]
    assert list(load(files, profiles=()).services) == ["a"]


def test_a_service_that_is_waited_for_to_complete_is_a_one_shot(load: Load) -> None:
    project = load(FILES)
    assert [name for name in project.services if project.one_shot(name)] == ["init"]


def test_the_project_name_can_be_given(load: Load) -> None:
    project = load(FILES, project_name="t-other")
    assert (project.name, project.volumes["packs_data"]) == ("t-other", "t-other_packs_data")


def test_an_unset_variable_is_a_warning(load: Load) -> None:
    project = load({"compose.yaml": "services: {a: {image: 'x${TAG_OF_X}'}}\n"})
    assert project.warnings == (
        'The "TAG_OF_X" variable is not set. Defaulting to a blank string.',
    )


def test_ranges_of_ports_are_understood(load: Load) -> None:
    project = load({"compose.yaml": "services: {a: {image: x, ports: ['9000-9001:80-81']}}\n"})
    assert [(p.published, p.target) for p in project.services["a"].ports] == [
        ("9000", 80),
        ("9001", 81),
    ]


def test_overrides_includes_and_extended_files_are_found(load: Load) -> None:
    project = load(
        {
            "compose.yml": """\
                include:
                  - sub/compose.yaml
                  - {path: [other.yaml, over.yaml], env_file: other.env, project_directory: there}
                services:
                  api:
                    extends: {file: base/common.yaml, service: base}
                """,
            "compose.override.yml": "services: {api: {env_file: '${WHICH}.env'}}\n",
            "sub/compose.yaml": "services: {sub: {image: s, env_file: s.env}}\n",
            "other.yaml": "services: {other: {image: o}}\n",
            "over.yaml": "services: {other: {command: x}}\n",
            "other.env": "",
            "base/common.yaml": "services: {base: {image: b}}\n",
            "sub/s.env": "",
            "dev.env": "",
            ".env": "WHICH=dev\n",
        }
    )
    assert project.files == (
        ".env",
        "base/common.yaml",
        "compose.override.yml",
        "compose.yml",
        "dev.env",
        "other.env",
        "other.yaml",
        "over.yaml",
        "sub/.env",
        "sub/compose.yaml",
        "sub/s.env",
        "there/.env",
    )
    assert list(project.services) == ["api", "other", "sub"]


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_compose_file_names_the_files(load: Load, where: str) -> None:
    files = {
        "compose.yaml": "services: {unused: {image: x}}\n",
        "a.yaml": "services: {a: {image: x}}\n",
        "deploy/b.yaml": "services: {b: {image: x}}\n",
    }
    value = "a.yaml:deploy/b.yaml"
    if where == ".env":
        project = load({**files, ".env": f"COMPOSE_FILE={value}\n"})
    else:
        project = load(files, {"COMPOSE_FILE": value})
    assert list(project.services) == ["a", "b"]
    assert project.files == (".env", "a.yaml", "deploy/b.yaml")


def test_a_linked_root_is_the_same_root(load: Load, tmp_path: Path) -> None:
    load(FILES)
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    through = load_compose(link)
    assert through.services["api"].mounts[1].source == "config"
    assert through.services["api"].build == load_compose(tmp_path).services["api"].build


def test_a_context_below_and_one_outside_of_the_root(load: Load, tmp_path: Path) -> None:
    project = load(
        {
            "compose.yaml": """\
                services:
                  web: {build: ./web}
                  out: {build: {context: ../elsewhere, dockerfile: sub/Dockerfile}}
                  own: {build: {context: ., dockerfile_inline: "FROM scratch"}}
                """
        }
    )
    builds = {name: service.build for name, service in project.services.items()}
    outside = str(tmp_path.parent / "elsewhere")
    assert builds["web"] == BuildConfig("web", "web/Dockerfile")
    assert builds["out"] == BuildConfig(outside, f"{outside}/sub/Dockerfile")
    assert builds["own"] is not None
    assert builds["own"].inline == "FROM scratch"


# What may be added to a service, and whether its containers stay as they are.
ADDITIONS = [
    ("build: {context: ., args: {A: 1}}", True),
    ("profiles: [p]", True),
    ("depends_on: [base]", True),
    ("pull_policy: never", True),
    ("x-note: anything", True),
    ("x-attune-dev: {one-shot: false}", True),
    ("# a comment", True),
    ("develop: {watch: [{path: ., action: rebuild}]}", True),
    ("deploy: {replicas: 2}", False),  # a section that was not there
    ("environment: {A: 1}", False),
    ("env_file: a.env", False),
    ("healthcheck: {test: [CMD, b]}", False),
    ("command: b", False),
    ("networks: [other]", False),
    ("volumes: ['data:/v']", False),
]


def test_the_digest_changes_with_what_containers_are_made_of(load: Load) -> None:
    services = "".join(
        f"  s{i}:\n    image: x\n    {added}\n" for i, (added, _) in enumerate(ADDITIONS)
    )
    text = (
        f"services:\n  base: {{image: x}}\n{services}volumes: {{data: }}\nnetworks: {{other: }}\n"
    )
    found = load({"compose.yaml": text, "a.env": "SECRET=1\n"}).services
    same = [found[f"s{i}"].digest == found["base"].digest for i in range(len(ADDITIONS))]
    assert dict(zip((a for a, _ in ADDITIONS), same, strict=True)) == dict(ADDITIONS)


@pytest.mark.parametrize(
    "change",
    [("name: one", "name: two"), ("data:/v:ro", "data:/v"), ("image: x", "image: y")],
)
def test_the_digest_follows_what_the_definition_refers_to(
    load: Load, change: tuple[str, str]
) -> None:
    text = "services: {a: {image: x, volumes: ['data:/v:ro']}}\nvolumes: {data: {name: one}}\n"
    before = load({"compose.yaml": text}).services["a"]
    assert load({"compose.yaml": text}).services["a"].digest == before.digest
    assert load({"compose.yaml": text.replace(*change)}).services["a"].digest != before.digest


def test_build_arguments_change_the_build_digest_alone(load: Load) -> None:
    text = "services: {a: {build: {context: ., args: {A: %s}}}}\n"
    one = load({"compose.yaml": text % 1}).services["a"]
    two = load({"compose.yaml": text % 2}).services["a"]
    assert one.digest == two.digest
    assert one.build_digest != two.build_digest


def test_no_secret_is_in_a_repr(load: Load) -> None:
    project = load(
        {
            "compose.yaml": """\
                services:
                  a:
                    build: {context: ., args: {TOKEN: "${API_TOKEN}"}}
                    environment: {TOKEN: "${API_TOKEN}"}
                    command: ["--token=${API_TOKEN}"]
                """
        },
        {"API_TOKEN": "geheim-4711"},
    )
    assert "geheim-4711" not in repr(project)
    build = project.services["a"].build
    assert build is not None
    assert build.args == {"TOKEN": "geheim-4711"}


def test_what_is_said_by_hand_is_taken_from_the_service(load: Load) -> None:
    project = load(
        {
            "compose.yaml": """\
                services:
                  a:
                    image: x
                    x-attune-dev:
                      packages: [one, two]
                      reads: "docs/**"
                      one-shot: true
                      ignore: []
                      scripts: nothing
                      packs: {documents: restart, content: nothing}
                  b: {image: x, x-attune-dev: }
                """
        }
    )
    said = project.services["a"].override
    assert (said.packages, said.reads, said.one_shot) == (("one", "two"), ("docs/**",), True)
    assert (said.ignore, said.scripts) == ((), "nothing")
    assert said.packs == (("content", "nothing"), ("documents", "restart"))
    needs = [said.on_pack(role) for role in ("script", "content", "documents", "sensor")]
    assert needs == ["nothing", "nothing", "restart", None]
    assert said.place == "compose.yaml:4"
    assert project.services["b"].override.packages is None
    assert project.one_shot("a")


BROKEN = [
    # Text below `services:`, the first line that is told, the hint.
    (
        "  a: {imagee: x}",
        "unknown key `imagee` in services.a (compose.yaml:2)",
        "did you mean `image`?",
    ),
    (
        "  a: {image: x, build: {contxt: .}}",
        "unknown key `contxt` in services.a.build (compose.yaml:2)",
        "did you mean `context`?",
    ),
    (
        "  a: {image: x}\nvolumez: {}",
        "unknown key `volumez` (compose.yaml:3)",
        "did you mean `volumes`?",
    ),
    ("  a: {image: x}\n foo: 1", "not valid YAML (compose.yaml:3)", ""),
    ("  a:\n    image: x\n    image: y", "duplicate key `image` (compose.yaml:4)", ""),
    (
        "  a:\n    image: ${REQ:?say it}",
        "the variable REQ is required and not set (compose.yaml:3)",
        "put REQ=… into .env, or export it",
    ),
    ("  a:\n    image: ${REQ", "the Compose file is not valid (compose.yaml:3)", ""),
    (
        "  a: {image: x}\n  b: {image: x, depends_on: [c]}",
        "the Compose file is not valid (compose.yaml:3)",
        "",
    ),
    ("  a: {image: x, depends_on: [a]}", "the Compose file is not valid (compose.yaml:2)", ""),
    ("  a: {image: x, volumes: ['none:/v']}", "the Compose file is not valid (compose.yaml:2)", ""),
    ("  a: {}", "the Compose file is not valid (compose.yaml:2)", ""),
    ("  a:\n    image: x\n    env_file: no.env", "no.env does not exist (compose.yaml:4)", ""),
    (
        "  a:\n    extends: {file: no.yaml, service: b}",
        "no.yaml does not exist (compose.yaml:3)",
        "",
    ),
    (
        "  a: {image: x}\ninclude:\n  - sub/no.yaml",
        "sub/no.yaml does not exist (compose.yaml:4)",
        "",
    ),
    (
        "  a:\n    image: x\n    x-attune-dev: {packges: []}",
        "unknown key `services.a.x-attune-dev.packges` (compose.yaml:4)",
        "did you mean `packages`?",
    ),
    (
        "  a: {image: x}\nx-attune-dev: {}",
        "`x-attune-dev` belongs on a service (compose.yaml:3)",
        "",
    ),
    (
        "  a:\n    image: x\n    x-attune-dev: {one-shot: maybe}",
        "`services.a.x-attune-dev.one-shot` must be true or false (compose.yaml:4)",
        "",
    ),
]


@pytest.mark.docker  # not the engine, but the plugin, and many calls of it
@pytest.mark.parametrize(("text", "told", "hint"), BROKEN)
def test_a_wrong_file_is_told_with_its_line(load: Load, text: str, told: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"compose.yaml": f"services:\n{text}\n"})
    assert caught.value.lines()[0] == f"error: {told}"
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "the Dockerfile of service a does not exist: gone (compose.yaml:5)"),
        (
            {"gone": "FROM x AS y\n"},
            "no stage `z`, the build target of a, in gone (compose.yaml:6)",
        ),
    ],
)
def test_a_build_that_names_what_is_not_there_is_told_with_its_line(
    load: Load, tmp_path: Path, files: dict[str, str], told: str
) -> None:
    text = (
        "services:\n  a:\n    build:\n      context: .\n      dockerfile: gone\n      target: z\n"
    )
    project = load({"compose.yaml": text, **files})
    problems: list[ConfigError] = []
    ImageLoader(tmp_path, problems).load_services(project)
    assert [problem.lines()[0] for problem in problems] == [f"error: {told}"]


def test_an_error_in_an_included_file_names_that_file(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            {
                "compose.yaml": "include: [sub/more.yaml]\nservices: {a: {image: x}}\n",
                "sub/more.yaml": "\nservices:\n  b: {imagee: x}\n",
            }
        )
    assert caught.value.where == "sub/more.yaml:3"


def test_no_compose_file_is_told_with_where_it_was_looked_for(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_compose(write({}), environ={})
    assert caught.value.what.startswith("no Compose file in ")
    assert "docker-compose.yaml" in caught.value.why


def test_a_variable_that_names_no_file_is_the_culprit(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_compose(write({}), environ={"COMPOSE_FILE": "gone.yaml"})
    assert caught.value.lines() == [
        "error: the Compose file does not exist (gone.yaml)",
        "  COMPOSE_FILE names it",
        "  fix: correct or unset COMPOSE_FILE",
    ]


class Ran:
    """A runner that records the call and gives a prepared answer."""

    def __init__(self, returncode: int = 0, stdout: str = "", stderr: str = "") -> None:
        self.answer = (returncode, stdout, stderr)
        self.calls: list[list[str]] = []

    def __call__(self, argv: Sequence[str], **options: Any) -> Completed:
        self.calls.append(list(argv))
        return Completed(tuple(argv), *self.answer)


MISSING = [
    (125, "unknown flag: --profile\nSee 'docker --help'."),
    (125, "unknown flag: --file"),
    (1, "docker: unknown command: docker compose\n\nRun 'docker --help' for more information"),
    (1, "docker: 'compose' is not a docker command.\nSee 'docker --help'"),
    (125, "unknown shorthand flag: 'p' in -p"),
]


@pytest.mark.parametrize(("code", "stderr"), MISSING)
def test_a_missing_plugin_is_told_with_the_way_to_get_it(
    write: Callable[..., Path], code: int, stderr: str
) -> None:
    root = write({"compose.yaml": "services: {a: {image: x}}\n"})
    with pytest.raises(EnvironmentLacksError) as caught:
        load_compose(root, environ={}, runner=Ran(code, "", stderr))
    assert caught.value.what == "the Docker Compose plugin is not installed"
    assert caught.value.hint == "./inv setup"
    assert caught.value.exit_code == 3


def test_a_missing_docker_client_is_told_the_same(write: Callable[..., Path]) -> None:
    root = write({"compose.yaml": "services: {a: {image: x}}\n"})

    def runner(argv: Sequence[str], **options: Any) -> Completed:
        raise EnvironmentLacksError("`docker` is not installed")

    with pytest.raises(EnvironmentLacksError) as caught:
        load_compose(root, environ={}, runner=runner)
    assert caught.value.hint == "./inv setup"


def test_the_plugin_is_called_itself_where_it_is_found(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    root = write({"compose.yaml": "services: {a: {image: x}}\n"})
    plugin = tmp_path / "config/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("")
    plugin.chmod(0o755)
    ran = Ran(stdout='{"services": {}}')
    load_compose(root, environ={"DOCKER_CONFIG": str(tmp_path / "config")}, runner=ran)
    assert ran.calls == [[str(plugin), "--profile", "*", "config", "--format", "json"]]


ALIASES = "x0: &x0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"x{i}: &x{i} [{','.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 9)
)
HOSTILE = {
    "aliases": f"{ALIASES}services: {{a: {{image: x}}}}\n",
    "merges": "services: {a: {image: x}}\nm0: &m0 {k: 1}\n"
    + "".join(f"m{i}: &m{i}\n  <<: [{', '.join([f'*m{i - 1}'] * 9)}]\n" for i in range(1, 9)),
    "depth": "services: " + "{a: " * 5000 + "\n",
    "size": "services: {a: {image: x}}\n#" + "x" * 6_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bomb_never_reaches_compose(write: Callable[..., Path], name: str) -> None:
    root = write({"compose.yaml": "include: [bomb.yaml]\n"})
    (root / "bomb.yaml").write_text(HOSTILE[name])
    ran = Ran()
    start = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load_compose(root, environ={}, runner=ran)
    assert caught.value.file == "bomb.yaml"
    assert ran.calls == []
    assert time.process_time() - start < 10


def test_a_bomb_is_refused_with_little_memory(write: Callable[..., Path]) -> None:
    root = write({"compose.yaml": HOSTILE["aliases"]})
    program = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))\n"
        "from pathlib import Path\n"
        "from attune_dev.errors import ConfigError\n"
        "from attune_dev.loading.compose import load_compose\n"
        "try: load_compose(Path('.'))\n"
        "except ConfigError as e: print('refused:', e.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "refused: describes more than 500,000 values\n", done.stderr[-500:]


def test_a_file_of_files_that_include_themselves_ends(load: Load) -> None:
    with pytest.raises(ConfigError):
        load({"compose.yaml": "include: [compose.yaml]\nservices: {a: {image: x}}\n"})


def test_a_fifo_for_a_compose_file_does_not_block(write: Callable[..., Path]) -> None:
    root = write({})
    os.mkfifo(root / "compose.yaml")
    with pytest.raises(ConfigError, match="is not a regular file"):
        load_compose(root, environ={})


def test_an_answer_that_is_no_json_is_told(write: Callable[..., Path]) -> None:
    root = write({"compose.yaml": "services: {a: {image: x}}\n"})
    with pytest.raises(EnvironmentLacksError, match="printed no JSON"):
        load_compose(root, environ={}, runner=Ran(stdout="Killed"))


def test_a_secret_stays_out_of_an_error(write: Callable[..., Path]) -> None:
    root = write({"compose.yaml": "services: {a: {image: x}}\n"})
    stderr = "services.a.privileged: invalid boolean: geheim-4711"
    with pytest.raises(ConfigError) as caught:
        load_compose(root, environ={"DB_PASSWORD": "geheim-4711"}, runner=Ran(1, "", stderr))
    assert "geheim-4711" not in "\n".join(caught.value.lines())


def test_a_dollar_is_one_dollar_but_in_what_compose_is_to_read_again(load: Load) -> None:
    text = """\
name: attune
services:
  api:
    build:
      context: .
      args: {WORD: "a$$b$$$$c"}
      dockerfile_inline: |
        ARG RUST
        FROM $$RUST
        ENV WORD=$${WORD}
"""
    project = load({"compose.yaml": text})
    build = project.services["api"].build
    assert build is not None
    assert build.args == {"WORD": "a$b$$c"}
    assert build.inline == "ARG RUST\nFROM $RUST\nENV WORD=${WORD}\n"
    assert "a$$b$$$$c" in project.resolved
