"""What an edit of a manifest concerns."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from attune_dev.planning.manifest_diff import ManifestChange, manifest_change

BASE = """
[package]
name = "app"
version = "0.1.0"
edition = "2021"
description = "first"
keywords = ["one"]
publish = false

[package.metadata.deb]
depends = "x"

[features]
extra = []

[dependencies]
serde = "1"
fork = { version = "1", package = "original" }

[build-dependencies]
codegen = "1"

[dev-dependencies]
proptest = "1"

[target.'cfg(unix)'.dependencies]
libc = "0.2"

[target.'cfg(unix)'.dev-dependencies]
rustix = "1"

[lints.rust]
unused = "warn"

[[bin]]
name = "app"
path = "src/main.rs"

[[test]]
name = "it"

[[bench]]
name = "speed"

[[example]]
name = "demo"

[badges]
maintenance = { status = "none" }

[workspace]
members = ["a"]
exclude = ["b"]
default-members = ["a"]
resolver = "2"

[workspace.package]
version = "0.1.0"
keywords = ["one"]

[workspace.dependencies]
tokio = "1"
axum = "0.8"

[workspace.lints.clippy]
all = "warn"

[workspace.metadata.release]
tag = false

[profile.release]
lto = "thin"

[patch.crates-io]
mio = { path = "mio" }
renamed = { path = "r", package = "real" }

