"""Why nothing reads a path: the rule, in words. The first that fits explains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attune_dev.planning.globs import relative_to
from attune_dev.planning.pack_roles import PackRole, pack_role
from attune_dev.planning.packages import UNCOMPILED_FOLDERS, Area

if TYPE_CHECKING:
    from attune_dev.planning.readers import Readers

NOTHING_READS_IT = "nothing reads it"


def explain_unread(readers: Readers, path: str, package: str | None) -> str:
    """The rule by which no output reads a path.

    Args:
        readers: of the graph.
        path: relative to the root.
        package: folder of the innermost package that holds it.
    """
    rules: tuple[Callable[[Readers, str, str | None], Iterator[str]], ...] = (
        _part_of_package,
        _in_packs,
        _own_data,
        _beside_the_code,
    )
    for rule in rules:
        for told in rule(readers, path, package):
            return told
    return NOTHING_READS_IT


def hidden_from_context(readers: Readers, path: str, package: str | None) -> str:
    """The rule of a ``.dockerignore`` that hides a path from builds, empty where none does."""
    owners = [entry.owner for entry in readers.copies(path)]
    if package is not None:
        owners += [owner for owner, _ in readers.graph.compiled_by.get(package, ())]
    for owner in owners:
        rule = readers.hidden(owner, path)
        if rule is not None:
            return f"hidden from the context by rule {rule} of {readers.graph.rules[owner].file}"
    return ""


def _part_of_package(readers: Readers, path: str, package: str | None) -> Iterator[str]:
    if package is None:
        return
    graph = readers.graph
    name = graph.packages[package].name
    area = readers.files.area(path, package)
    if area is Area.UNCOMPILED:
        yield f"{UNCOMPILED_FOLDERS[relative_to(path, package).partition('/')[0]]}"
    if area is Area.DOCUMENT and package:
        yield f"a document that package {name} does not include"
    if area in (Area.SOURCE, Area.MANIFEST) or package:
        for service, copied in graph.host_built.get(package, ()):
            yield f"compiled on the host: the image of {service} takes {copied}"
        if package not in graph.compiled_by:
            yield f"no image and no pack takes a binary of package {name}"
        only = readers.files.only_for(path)
        if area is Area.SOURCE and only is not None:
            yield f"no image and no pack takes binary {', '.join(sorted(only))} of package {name}"
    if area is Area.OTHER and package:
        yield f"no build that compiles package {name} copies it"


def _in_packs(readers: Readers, path: str, package: str | None) -> Iterator[str]:
    del package
    for root in (*readers.graph.packs, *readers.graph.workspace.bound_packs):
        if path.startswith(f"{root}/" if root else ""):
            inside = relative_to(path, root).partition("/")[2]
            if not inside:
                yield "is in no pack"
            elif pack_role(inside) is PackRole.DOCUMENT:
                yield "documents and tests of a pack concern no service"
            else:
                yield "no service reads this part of a pack at its start"


def _own_data(readers: Readers, path: str, package: str | None) -> Iterator[str]:
    del package
    services = readers.mounted_into(path)
    if services:
        yield f"data that {', '.join(services)} writes itself"


def _beside_the_code(readers: Readers, path: str, package: str | None) -> Iterator[str]:
    del package
    if any(entry.compile_only for entry in readers.copies(path)):
        yield "nothing reads it: a build sees it, but compiles nothing of it"
