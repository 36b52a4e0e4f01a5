"""Rows of the table: what happens to packs; columns: by what they reach their readers."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from attune_dev.bench.model import Case, Limit, Ratio, Suite
from attune_dev.bench.packs.repository import MANY, Lookers, Repository
from attune_dev.bench.sample.loop import Dev
from attune_dev.bench.sample.stack import eventually
from attune_dev.docker import process
from attune_dev.errors import AttuneDevError
from attune_dev.model.packs import PacksFolder
from attune_dev.packs.helper import HelperSession
from attune_dev.packs.sync import sync_packs

OURS, COPY, WATCH = "attune_dev", "copy-everything one-shot", "docker compose watch"
TAR = "tar through a pipe"
WAYS = (OURS, COPY, WATCH, TAR)
FOLDER = PacksFolder("packs", "packs_data", "fill")

YAML = "a YAML saved, until 4 services read it"
NOTHING = "nothing to do, while watching"
COMMAND = "nothing to do, from the command line"
RESTART = "a YAML saved, until 4 services restarted and answer (inv dev)"
BIG_FIRST = "10,000 files, 500 MB: first sync"
BIG_NOTHING = "10,000 files: nothing to do, from the command line"
BIG_ONE = "10,000 files: one changed, until it is read"
MEMORY = "10,000 files: memory of the first sync"

_MEASURED = """
import atexit, pathlib, resource, sys
place = pathlib.Path(sys.argv.pop(1))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
atexit.register(lambda: place.write_text(str(peak())))
from attune_dev.cli.main import main
main()
"""


class Bench:
    """The repositories, each made when a case first needs it.

    Args:
        root: the repository that tells the base image.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stack = ExitStack()
        self._folder = Path()
        self._made: dict[str, Repository] = {}
        self._lookers: dict[str, Lookers] = {}
        self._sessions: dict[str, HelperSession] = {}
        self._numbers = iter(range(1_000_000))

    @contextmanager
    def around(self) -> Iterator[None]:
        """The folder of the repositories; what was made is removed at the end."""
        with ExitStack() as stack:
            self._stack = stack
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attune-")))
            yield

    def yaml(self, way: str) -> float:
        """One file of a small pack, until every reader has it."""
        return self._saved(self._repository(f"small {way}", watched=way == WATCH), way, "core")

    def nothing(self, way: str) -> float:
        """The same again, without a change."""
        repository = self._repository(f"small {way}")
        return _seconds(partial(self._bring, repository, way))

    def command(self, name: str) -> float:
        """`inv packs.sync` where all is as it should be."""
        repository = self._repository(name)
        repository.stack.inv("packs.sync")
        return _seconds(lambda: repository.stack.inv("packs.sync"))

    def restart(self, _: str) -> float:
        """From the save to the end of the restart, health included."""
        repository = self._repository("loop", start=False)
        if "loop" not in self._lookers:
            dev = Dev(repository.stack)
            self._stack.callback(dev.stop)
            dev.wait_idle()
            self._dev = dev
            self._lookers["loop"] = self._stack.enter_context(repository.looking())
        saved = time.time()
        repository.write("core/pack.yaml", f"ref: core\nlabel: L{next(self._numbers)}\n")
        events = self._dev.wait_idle(60)
        if not events[-1]["ok"]:
            raise AttuneDevError("the loop failed", why=json.dumps(events[-1]))
        return max(float(e["t"]) for e in events if e["event"] == "end") - saved

    def big_first(self, way: str) -> float:
        """All of it into an empty volume."""
        repository = self._repository("big", start=False)
        volume = f"{repository.stack.project}-{next(self._numbers)}"
        self._stack.callback(_remove_volume, repository, volume)
        mount = f"type=volume,source={volume},target=/volume"
        if way == OURS:
            session = HelperSession(volume, image=repository.image)
            with session:
                session.start()
                return _seconds(lambda: self._sync(repository, volume, session))
        run = ("docker", "run", "--rm", "--network", "none", "--mount", mount)
        if way == COPY:
            copy = ("--volume", f"{repository.packs}:/source:ro", repository.image)
            return _seconds(lambda: process.run([*run, *copy, "cp", "-a", "/source/.", "/volume/"]))
        words = " ".join([*run, "--interactive", repository.image, "tar -x -C /volume"])
        script = f"tar -c -C {repository.packs} . | {words}"
        return _seconds(lambda: process.run(["sh", "-c", script]))

    def big_one(self, way: str) -> float:
        """One file of many."""
        repository = self._repository(f"big {way}", readers=1, watched=way == WATCH)
        taken = self._saved(repository, way, "big")
        time.sleep(1.0)  # what it does after its readers have it is no part of the next figure
        return taken

    def memory(self, _: str) -> float:
        """Peak of the whole process, in MiB."""
        repository = self._repository("big memory", start=False)
        place = self._folder / "peak"
        code = [sys.executable, "-c", _MEASURED, str(place), "packs.sync"]
        process.run(code, cwd=repository.stack.root, env=repository.stack.environ)
        return int(place.read_text()) / 1024

    def _saved(self, repository: Repository, way: str, pack: str) -> float:
        text = f"ref: {pack} # {next(self._numbers)}-{time.time_ns()}"
        path = f"{pack}/pack.yaml"

        def act() -> None:
            (repository.packs / path).write_text(text)
            self._bring(repository, way)

        project = repository.stack.project
        if not self._lookers[project].alive:  # a restart of the readers ended them
            self._lookers[project] = self._stack.enter_context(repository.looking())
        return self._lookers[project].until(path, text, act)

    def _bring(self, repository: Repository, way: str) -> None:
        if way == COPY:
            repository.compose("run", "--rm", "fill")
        elif way == OURS:
            name = repository.volume
            if name not in self._sessions:
                session = HelperSession(name, image=repository.image)
                self._sessions[name] = self._stack.enter_context(session)
            self._sync(repository, name, self._sessions[name])

    def _sync(self, repository: Repository, volume: str, session: HelperSession) -> None:
        report = sync_packs(
            repository.stack.root, FOLDER, volume, image=repository.image, session=session
        )
        if problem := report.failure():
            raise problem

    def _repository(
        self, name: str, *, readers: int = 4, watched: bool = False, start: bool = True
    ) -> Repository:
        if name in self._made:
            return self._made[name]
        slug = name.replace(" ", "-")
        folder = self._folder / slug
        folder.mkdir()
        project = f"bench-{slug}-{self._folder.name[-6:]}".lower().replace("_", "x")
        names = [f"reader-{number + 1}" for number in range(readers)]
        repository = Repository(folder, project, self._root, readers=names, watched=watched)
        if name.startswith("big"):
            repository.fill_big()
        self._made[name] = repository
        self._stack.callback(_remove, repository)
        if not start:
            return repository
        if not watched:
            self._bring(repository, COPY if COPY in name else OURS)
        repository.start()
        if watched:
            self._watch(repository)
        self._lookers[project] = self._stack.enter_context(repository.looking())
        return repository

    def _watch(self, repository: Repository) -> None:
        lines: list[str] = []
        watch = process.Running(
            ["docker", "compose", "watch", "--no-up", *repository.readers],
            lines.append,
            cwd=repository.stack.root,
            env=repository.stack.environ,
        )
        self._stack.callback(watch.cancel)
        eventually(lambda: any("Watch enabled" in line for line in lines), 60)


