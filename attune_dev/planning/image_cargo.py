"""What the programs called in a ``RUN`` compile, and where they put it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from attune_dev.model.dockerfile import CargoBuild
from attune_dev.planning.shell_words import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attune_dev.planning.shell_run import Call

# Subcommands that leave something to ship.
_COMPILES = frozenset(("build", "b", "rustc", "install", "run", "r", "zigbuild", "xbuild"))
# Programs that call cargo for what their own files say.
_DRIVERS = frozenset(
    (
        "bazel",
        "buck2",
        "cargo-leptos",
        "dx",
        "just",
        "make",
        "maturin",
        "napi",
        "trunk",
        "wasm-pack",
    )
)
# Subcommands that leave nothing to ship; `chef` compiles dependencies alone.
_LEAVES_NOTHING = frozenset(
    (
        *("add", "audit", "bench", "binstall", "c", "check", "chef", "clean", "clippy", "deny"),
        *("doc", "fetch", "fix", "fmt", "generate-lockfile", "help", "info", "init"),
        *("locate-project", "login", "machete", "metadata", "new", "nextest", "owner", "package"),
        *("pkgid", "publish", "remove", "report", "search", "sort", "sqlx", "t", "test", "tree"),
        *("udeps", "uninstall", "update", "vendor", "verify-project", "version", "yank"),
    )
)
_WITH_VALUE = frozenset(
    (
        *("--bench", "--bin", "--color", "--config", "--example", "--exclude", "--features"),
        *("--jobs", "--manifest-path", "--message-format", "--package", "--path", "--profile"),
        *("--root", "--target", "--target-dir", "--test", "--artifact-dir", "--out-dir"),
        *("--git", "--branch", "--tag", "--rev", "--version", "--registry", "--index"),
        *("-C", "-F", "-Z", "-j", "-p"),
    )
)
_COPIES = frozenset(("cp", "mv", "install", "ln", "rsync"))
# Options that change what is compiled, beside selection and profile.
_SHAPING = frozenset(
    (
        *("--all-features", "--config", "--features", "--no-default-features", "--target"),
        *("-F", "-Z"),
    )
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A file or folder that a command puts somewhere.

    Attributes:
        source: absolute path; ``None`` where it is not known.
        target: absolute path of the result; of the folder that holds it where ``inside``.
        inside: whether ``target`` is certainly a folder that the source is put into.
    """

    source: str | None
    target: str
    inside: bool = False


def cargo_build(call: Call, line: int) -> CargoBuild | None:
    """The cargo build that a call is, ``None`` for calls that leave nothing to ship.

    Args:
        call: any program.
        line: of the ``RUN``, told with it.
    """
    program, words = posixpath.basename(call.argv[0]), list(call.argv[1:])
    if program in _DRIVERS:
        note = f"`{program}` may compile anything"
        return CargoBuild(directory=_shown(call.directory), workspace=True, line=line, note=note)
    if program not in ("cargo", "cross", "cargo-zigbuild"):
        return None
    toolchain: tuple[str, ...] = ()
    if words and words[0].startswith("+"):
        toolchain, words = (f"RUSTUP_TOOLCHAIN={words[0][1:]}",), words[1:]
    subcommand, options, plain = _options(words)
    if subcommand == "auditable" and plain:
        subcommand = plain[0]
    if not subcommand or subcommand in _LEAVES_NOTHING:
        return None
    directory = posixpath.normpath(posixpath.join(call.directory, options.get("-C", ["."])[-1]))
    if subcommand not in _COMPILES:
        note = f"`cargo {_shown(subcommand)}` may compile anything"
        return CargoBuild(directory=_shown(directory), workspace=True, line=line, note=note)
    if subcommand == "install" and "--path" not in options:
        return None  # a program from a registry, none of the repository's
    build = _build(subcommand, options, words, directory, line)
    given = (*call.environment, *toolchain)
    return replace(build, environment=tuple(_shown(item) for item in given))


def _build(
    subcommand: str, options: dict[str, list[str]], words: list[str], directory: str, line: int
) -> CargoBuild:
    binaries = _patterns(options.get("--bin", []))
    packages = _patterns([*options.get("-p", []), *options.get("--package", [])])
    note = ""
    if any(UNKNOWN in word and not word.startswith("--") for word in _loose(words)):
        note = "its arguments are known only to the build"
    everything = "--workspace" in options or "--all" in options
    unselected = not binaries and not packages and "--manifest-path" not in options
    manifest = (options.get("--manifest-path") or [""])[-1]
    if subcommand == "install":
        manifest = posixpath.join(options["--path"][-1], "Cargo.toml")
        unselected = False
    return CargoBuild(
        directory=_shown(directory),
        binaries=() if note else binaries,
        packages=() if note else packages,
        workspace=bool(note) or everything or unselected,
        profile=_profile(subcommand, options),
        manifest=_shown(manifest),
        line=line,
        note=note,
        options=(*_shaping(options), *(("*",) if subcommand == "rustc" and "--" in words else ())),
    )