[replace]
"log:0.4.1" = { path = "log" }
"""

ITSELF = ManifestChange(package_itself=True)
ALL = ManifestChange(affects_all=True)
NOTHING = ManifestChange()


def depends(*names: str) -> ManifestChange:
    return ManifestChange(package_itself=True, dependencies=frozenset(names))


def inherits(*keys: str) -> ManifestChange:
    return ManifestChange(inherited_dependencies=frozenset(keys))


def inherits_package(*keys: str) -> ManifestChange:
    return ManifestChange(inherited_package_keys=frozenset(keys))


def patches(*names: str) -> ManifestChange:
    return ManifestChange(patched=frozenset(names))


def change(old: str, new: str, *, resolver: str = "2", script: bool = False) -> ManifestChange:
    assert old in BASE
    return manifest_change(
        tomllib.loads(BASE),
        tomllib.loads(BASE.replace(old, new, 1)),
        resolver=resolver,
        has_build_script=script,
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[package]", "# a comment\n[package]", NOTHING),
        ('description = "first"', 'description = "second"', ITSELF),
        ('edition = "2021"', 'edition = "2024"', ITSELF),
        ('version = "0.1.0"', 'version = "0.2.0"', ITSELF),
        ('name = "app"', 'name = "ap"', ITSELF),
        ("publish = false", 'publish = false\nbuild = "b.rs"', ITSELF),
        ("publish = false", "unheard-of = 1", ITSELF),
        ("publish = false", 'resolver = "1"', replace(ITSELF, affects_all=True)),
        ("publish = false", "publish = true", NOTHING),
        ('keywords = ["one"]', 'keywords = ["two"]', NOTHING),
        ("publish = false", 'publish = false\ndefault-run = "app"', NOTHING),
        ("publish = false", "publish = false\nautotests = false", NOTHING),
        ("publish = false", "publish = false\nautobins = false", ITSELF),
        ('depends = "x"', 'depends = "y"', NOTHING),
        ("extra = []", 'extra = ["serde"]', ITSELF),
        ('serde = "1"', 'serde = { version = "1", features = ["rc"] }', depends("serde")),
        ('serde = "1"', "", depends("serde")),
        ('serde = "1"', 'serde = "1"\nnew = "1"', depends("new")),
        ('"original"', '"another"', depends("original", "another")),
        ('codegen = "1"', 'codegen = "2"', depends("codegen")),
        ('libc = "0.2"', 'libc = "0.3"', depends("libc")),
        ("'cfg(unix)'.dependencies", "'cfg(windows)'.dependencies", depends("libc")),
        ('proptest = "1"', 'proptest = "2"', NOTHING),
        ('rustix = "1"', 'rustix = "2"', NOTHING),
        ('unused = "warn"', 'unused = "deny"', ITSELF),
        ("[[bin]]", "[[bin]]\ntest = false", ITSELF),
        ("[[bin]]", "[lib]\ndoctest = false\n[[bin]]", ITSELF),
        ('name = "it"', 'name = "its"', NOTHING),
        ('name = "speed"', 'name = "fast"', NOTHING),
        ('name = "demo"', 'name = "demos"', NOTHING),
        ('status = "none"', 'status = "deprecated"', NOTHING),
        ('members = ["a"]', 'members = ["a", "c"]', ManifestChange(membership=True)),
        ('exclude = ["b"]', "", ManifestChange(membership=True)),
        ('default-members = ["a"]', "", ManifestChange(membership=True)),
        ("publish = false", 'workspace = ".."', replace(ITSELF, membership=True)),
        ('resolver = "2"', 'resolver = "3"', ALL),
        ('tokio = "1"', 'tokio = { version = "1", features = ["full"] }', inherits("tokio")),
        ('tokio = "1"\naxum = "0.8"', 'hyper = "1"', inherits("tokio", "axum", "hyper")),
        ('version = "0.1.0"\nkeywords', 'version = "0.2.0"\nkeywords', inherits_package("version")),
        ('version = "0.1.0"\nkeywords = ["one"]', 'version = "0.1.0"', NOTHING),
        ('all = "warn"', 'all = "deny"', inherits_package("lints")),
        ("tag = false", "tag = true", NOTHING),
        ('lto = "thin"', 'lto = "fat"', ALL),
        ("[profile.release]", "[profile.dev]", ALL),
        ('mio = { path = "mio" }', 'mio = { path = "m" }', patches("mio")),
        ('package = "real"', 'package = "other"', patches("real", "other")),
        ('"log:0.4.1"', '"log:0.4.2"', patches("log")),
        ('"log:0.4.1" = { path = "log" }', "", patches("log")),
        ("[badges]", "[unheard-of]\nx = 1\n[badges]", ALL),
        ("[badges]", "[target.x]\nunheard-of = 1\n[badges]", ALL),
        ("[package]", 'cargo-features = ["x"]\n[package]', ALL),
    ],
)
def test_an_edit_concerns(old: str, new: str, expected: ManifestChange) -> None:
    found = change(old, new)
    assert found == expected
    assert found.nothing == (expected == NOTHING)


def test_dev_dependencies_count_where_their_features_leak() -> None:
    assert change('proptest = "1"', 'proptest = "2"', resolver="1") == depends("proptest")
    assert change('rustix = "1"', 'rustix = "2"', resolver="1") == depends("rustix")
    assert change('proptest = "1"', 'proptest = "2"', resolver="3") == NOTHING


def test_metadata_counts_where_a_build_script_may_read_it() -> None:
    assert change('depends = "x"', 'depends = "y"', script=True) == ITSELF


def test_a_manifest_that_came_or_went_changes_the_membership() -> None:
    package = tomllib.loads('[package]\nname = "a"')
    workspace = tomllib.loads("[workspace]")
    alone = ManifestChange(membership=True, package_itself=True)
    everything = ManifestChange(affects_all=True, membership=True, package_itself=True)
    assert manifest_change(None, package) == manifest_change(package, None) == alone
    assert manifest_change(None, workspace) == manifest_change(workspace, None) == everything
    assert manifest_change(None, None) == everything


def test_a_workspace_that_came_or_went_changes_the_membership() -> None:
    package = {"package": {"name": "a"}}
    assert manifest_change(package, {**package, "workspace": {}}).membership
    assert manifest_change({**package, "workspace": {}}, package).membership


def test_what_is_no_table_is_no_reason_to_fail() -> None:
    broken = {"package": 3, "workspace": [], "target": {"x": 1}, "patch": {"y": 2}, "replace": []}
    assert manifest_change(broken, broken).nothing
    assert not manifest_change(broken, {}).nothing