def _remove(repository: Repository) -> None:
    with suppress(AttuneDevError):
        repository.remove()


def _remove_volume(repository: Repository, volume: str) -> None:
    with suppress(AttuneDevError):
        repository.stack.docker("volume", "rm", "--force", volume)


def _seconds(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def suite(root: Path) -> Suite:
    """The table.

    Args:
        root: repository root.
    """
    bench = Bench(root)
    no_volume = "it cannot write to a volume that several services share"
    always = "it copies everything each time"
    cases = [
        *(Case(YAML, way, partial(bench.yaml, way), repeats=5) for way in (OURS, COPY, WATCH)),
        *(Case(NOTHING, way, partial(bench.nothing, way), repeats=5) for way in (OURS, COPY)),
        Case(COMMAND, OURS, partial(bench.command, "command"), repeats=5),
        Case(RESTART, OURS, partial(bench.restart, OURS), repeats=5),
        *(Case(BIG_FIRST, way, partial(bench.big_first, way)) for way in (OURS, COPY, TAR)),
        *(Case(BIG_ONE, way, partial(bench.big_one, way)) for way in (OURS, COPY, WATCH)),
        Case(BIG_NOTHING, OURS, partial(bench.command, f"big {OURS}"), repeats=5),
        Case(MEMORY, OURS, partial(bench.memory, OURS), unit="MiB", repeats=1),
    ]
    measured = {case.cell for case in cases}
    reasons = {COPY: always, WATCH: no_volume, TAR: "it compares nothing"}
    for row in dict.fromkeys(case.row for case in tuple(cases)):
        cases += [
            Case(row, way, cannot=reasons[way])
            for way in (COPY, WATCH, TAR)
            if (row, way) not in measured
        ]
    return Suite(
        "packs",
        "Packs: a change, until those who read it have it",
        tuple(cases),
        (
            Limit("one YAML is readable", (YAML, OURS), 0.3),
            Limit("nothing to do while watching", (NOTHING, OURS), 0.3),
            Limit("nothing to do from the command line", (COMMAND, OURS), 1.0),
            Limit("restarted services answer", (RESTART, OURS), 1.5),
            Limit(f"nothing to do with {MANY:,} files", (BIG_NOTHING, OURS), 1.0),
            Limit(f"one change with {MANY:,} files", (BIG_ONE, OURS), 1.2),
            Limit("memory", (MEMORY, OURS), 100.0, "MiB"),
            Ratio("a first sync is near tar's speed", (BIG_FIRST, TAR), (BIG_FIRST, OURS), 0.5),
            Ratio("one YAML against a one-shot", (YAML, COPY), (YAML, OURS), 2.0),
            Ratio("one YAML against Compose's watch", (YAML, WATCH), (YAML, OURS), 2.0),
            Ratio("one change against a one-shot", (BIG_ONE, COPY), (BIG_ONE, OURS), 2.0),
        ),
        bench.around,
        (
            "Docker Compose's watch waits for half a second without changes; attune_dev's own wait "
            "(0.15 s) is in the row of `inv dev` and not in the others.",
            "Compose's watch copies into each container by itself: gone when it is recreated.",
        ),
    )
