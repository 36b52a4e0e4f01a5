"""What is wrong with a pack, and what is only unusual."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from attune_dev.packs.check import known
from attune_dev.packs.check.repair import repair
from attune_dev.packs.check.run import Checker, PackCheck, faults
from attune_dev.packs.check.schema import SCHEMAS, schema_file

ACTION = "ref: a.x\nrunner_type: shell\nentry_point: x.sh\n"
HEADER = "# yaml-language-server: $schema="

Check = Callable[..., PackCheck]


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(path: str, text: str | bytes, mode: int = 0o644) -> Path:
        file = tmp_path / "packs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    return write


@pytest.fixture
def check(tmp_path: Path, put: Callable[..., Path]) -> Check:
    """Checks a pack `a` of these files; scripts have the run bit and a first line."""

    def run(files: dict[str, str | bytes], *, name: str = "a", binaries: tuple[str, ...] = ()) -> PackCheck:
        if "pack.yaml" not in files:
            put("a/pack.yaml", "ref: a\n")
        for path, text in files.items():
            put(f"a/{path}", text, 0o755 if path.endswith((".sh", ".py")) else 0o644)
        checks = Checker(tmp_path, "packs", binaries).check()
        return next(found for found in checks if found.name == name)

    return run


def lines(found: PackCheck) -> list[str]:
    return [f"{p.place} {p.severity.value}: {p.message}" for p in found.problems]


def test_a_good_pack_has_no_problems(check: Check) -> None:
    found = check(
        {
            "actions/x.yaml": ACTION,
            "actions/x.sh": "#!/bin/sh\n",
            "sensors/s.yaml": "ref: a.s\nentry_point: made\ntriggers: [a.t]\n",
            "triggers/t.yaml": "ref: a.t\n",
        },
        binaries=("made",),
    )
    assert found.problems == ()
    assert found.files == 4


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("pack.yaml", "ref: a\nref: b\n", "pack.yaml:2:1 error: duplicate key `ref`"),
        ("pack.yaml", "label: x\n", "pack.yaml:1:1 error: `ref` is missing"),
        ("pack.yaml", "- a\n", "pack.yaml:1:1 error: the file is no mapping of names to values"),
        ("pack.yaml", "", "pack.yaml:1:1 error: the file is empty"),
        ("pack.yaml", "\tref: a\n", "pack.yaml:1:1 error: not valid YAML"),
        ("pack.yaml", b"ref: a\nlabel: \xe9\n", "pack.yaml:2 error: is not UTF-8 text"),
        ("pack.yaml", "ref: !!python/object:os.system x\n", "pack.yaml:1:6 error: not valid YAML"),
        ("pack.yaml", "ref: !thing x\n", "pack.yaml:1:6 error: not valid YAML"),
        ("pack.yaml", "ref: a\nenabled: maybe\n", "pack.yaml:2:1 error: `enabled` must be true or false, not `maybe`"),
        ("pack.yaml", "ref: 1.5\n", "pack.yaml:1:1 error: `ref` must be a text, not `1.5`"),
        ("pack.yaml", "ref: a\nname: ''\n", "pack.yaml:2:1 error: `name` is empty"),
        ("pack.yaml", "ref: a\nversion: 1.10\n", "pack.yaml:2:1 warning: `version` is the number 1.1 without quotes"),
        ("actions/x.yaml", ACTION.replace("x.sh", "y.sh"), "actions/x.yaml:3:1 error: there is no actions/y.sh"),
        ("actions/x.yaml", ACTION.replace("x.sh", "../x.sh"), "actions/x.yaml:3:1 error: `entry_point` leaves actions/: ../x.sh"),
        ("actions/x.yaml", ACTION.replace("x.sh", "/bin/sh"), "actions/x.yaml:3:1 error: `entry_point` leaves actions/: /bin/sh"),
        ("actions/x.yaml", ACTION.replace("x.sh", "."), "actions/x.yaml:3:1 error: the entry point actions/. is no file"),
        ("actions/x.yaml", ACTION.replace("shell", "pyhton"), "actions/x.yaml:2:1 error: no runner type `pyhton` is known"),
        ("actions/x.yaml", ACTION.replace("runner_type: shell\n", ""), "actions/x.yaml:1:1 error: `runner_type` is missing"),
        ("actions/x.yaml", "ref: a.x\nrunner_type: shell\n", "actions/x.yaml:1:1 error: `entry_point` is missing"),
        ("actions/x.yaml", ACTION + "timeout_seconds: soon\n", "actions/x.yaml:4:1 error: `timeout_seconds` must be a number or empty, not `soon`"),
        ("actions/x.yaml", ACTION + "parameters: [a]\n", "actions/x.yaml:4:1 error: `parameters` must be a mapping or empty, not a list"),
        ("actions/y.yaml", ACTION, "actions/y.yaml:1:1 error: `a.x` is already the action of actions/x.yaml:1"),
        ("actions/x.yaml", "ref: b.x\nrunner_type: shell\nentry_point: x.sh\n", "actions/x.yaml:1:1 warning: `b.x` does not begin with the pack's reference `a.`"),
        ("actions/x.yaml", "ref: a.x\nworkflow_file: workflows/w.yaml\n", "actions/x.yaml:2:1 error: there is no actions/workflows/w.yaml"),
        ("actions/x.sh", "#!/bin/sh\r\necho\r\n", "actions/x.sh:1:10 error: the first line ends with a carriage return: the kernel and the shell take it in"),
        ("actions/x.sh", "echo\n", "actions/x.sh:1:1 error: the first line names no interpreter"),
        ("sensors/s.yaml", "ref: a.s\nentry_point: nothing\n", "sensors/s.yaml:2:1 error: there is no sensors/nothing"),
        ("sensors/s.yaml", "ref: a.s\n", "sensors/s.yaml:1:1 error: `entry_point` is missing"),
        ("sensors/s.yaml", "ref: a.s\nentry_point: made\ntriggers:\n  - a.none\n", "sensors/s.yaml:4:5 error: this pack has no trigger `a.none`"),
        ("workflows/w.yaml", "a: 1\na: 2\n", "workflows/w.yaml:2:1 error: duplicate key `a`"),
        ("workflows/w.yaml", "- a\n", "workflows/w.yaml:1:1 error: the file is no mapping of names to values"),
        ("workflows/w.yaml", "tasks: later\n", "workflows/w.yaml:1:1 error: `tasks` must be a list or a mapping, not `later`"),
        ("workflows/w.yaml", "tasks:\n- {name: 5}\n", "workflows/w.yaml:1:1 error: `tasks[0].name` must be a text, not `5`"),
        ("workflows/w.yaml", "tasks:\n  one: {action: a.y}\n", "workflows/w.yaml:2:9 warning: this pack has no action `a.y`"),
        ("workflows/w.yaml", "tasks:\n- name: one\n  action: a.y cmd=x\n", "workflows/w.yaml:3:3 warning: this pack has no action `a.y`"),
        ("actions/workflows/w.yaml", "tasks: {one: {action: [x]}}\n", "actions/workflows/w.yaml:1:1 error: `tasks.one.action` must be a text, not a list"),
        ("rules/r.yaml", "enabled: true\n", "rules/r.yaml:1:1 error: `ref` is missing"),
        ("rules/r.yaml", "ref: a.r\nenabled: maybe\n", "rules/r.yaml:2:1 error: `enabled` must be true or false, not `maybe`"),
        ("rules/r.yaml", "ref: a.r\ntrigger: 5\n", "rules/r.yaml:2:1 error: `trigger` must be a text or a mapping, not `5`"),
        ("rules/r.yaml", "ref: a.r\ntrigger_ref: a.none\n", "rules/r.yaml:2:1 warning: this pack has no trigger `a.none`"),
        ("rules/r.yaml", "ref: a.r\ntrigger: {type: a.none}\n", "rules/r.yaml:2:11 warning: this pack has no trigger `a.none`"),
        ("rules/r.yaml", "ref: a.r\naction: {ref: a.y}\n", "rules/r.yaml:2:10 warning: this pack has no action `a.y`"),
        ("rules/r.yaml", "ref: a.r\naction_ref: a.z\n", "rules/r.yaml:2:1 warning: this pack has no action `a.z`"),
        ("rules/r.yaml", "ref: r\ntrigger_ref: none\n", "rules/r.yaml:2:1 warning: this pack has no trigger `a.none`"),
        ("rules/sub/r.yaml", "a: [\n", "rules/sub/r.yaml:2:1 error: not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    check: Check, file: str, text: str | bytes, told: str
) -> None:
    files: dict[str, str | bytes] = {"actions/x.yaml": ACTION, "actions/x.sh": "#!/bin/sh\n"}
    found = check(files | {file: text}, binaries=("made",))
    assert [line[: len(told)] for line in lines(found)] == [told]


def test_each_field_of_a_file_is_told_at_once(check: Check) -> None:
    found = check({"pack.yaml": "label: 1\nenabled: x\ntags: y\n"})
    assert [p.line for p in found.problems] == [1, 1, 2, 3]


def test_near_names_are_told(check: Check) -> None:
    found = check({"actions/x.yaml": ACTION.replace("x.sh", "hello.s"), "actions/hello.sh": "#!/bin/sh\n"})
    assert [p.fix for p in found.problems] == ["did you mean `hello.sh`?"]


def test_run_bits_and_line_ends_are_repaired_and_nothing_else(
    check: Check, tmp_path: Path, put: Callable[..., Path]
) -> None:
    check({"actions/x.yaml": ACTION, "actions/y.yaml": ACTION.replace("x", "y")})
    script = put("a/actions/x.sh", "#!/bin/sh\r\necho hi\r\n", 0o640)
    other = put("a/actions/y.sh", "echo\n", 0o644)
    found = check({})
    assert repair(tmp_path, [found]) == (
        "packs/a/actions/x.sh: run bit",
        "packs/a/actions/x.sh: line ends",
        "packs/a/actions/y.sh: run bit",
    )
    assert script.read_bytes() == b"#!/bin/sh\necho hi\n"
    assert script.stat().st_mode & 0o777 == 0o750
    assert other.stat().st_mode & 0o777 == 0o755
    assert lines(check({})) == ["actions/y.sh:1:1 error: the first line names no interpreter"]


def test_a_repair_never_leaves_the_pack(check: Check, tmp_path: Path) -> None:
    outside = tmp_path / "outside.sh"
    outside.write_bytes(b"#!/bin/sh\r\n")
    found = check({"actions/x.yaml": ACTION})
    (tmp_path / "packs/a/actions/x.sh").symlink_to(outside)
    found = check({})
    with pytest.raises(Exception, match="out of the pack"):
        repair(tmp_path, [found])
    assert outside.read_bytes() == b"#!/bin/sh\r\n"


def test_packs_of_one_reference_are_told_at_the_second(
    check: Check, put: Callable[..., Path]
) -> None:
    put("b/pack.yaml", "ref: a\n")
    assert check({}).problems == ()
    (problem,) = check({}, name="b").problems
    assert problem.message == "`a` is already the reference of the pack a/"


def test_a_runtime_of_any_pack_makes_its_runner_type_known(
    check: Check, put: Callable[..., Path]
) -> None:
    files: dict[str, str | bytes] = {
        "actions/x.yaml": ACTION.replace("shell", "ruby"),
        "actions/x.sh": "puts 1\n",
    }
    assert [p.message for p in check(files).problems] == ["no runner type `ruby` is known"]
    put("b/pack.yaml", "ref: b\n")
    put("b/runtimes/r.yaml", "ref: b.ruby\nname: Ruby\naliases: [rb]\nexecution_config: {}\n")
    assert check(files).problems == ()


ATTUNE = {
    "pack.yaml": 'ref: a\nlabel: "A"\nversion: "1.0.3"\nauthor: me\nsystem: true\nenabled: true\n'
    "conf_schema:\n  m: {type: integer, minimum: 1}\nconfig: {m: 3}\nmeta: {category: x}\n"
    "tags: [a]\nruntime_deps: [shell, native]\ntesting:\n  enabled: true\n  on_failure: block\n",
    "actions/h.yaml": "ref: a.h\nlabel: H\nrunner_type: shell\nruntime_version: '>=3'\n"
    "entry_point: h.sh\nparameter_delivery: stdin\nparameter_format: dotenv\noutput_format: json\n"
    "parameters:\n  url: {type: string, required: true}\n  secret: {type: string, secret: true}\n"
    "output:\n  ok: {type: boolean}\ntags: [http]\n",
    "actions/h.sh": "#!/bin/bash\n",
    "actions/n.yaml": "ref: a.n\nrunner_type: native\nentry_point: attune-known\n",
    "actions/l.yaml": "ref: a.l\nrunner_type: java\nlaunch: {type: java_jar, artifact: app}\n",
    "actions/w.yaml": "ref: a.w\nworkflow_file: workflows/w.workflow.yaml\n",
    "actions/workflows/w.workflow.yaml": "version: '1.0'\ntasks: [{name: x, action: a.h}]\n",
    "actions/p.yaml": "ref: a.p\nrunner_type: python3\nentry_point: p\n",
    "actions/p": "import sys\n",
    "actions/README.md": "",
    "sensors/t.yaml": "ref: a.t\nrunner_type: core.python\nentry_point: t\ntrigger_types:\n"
    "  - a.tick\n  - other.thing\npoll_interval: 1\nexamples: [{trigger_type: a.no}]\n",
    "sensors/t": "import sys\n",
    "triggers/tick.yaml": "ref: a.tick\nlabel: T\nparameters: {x: {type: string}}\n",
    "rules/r.yaml": "ref: a.r\ntrigger_ref: a.tick\naction_ref: a.h\nconditions: {}\n",
    "workflows/i.yaml": "name: i\nref: a.i\nlabel: I\nversion: '1.0.0'\nparameters: {p: {type: array}}\n"
    "vars:\n  - dir: null\ntasks:\n  - name: one\n    action: a.h\n    input: {m: x}\n"
    "    publish: [{d: '{{ now() }}'}]\n    on_success: two\n  - {name: two, action: core.noop}\n"
    "output_schema: {x: {type: array}}\nmetadata: {tags: [a]}\n",
    "rules/short.yaml": "ref: short\ntrigger_ref: tick\naction_ref: h\ntrigger_params: {x: y}\n",
    "rules/many.yaml": "---\nref: a.one\n---\nref: a.two\n",
    "permission_sets/p.yaml": "ref: a.p\ngrants: [{resource: keys, actions: [read]}]\n",
    "tests/fixtures/broken.yaml": "a: [\n",
}

STACKSTORM = {
    "pack.yaml": "---\nref: a\nname: My Pack\ndescription: d\nkeywords: [x]\nversion: 1.2.3\n"
    "author: me\nemail: e@x\npython_versions: ['3']\nstackstorm_version: '>=3.0.0'\n",
    "actions/ping.yaml": "---\nname: ping\npack: a\nrunner_type: local-shell-cmd\nentry_point: ''\n"
    "enabled: true\nparameters:\n  cmd:\n    immutable: true\n    default: 'ping {{host}}'\n"
    "  host: {type: string, required: true, position: 0}\n",
    "actions/p.yaml": "---\nname: p\nrunner_type: python-script\nentry_point: lib/p\n"
    "parameters: {}\n",
    "actions/lib/p": "class P:\n    pass\n",
    "actions/o.yaml": "---\nname: o\nrunner_type: orquesta\nentry_point: workflows/o.yaml\n",
    "actions/workflows/o.yaml": "version: 1.0\ntasks:\n  t:\n    action: core.noop\n",
    "actions/noop.yaml": "---\nname: noop\nrunner_type: run-local\nentry_point:\n",
    "sensors/old.yaml": "---\nclass_name: S\nentry_point: sensors/s\ntrigger_types: []\n",
    "sensors/s.yaml": "---\nclass_name: S\nentry_point: s\nrunner_type: python-script\n"
    "trigger_types:\n  - name: event\n    description: d\n    payload_schema: {type: object}\n",
    "sensors/s": "class S:\n    pass\n",
    "rules/r.yaml": "---\nname: r\npack: a\ntrigger: {type: a.event}\ncriteria: {}\n"
    "action: {ref: core.local, parameters: {cmd: date}}\n",
    "aliases/x.yaml": "---\nname: x\naction_ref: a.ping\nformats: ['ping {{host}}']\n",
    "config.schema.yaml": "---\nkey: {type: string}\n",
    "requirements.txt": "x\n",
}


@pytest.mark.parametrize("files", [ATTUNE, STACKSTORM], ids=["attune", "stackstorm"])
def test_packs_as_other_installations_have_them_have_no_errors(
    check: Check, files: dict[str, str]
) -> None:
    found = lines(check(dict(files)))
    assert [line for line in found if " error: " in line or "this pack has no" in line] == []


def test_a_pack_that_is_large_costs_no_memory(check: Check, put: Callable[..., Path]) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    put("a/actions/huge.yaml", b"ref: a.x\n" + b"#" * 6_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = check({"actions/bomb.yaml": bomb})
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert [(p.path, p.message.split(":")[0]) for p in found.problems] == [
        ("actions/bomb.yaml", "describes more than 500,000 values"),
        ("actions/huge.yaml", "is larger than 5 MiB"),
    ]
    assert used < 60_000  # kilobytes


def test_what_was_read_is_kept_and_what_changed_is_read_again(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "TICK_NS", -1)  # what was written a moment ago is not kept
    files: dict[str, str | bytes] = {"actions/x.yaml": ACTION + "enabled: 1\n"}
    first = check(files)
    assert check({}).problems == first.problems
    kept = tmp_path / ".attune-dev" / "packs-facts.json"
    kept.write_text("{")
    assert check({}).problems == first.problems
    (tmp_path / "packs/a/actions/x.yaml").write_text(ACTION)
    assert [p.message for p in check({}).problems] == ["there is no actions/x.sh"]


def test_names_that_are_hard_to_read_break_nothing(check: Check, tmp_path: Path) -> None:
    check({})
    folder = os.fsencode(tmp_path / "packs/a/actions")
    os.makedirs(folder)
    with open(folder + b"/\xff.yaml", "wb") as file:
        file.write(b"ref: a.x\n")
    os.mkfifo(folder + b"/pipe.yaml")
    os.symlink("loop.yaml", folder + b"/loop.yaml")
    assert [p.message for p in check({}).problems] == [
        "cannot be read: Too many levels of symbolic links",
        "is not a regular file",
        "`runner_type` is missing",
    ]


def test_a_fault_is_told_as_a_place_and_a_reason(check: Check) -> None:
    found = check({"pack.yaml": "label: x\n"})
    assert faults(found) == (
        ("pack.yaml:1:1", "`ref` is missing; add the pack's own name, such as `ref: slack`"),
    )


def test_every_schema_is_named_by_the_packs_of_this_repository() -> None:
    root = Path(__file__).parents[3]
    named = set()
    for file in [*root.glob("packs*/*/*.yaml"), *root.glob("packs*/*/*/*.yaml")]:
        first = file.read_text().splitlines()[0]
        assert first.startswith(HEADER), file
        schema = (file.parent / first.removeprefix(HEADER)).resolve()
        assert schema.is_file(), file
        named.add(schema)
    assert named == {schema_file(kind) for kind in ("pack", "action", "sensor", "trigger")}
    assert named | {schema_file("rule"), schema_file("workflow")} == set(SCHEMAS.iterdir())


def test_a_program_for_another_machine_or_c_library_is_told(
    tmp_path: Path, put: Callable[..., Path]
) -> None:
    put("a/pack.yaml", "ref: a\n")
    put("a/sensors/s.yaml", "ref: a.s\nentry_point: made\n")
    program = put("a/sensors/made", b"\x7fELF and more", 0o755)
    told = {program: "made needs GLIBC 2.99, debian has glibc 2.36"}
    checker = Checker(tmp_path, "packs", ["made"], fits=lambda path: told.get(path, ""))
    (found,) = checker.check()
    assert [(p.path, p.message) for p in found.problems] == [("sensors/made", told[program])]
    told.clear()
    assert checker.check()[0].problems == ()
    program.chmod(0o644)
    assert [p.message for p in checker.check()[0].problems] == ["the run bit is missing"]