def _shaping(options: dict[str, list[str]]) -> Iterator[str]:
    for name, values in options.items():
        for value in values if name in _SHAPING else ():
            yield name
            if name in _WITH_VALUE:
                yield _shown(value)


def _profile(subcommand: str, options: dict[str, list[str]]) -> str:
    if options.get("--profile"):
        return _shown(options["--profile"][-1])
    if subcommand == "install":
        return "dev" if "--debug" in options else "release"
    return "release" if "--release" in options or "-r" in options else "dev"


def _options(words: list[str]) -> tuple[str, dict[str, list[str]], list[str]]:
    """Subcommand, options with their values, and further plain words; ends at ``--``."""
    subcommand = ""
    options: dict[str, list[str]] = {}
    plain: list[str] = []
    at = 0
    while at < len(words) and words[at] != "--":
        word = words[at]
        at += 1
        if not word.startswith("-"):
            if subcommand:
                plain.append(word)
            else:
                subcommand = word
            continue
        name, has, value = word.partition("=")
        if not has and name in _WITH_VALUE and at < len(words):
            value = words[at]
            at += 1
        elif name[:2] in ("-p", "-C") and len(name) > 2 and name[1] != "-":
            name, value = name[:2], word[2:]
        options.setdefault(name, []).append(value)
    return subcommand, options, plain


def _loose(words: list[str]) -> Iterator[str]:
    """Words that are no values of options."""
    at = 0
    while at < len(words) and words[at] != "--":
        yield words[at]
        at += 2 if words[at] in _WITH_VALUE else 1


def _patterns(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_shown(name) for name in names))


def _shown(text: str) -> str:
    """With ``*`` for what is not known, so that it serves as a pattern."""
    return text.replace(UNKNOWN, "*")


def placements(call: Call) -> list[Placed]:
    """Where ``cp``, ``mv``, ``install``, ``ln``, ``rsync`` or ``find -exec`` put files."""
    program = posixpath.basename(call.argv[0])
    if program == "find":
        return _of_find(call)
    if program not in _COPIES:
        return []
    folder, paths, makes_folders = _paths(program, list(call.argv[1:]))
    if makes_folders or (folder is None and len(paths) < 2):
        return []
    target = paths.pop() if folder is None else folder
    where = _absolute(call.directory, target)
    inside = folder is not None or len(paths) > 1 or target.endswith(("/", "/.", ".."))
    inside = inside or where == call.directory
    return [_placed(call.directory, path, where, inside=inside) for path in paths]


def _placed(directory: str, path: str, where: str, *, inside: bool) -> Placed:
    if path.endswith("/."):  # the content of a folder becomes the content of the target
        return Placed(_absolute(directory, path[:-2]), where)
    source = _absolute(directory, path)
    return Placed(None if UNKNOWN in source and source.endswith(UNKNOWN) else source, where, inside)


def _paths(program: str, words: list[str]) -> tuple[str | None, list[str], bool]:
    """The folder of ``-t``, the plain words, and whether it only makes folders."""
    folder: str | None = None
    paths: list[str] = []
    makes_folders = False
    takes_value = ("-m", "-o", "-g", "-S", "--mode", "--owner", "--group", "--suffix")
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        short = word.startswith("-") and not word.startswith("--")
        if word in ("-t", "--target-directory") or (short and word.endswith("t") and len(word) < 5):
            folder = words[at] if at < len(words) else None
            at += 1
        elif word.startswith("--target-directory="):
            folder = word.partition("=")[2]
        elif program == "install" and (word == "--directory" or (short and "d" in word[1:3])):
            makes_folders = True
        elif word in takes_value or (program == "install" and short and word.endswith("m")):
            at += 1
        elif not word.startswith("-"):
            paths.append(word)
    return folder, paths, makes_folders


def _of_find(call: Call) -> list[Placed]:
    r"""``find … -exec cp {} /out \\;``: something is put into the last word."""
    for action in ("-exec", "-execdir", "-ok"):
        if action in call.argv:
            rest = [w for w in call.argv[call.argv.index(action) + 1 :] if w not in (";", "+")]
            if rest and posixpath.basename(rest[0]) in _COPIES:
                folder, paths, _ = _paths(posixpath.basename(rest[0]), rest[1:])
                targets = [path for path in paths if "{}" not in path]
                target = folder or (targets[-1] if targets else None)
                if target:
                    return [Placed(None, _absolute(call.directory, target), inside=True)]
    return []


def _absolute(directory: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(directory, path))
