"""The stage with cargo's dep-info becomes part of a bake, once for all who share it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attune_dev.docker.handed import with_dep_info

SHARED = """\
ARG BASE=debian
FROM rust as builder
ARG BINARIES
RUN cargo build
from scratch as dep-info
COPY --from=builder /dep-info/ /
FROM ${BASE}
ARG SERVICE
COPY --from=builder /out/${SERVICE} /
"""


def bake(**targets: dict[str, Any]) -> dict[str, Any]:
    return {"group": {"default": {"targets": list(targets)}}, "target": targets}


def target(folder: Path, text: str, **args: str) -> dict[str, Any]:
    name = f"Dockerfile.{abs(hash(text))}"
    (folder / name).write_text(text)
    labels = {"dev": "x"}
    return {"context": "/r", "tags": ["t"], "labels": labels, "args": args,
            "dockerfile": str(folder / name)}  # fmt: skip


def test_who_shares_the_compile_shares_the_export(tmp_path: Path) -> None:
    api = target(tmp_path, SHARED, BINARIES="api web", SERVICE="api")
    web = target(tmp_path, SHARED, BINARIES="api web", SERVICE="web")
    made = with_dep_info(bake(api=api, web=web), Path("/out"))
    assert made["group"] == {"default": {"targets": ["api", "web", "dep-info-api"]}}
    assert made["target"] == {
        "api": api,
        "web": web,
        "dep-info-api": {
            "context": "/r",
            "dockerfile": api["dockerfile"],
            "args": api["args"],
            "target": "dep-info",
            "output": ["type=local,dest=/out/api"],
        },
    }


def test_comments_at_the_top_make_no_difference_but_directives_do(tmp_path: Path) -> None:
    texts = ("", "# of the api\n\n  # one more\n", "# escape=`\n", "# of web\n# escape=`\n")
    targets = [target(tmp_path, text + SHARED, BINARIES="api") for text in texts]
    made = with_dep_info(bake(**dict(zip("abcd", targets, strict=True))), Path("/out"))
    names = made["group"]["default"]["targets"]
    assert names == ["a", "b", "c", "d", "dep-info-a", "dep-info-c", "dep-info-d"]


def test_an_argument_that_the_compile_reads_makes_an_export_of_its_own(tmp_path: Path) -> None:
    one = target(tmp_path, SHARED, BINARIES="api", SERVICE="api")
    two = target(tmp_path, SHARED, BINARIES="web", SERVICE="web")
    made = with_dep_info(bake(api=one, web=two), Path("/out"))
    assert made["group"]["default"]["targets"] == ["api", "web", "dep-info-api", "dep-info-web"]


def test_without_such_a_stage_nothing_is_added(tmp_path: Path) -> None:
    plain = target(tmp_path, "FROM debian\n# FROM x AS dep-info\n")
    inline = {"context": "/r", "args": {}, "dockerfile-inline": "FROM debian\n"}
    gone = {"context": "/r", "args": {}, "dockerfile": str(tmp_path / "gone")}
    definition = bake(plain=plain, inline=inline, gone=gone)
    assert with_dep_info(definition, Path("/out")) == definition
