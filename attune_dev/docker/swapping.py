"""Other programs in containers that are there: put in, told, taken back, and kept in an image.

What was exchanged is written down in the container itself, so that the note lives and dies with
what it is about, whoever replaces the container. The programs that were there before stay beside
the new ones, for going back.
"""

from __future__ import annotations

import json
import posixpath
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from attune_dev.docker import buildx, process
from attune_dev.docker.bake import known_service
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.engine import QUERY_SECONDS, Engine
from attune_dev.docker.failures import explain
from attune_dev.docker.port import FileFacts, Lodging, SwapPlace
from attune_dev.docker.process import run
from attune_dev.docker.questions import NoAnswer
from attune_dev.docker.tar import TarWriter, first_entry, first_file
from attune_dev.errors import ActionError
from attune_dev.model.swap import SwapNote

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Mapping, Sequence

    from attune_dev.docker.containers import ContainerState
    from attune_dev.model.compose import ComposeProject

NOTE = "/.attune-dev-swap.json"
SWAP_LABEL = "dev.attune-dev.swap"
_BEFORE = ".attune-dev-before"
_NEW = ".attune-dev-new"
_HEADER = 512
STOP_SECONDS = 600.0
"""A container's own grace period ends a stop; it may be long."""


class Swapping(Engine):
    """Exchanges programs in the containers of one project."""

    def __init__(self, project: ComposeProject, environ: Mapping[str, str] | None = None) -> None:
        """Talks to nothing yet; as :class:`Engine`."""
        super().__init__(project, environ)
        self._known_facts: dict[tuple[str, str], FileFacts] = {}

    def swapped(self) -> dict[str, SwapNote]:
        """See :class:`DockerPort`."""
        containers = self.containers()
        if not containers:
            return {}
        with ThreadPoolExecutor(max_workers=8) as pool:
            notes = pool.map(self._note, containers)
            pairs = zip(containers, notes, strict=True)
            return {container.service: note for container, note in pairs if note is not None}

    def swap_places(self, paths: Mapping[str, Sequence[str]]) -> dict[str, SwapPlace]:
        """See :class:`DockerPort`; the engine is asked once for the containers of all."""
        containers = self.containers()
        with ThreadPoolExecutor(max_workers=8) as pool:
            looked = {
                service: pool.submit(self._place, service, wanted, containers)
                for service, wanted in paths.items()
            }
            return {service: place.result() for service, place in looked.items()}

    def _place(
        self, service: str, paths: Sequence[str], containers: Sequence[ContainerState]
    ) -> SwapPlace:
        lodgings = []
        name = known_service(self.project, service).name
        for container in containers:
            if container.service != name:
                continue
            why = unfit(container, paths)
            files = {} if why else self._facts(container, paths)
            if not why and (missing := [path for path in paths if path not in files]):
                why = f"{missing[0]} is no plain file in its container"
            if why:
                return SwapPlace(service, why=why)
            lodgings.append(Lodging(container, files, self._note(container)))
        return SwapPlace(service, tuple(lodgings), "" if lodgings else "it has no container")

    def _facts(self, container: ContainerState, paths: Sequence[str]) -> dict[str, FileFacts]:
        """Whose the programs are; asked once per container, for an exchange keeps it."""
        found = {}
        for path in paths:
            key = (container.id, path)
            if key not in self._known_facts:
                entry = self._entry(container, path)
                if entry is None or not entry.isreg():
                    continue
                self._known_facts[key] = FileFacts(entry.uid, entry.gid, entry.mode)
            found[path] = self._known_facts[key]
        return found

    def swap(self, place: SwapPlace, programs: Mapping[str, bytes], note: SwapNote) -> None:
        """See :class:`DockerPort`."""
        for lodging in place.lodgings:
            tar = TarWriter()
            for path, content in sorted(programs.items()):
                facts = lodging.files[path]
                # beside the old one first, then in its place: one that runs cannot be written
                tar.link(path + _BEFORE, path)
                tar.file(path + _NEW, content, mode=facts.mode, uid=facts.uid, gid=facts.gid)
                tar.link(path, path + _NEW)
            tar.file(NOTE, render_note(note, lodging.note))
            self._restart_with(lodging.container, tar.bytes())

    def swap_back(self, service: str) -> SwapNote | None:
        """See :class:`DockerPort`."""
        found: SwapNote | None = None
        for container in self._of(service):
            text = self._read(container, NOTE)
            note = parse_note(text) if text is not None else None
            if text is None or note is None:
                continue
            tar = TarWriter()
            for path in sorted(note.files):
                tar.link(path + _NEW, path)
                tar.link(path, path + _BEFORE)
                tar.link(path + _BEFORE, path + _NEW)
            found = parse_before(text) or SwapNote(0.0, "", dict.fromkeys(note.files, ""), "")
            tar.file(NOTE, render_note(found, note))
            self._restart_with(container, tar.bytes())
        return found

    def keep_swapped(self, service: str) -> bool:
        """See :class:`DockerPort`."""
        for container in self._of(service):
            note = self._note(container)
            if note is None:
                continue
            name = self.image_name(service)
            tar = TarWriter()
            lines = [f"FROM {name}"]
            for number, path in enumerate(sorted(note.files)):
                entry, data = self._entry(container, path), self._archive(container, path)
                content = first_file(data) if data is not None else None
                if entry is None or content is None:
                    raise ActionError(f"{path} of {service} cannot be read", hint="./inv up")
                owner = f"--chown={entry.uid}:{entry.gid}"
                tar.file(f"program{number}", content, mode=entry.mode)
                lines.append(f"COPY {owner} {json.dumps([f'program{number}', path])}")
            lines.append(f"LABEL {SWAP_LABEL}={json.dumps(note.sources)}")
            tar.file("Dockerfile", "\n".join(lines).encode())
            self._bake_in(service, name, tar.bytes())
            return True
        return False

    def _bake_in(self, service: str, name: str, context: bytes) -> None:
        buildx.build(
            ["build", "--load", "--tag", name],
            (service,),
            root=None,
            env=self._env,
            on_event=buildx.nothing,
            cancel=Cancel(),
            operands=("-",),
            input=context,
        )

    # --- one container

    def _of(self, service: str) -> list[ContainerState]:
        name = known_service(self.project, service).name
        return [container for container in self.containers() if container.service == name]

    def _restart_with(self, container: ContainerState, archive: bytes) -> None:
        """Stops the container while files are copied into it, and starts it again in any case."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            copied = pool.submit(self._copy_in, container, archive)
            # whether it ran when it was looked at or not: others may have started it since
            self._docker("stop", ["stop", container.id], seconds=STOP_SECONDS)
        problem = copied.exception()
        self._docker("start", ["start", container.id])
        if problem is not None:
            raise problem

    def _copy_in(self, container: ContainerState, archive: bytes) -> None:
        done = run(
            ["docker", "cp", "-", f"{container.id}:/"],
            env=self._env,
            input=archive,
            timeout=QUERY_SECONDS,
            check=False,
        )
        if not done.ok:
            raise explain(done, f"copying into {container.name}")

    def _note(self, container: ContainerState) -> SwapNote | None:
        text = self._read(container, NOTE)
        return parse_note(text) if text is not None else None

    def _read(self, container: ContainerState, path: str) -> bytes | None:
        data = self._archive(container, path)
        return first_file(data) if data is not None else None

    def _archive(self, container: ContainerState, path: str) -> bytes | None:
        """A file of a container as an archive, ``None`` where it is not there."""
        try:
            return self._questions.file(container.id, path)
        except (NoAnswer, TimeoutError):
            pass  # the client may know another way
        child = process.pipe(["docker", "cp", f"{container.id}:{path}", "-"], env=self._env)
        data, _ = child.communicate()
        return data if child.returncode == 0 else None

    def _entry(self, container: ContainerState, path: str) -> tarfile.TarInfo | None:
        """Owner, mode and kind of a file of a container, without reading all of it."""
        child = process.pipe(["docker", "cp", f"{container.id}:{path}", "-"], env=self._env)
        head = child.stdout.read(_HEADER) if child.stdout is not None else b""
        child.kill()
        child.communicate()
        return first_entry(head) if len(head) == _HEADER else None


def unfit(container: ContainerState, paths: Sequence[str]) -> str:
    """Why a container cannot be given another program, empty where it can."""
    if container.read_only:
        return "its root file system is read-only"
    names = {name for path in paths for name in (path, posixpath.basename(path))}
    words = " ".join(container.argv).replace("=", " ").replace(";", " ").split()
    if any(word in names or posixpath.basename(word) in names for word in words):
        return ""
    return f"its container does not start {' or '.join(sorted(paths))}"


def render_note(note: SwapNote, before: SwapNote | None) -> bytes:
    """A note as it is kept in the container, with what was there before."""
    document = _to_dict(note)
    if before is not None:
        document["before"] = _to_dict(before)
    return json.dumps(document).encode()


def _to_dict(note: SwapNote) -> dict[str, object]:
    return {
        "version": 1,
        "since": note.since,
        "sources": note.sources,
        "files": dict(note.files),
        "profile": note.profile,
    }


def parse_note(text: bytes) -> SwapNote | None:
    """What :func:`render_note` wrote; ``None`` for anything else."""
    try:
        return _from(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def parse_before(text: bytes) -> SwapNote | None:
    """What was there before, ``None`` where that was what the image holds."""
    try:
        return _from(json.loads(text)["before"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _from(document: Mapping[str, object]) -> SwapNote:
    files = document["files"]
    if not isinstance(files, dict):
        raise TypeError
    return SwapNote(
        float(str(document["since"])), str(document["sources"]), files, str(document["profile"])
    )
