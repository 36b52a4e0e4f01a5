"""A change of the lock file concerns those who reach a changed version, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune_dev.model.cargo import (
    CargoWorkspace,
    DependencyKind,
    LockedPackage,
    Package,
    PathDependency,
)
from attune_dev.planning.lock_diff import affected_packages, lock_changes, packages_reaching

NORMAL, BUILD, DEV = DependencyKind.NORMAL, DependencyKind.BUILD, DependencyKind.DEV
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def member(
    name: str, *needs: tuple[str, DependencyKind], local: tuple[str, ...] = (), version: str = "1"
) -> Package:
    return Package(
        name=name,
        version=version,
        root=f"crates/{name}",
        workspace="",
        path_dependencies=tuple(PathDependency(f"crates/{to}", to, NORMAL) for to in local),
        registry_dependencies=needs,
    )


def workspace(*packages: Package) -> CargoWorkspace:
    return CargoWorkspace("", {package.root: package for package in packages})


def local(name: str, *needs: tuple[str, str], version: str = "1") -> LockedPackage:
    return LockedPackage(name, version, dependencies=needs)


def foreign(name: str, version: str, *needs: tuple[str, str], checksum: str = "") -> LockedPackage:
    return LockedPackage(name, version, REGISTRY, checksum or f"{name}-{version}", needs)


# api -> common -> serde -> serde-core; worker -> tokio -> mio; tools: proptest in tests only,
# codegen in its build script.
WORKSPACE = workspace(
    member("api", ("axum", NORMAL), local=("common",)),
    member("common", ("serde", NORMAL)),
    member("worker", ("tokio", NORMAL)),
    member("tools", ("proptest", DEV), ("codegen", BUILD)),
)
LOCK = (
    local("api", ("axum", "0.8"), ("common", "1")),
    local("common", ("serde", "1.0")),
    local("tools", ("proptest", "1.0"), ("codegen", "1.0")),
    local("worker", ("tokio", "1.0")),
    foreign("axum", "0.8", ("serde", "1.0")),
    foreign("codegen", "1.0"),
    foreign("mio", "1.0"),
    foreign("proptest", "1.0"),
    foreign("serde", "1.0", ("serde-core", "1.0")),
    foreign("serde-core", "1.0"),
    foreign("tokio", "1.0", ("mio", "1.0")),
    foreign("unused", "1.0"),
)


def bumped(name: str, old: str, new: str) -> tuple[LockedPackage, ...]:
    """The lock file after an update of one package."""

    def moved(locked: LockedPackage) -> LockedPackage:
        needs = tuple(
            (to, new if (to, version) == (name, old) else version)
            for to, version in locked.dependencies
        )
        if (locked.name, locked.version) == (name, old):
            checksum = locked.checksum and f"{name}-{new}"
            locked = replace(locked, version=new, checksum=checksum)
        return replace(locked, dependencies=needs)

    return tuple(moved(locked) for locked in LOCK)


def without(lock: tuple[LockedPackage, ...], *names: str) -> tuple[LockedPackage, ...]:
    return tuple(locked for locked in lock if locked.name not in names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mio", {"worker"}),
        ("tokio", {"worker"}),
        ("serde-core", {"api", "common"}),
        ("serde", {"api", "common"}),
        ("axum", {"api"}),
        ("codegen", {"tools"}),
        ("proptest", set()),
        ("unused", set()),
    ],
)
def test_an_update_concerns_those_who_reach_it(name: str, expected: set[str]) -> None:
    old = "0.8" if name == "axum" else "1.0"
    affected = affected_packages(WORKSPACE, LOCK, bumped(name, old, "9.9"))
    assert affected == {f"crates/{each}" for each in expected}


def test_a_bump_of_a_member_concerns_it_and_its_dependants() -> None:
    members = dict(WORKSPACE.packages)
    members["crates/common"] = replace(members["crates/common"], version="2")
    after = CargoWorkspace("", members)
    affected = affected_packages(after, LOCK, bumped("common", "1", "2"))
    assert affected == {"crates/api", "crates/common"}


def test_of_two_local_packages_of_one_name_the_version_tells_the_member() -> None:
    members = workspace(member("app", ("x", NORMAL), version="2"))
    lock = (local("app", ("x", "1"), version="2"), local("app", ("y", "1")), foreign("x", "1"))
    old, new = (*lock, foreign("y", "1")), (*lock, foreign("y", "1", checksum="other"))
    assert affected_packages(members, old, new) == frozenset()


def test_a_member_is_known_by_name_while_its_version_is_ahead_of_the_lock_file() -> None:
    members = workspace(member("app", ("x", NORMAL), version="3"), member("rest"))
    lock = (local("app", ("x", "1"), version="2"), local("rest"))
    old, new = (*lock, foreign("x", "1")), (*lock, foreign("x", "1", checksum="other"))
    assert affected_packages(members, old, new) == {"crates/app"}
    unread = (*lock, foreign("x", "1"), foreign("unused", "1"))
    assert affected_packages(members, old, unread) == frozenset()


def test_another_checksum_or_source_of_the_same_version_counts() -> None:
    mio = next(locked for locked in LOCK if locked.name == "mio")
    git = "git+https://example.org/mio#1"
    for other in (replace(mio, checksum="other"), replace(mio, source=git)):
        new = tuple(other if locked is mio else locked for locked in LOCK)
        assert affected_packages(WORKSPACE, LOCK, new) == {"crates/worker"}


def test_another_edge_between_the_same_packages_counts() -> None:
    new = tuple(
        replace(locked, dependencies=()) if locked.name == "axum" else locked for locked in LOCK
    )
    assert affected_packages(WORKSPACE, LOCK, new) == {"crates/api"}


def test_the_same_resolution_concerns_nobody() -> None:
    assert affected_packages(WORKSPACE, LOCK, tuple(reversed(LOCK))) == frozenset()
    assert lock_changes(LOCK, tuple(reversed(LOCK))) == frozenset()


def test_without_an_earlier_or_later_lock_file_all_are_concerned() -> None:
    assert affected_packages(WORKSPACE, (), LOCK) == set(WORKSPACE.packages)
    assert affected_packages(WORKSPACE, LOCK, ()) == set(WORKSPACE.packages)


def test_a_package_that_no_resolution_knows_is_concerned_by_any_change() -> None:
    after = CargoWorkspace("", {**WORKSPACE.packages, "crates/new": member("new")})
    assert affected_packages(after, LOCK, LOCK) == frozenset()
    assert "crates/new" in affected_packages(after, LOCK, bumped("unused", "1.0", "2.0"))


def test_a_dependency_named_for_tests_and_for_the_code_counts() -> None:
    tools = member("tools", ("proptest", DEV), ("proptest", NORMAL))
    after = CargoWorkspace("", {**WORKSPACE.packages, "crates/tools": tools})
    assert affected_packages(after, LOCK, bumped("proptest", "1.0", "1.1")) == {"crates/tools"}


def test_dropping_a_dev_dependency_concerns_nobody_if_the_old_manifests_are_known() -> None:
    tools = replace(WORKSPACE.packages["crates/tools"], registry_dependencies=(("codegen", BUILD),))
    after = CargoWorkspace("", {**WORKSPACE.packages, "crates/tools": tools})
    new = without(
        tuple(
            replace(locked, dependencies=(("codegen", "1.0"),))
            if locked.name == "tools"
            else locked
            for locked in LOCK
        ),
        "proptest",
    )
    assert affected_packages(after, LOCK, new, old_workspace=WORKSPACE) == frozenset()
    assert affected_packages(after, LOCK, new) == {"crates/tools"}


def test_a_dev_dependency_of_a_package_from_elsewhere_is_not_guessed_at() -> None:
    beside = local("beside", ("proptest", "1.0"))
    after = workspace(
        replace(member("api"), path_dependencies=(PathDependency("x", "beside", NORMAL),))
    )
    lock = (local("api", ("beside", "1")), beside, foreign("proptest", "1.0"))
    new = (local("api", ("beside", "1")), beside, foreign("proptest", "1.0", checksum="x"))
    assert affected_packages(after, lock, new) == {"crates/api"}


def test_of_two_versions_only_the_changed_one_counts() -> None:
    members = workspace(member("old", ("rand", NORMAL)), member("new", ("rand", NORMAL)))
    lock = (
        local("old", ("rand", "0.7")),
        local("new", ("rand", "0.8")),
        foreign("rand", "0.7"),
        foreign("rand", "0.8"),
    )
    after = (*lock[:3], foreign("rand", "0.8", checksum="x"))
    assert affected_packages(members, lock, after) == {"crates/new"}


def test_what_changed_is_told_by_name_and_version() -> None:
    assert lock_changes(LOCK, bumped("mio", "1.0", "1.1")) == {
        ("mio", "1.0"),
        ("mio", "1.1"),
        ("tokio", "1.0"),
    }


def test_packages_are_found_by_what_they_reach() -> None:
    locked = replace(WORKSPACE, lock=LOCK)
    assert packages_reaching(locked, ["serde-core"]) == {"crates/api", "crates/common"}
    assert packages_reaching(locked, ["proptest"]) == frozenset()
    assert packages_reaching(WORKSPACE, ["tokio"]) == {"crates/worker"}
    assert packages_reaching(WORKSPACE, ["codegen"]) == {"crates/tools"}
    assert packages_reaching(locked, []) == frozenset()


NAMES = ["api", "common", "worker", "tools", "w", "x", "y", "z"]


def a_lock(seed: int) -> tuple[LockedPackage, ...]:
    """Some resolution without cycles: four members over four packages in up to two versions."""
    some = Random(seed)
    found = []
    for number, name in enumerate(NAMES):
        later = [(to, at) for to in NAMES[number + 1 :] for at in "12"]
        for version in ["1"] if number < 4 else some.sample("12", some.randint(0, 2)):
            needs = sorted(some.sample(later, min(len(later), some.randint(0, 3))))
            source = "" if number < 4 else REGISTRY
            found.append(LockedPackage(name, version, source, "", tuple(needs)))
    return tuple(found)


def edited(lock: tuple[LockedPackage, ...], seed: int) -> tuple[LockedPackage, ...]:
    """Another resolution, most of it the same."""
    other = {(found.name, found.version): found for found in a_lock(seed)}
    return tuple(
        other.get((found.name, found.version), found) if number % 4 == seed % 4 else found
        for number, found in enumerate(lock)
    )


MEMBERS = workspace(*(member(name) for name in NAMES[:4]))


def reach(lock: tuple[LockedPackage, ...], name: str) -> set[LockedPackage]:
    seen: set[LockedPackage] = set()
    todo = [locked for locked in lock if locked.name == name]
    while todo:
        locked = todo.pop()
        if locked not in seen:
            seen.add(locked)
            todo += [to for to in lock if (to.name, to.version) in locked.dependencies]
    return seen


SEEDS = st.integers(0, 1_000_000)


@given(SEEDS, SEEDS, st.booleans())
def test_a_package_is_concerned_just_if_what_it_reaches_differs(
    first: int, second: int, nearly_the_same: bool
) -> None:
    old = a_lock(first)
    new = edited(old, second) if nearly_the_same else a_lock(second)
    expected = {f"crates/{name}" for name in NAMES[:4] if reach(old, name) != reach(new, name)}
    assert affected_packages(MEMBERS, old, new) == expected
    assert affected_packages(MEMBERS, new, old) == expected
