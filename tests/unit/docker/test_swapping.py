from __future__ import annotations

import pytest

from attune_dev.docker.containers import ContainerState
from attune_dev.docker.swapping import parse_before, parse_note, render_note, unfit
from attune_dev.model.swap import SwapNote

PATH = "/usr/local/bin/web"


@pytest.mark.parametrize(
    "argv",
    [
        (PATH,),
        ("web", "serve"),
        ("/sbin/tini", "--", PATH),
        ("sh", "-c", f"exec {PATH} --port=80"),
        ("/bin/sh", "-c", "sleep 1;web"),
    ],
)
def test_a_container_that_starts_the_program_is_fit(argv: tuple[str, ...]) -> None:
    assert unfit(ContainerState("web", "1", argv=argv), [PATH]) == ""


@pytest.mark.parametrize("argv", [(), ("nginx",), ("sh", "/run.sh"), ("webserver",)])
def test_one_that_starts_something_else_is_not(argv: tuple[str, ...]) -> None:
    why = "its container does not start /usr/local/bin/web"
    assert unfit(ContainerState("web", "1", argv=argv), [PATH]) == why


def test_nothing_can_be_written_into_a_read_only_one() -> None:
    container = ContainerState("web", "1", argv=(PATH,), read_only=True)
    assert unfit(container, [PATH]) == "its root file system is read-only"


def test_a_note_tells_what_was_there_before() -> None:
    old, new = SwapNote(1.5, "s1", {PATH: "1"}), SwapNote(2.5, "s2", {PATH: "2"}, "release")
    text = render_note(new, old)
    assert (parse_note(text), parse_before(text)) == (new, old)
    assert parse_before(render_note(new, None)) is None


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"files": 1, "since": 0}', b"\xff"])
def test_what_is_no_note_is_none(text: bytes) -> None:
    assert parse_note(text) is None
