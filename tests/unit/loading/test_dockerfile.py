"""The Dockerfile grammar."""

from __future__ import annotations

from textwrap import dedent

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile, predefined_arguments
from attune_dev.model.dockerfile import Dockerfile, Instruction, RunMount


def parse(text: str) -> Dockerfile:
    return parse_dockerfile(dedent(text), "docker/Dockerfile")


def only(text: str) -> Instruction:
    """The one instruction behind a FROM."""
    (instruction,) = parse(f"FROM i\n{text}\n").stages[0].instructions
    return instruction


def test_stages_have_names_bases_and_lines() -> None:
    stages = parse(
        """\
        # syntax=docker/dockerfile:1
        ARG RUST=rust:1 DEBIAN
        FROM --platform=$BUILDPLATFORM ${RUST} AS Builder

        from debian
        Run true
        """
    )
    assert stages.global_args == {"RUST": "rust:1", "DEBIAN": None}
    assert [(s.index, s.name, s.base, s.line) for s in stages.stages] == [
        (0, "builder", "${RUST}", 3),
        (1, "", "debian", 5),
    ]
    assert [(i.keyword, i.value, i.line) for i in stages.stages[1].instructions] == [
        ("RUN", "true", 6)
    ]


VALUES = [
    ("RUN a \\\n  b", "a   b"),
    ("RUN a \\\n# left out\n  # as well\n\n  b", "a   b"),
    ("RUN a \\  \n  b", "a   b"),
    ("RUN a \\\\\nRUN b", None),  # an escaped escape character continues nothing
    ("run   a", "a"),
    ("RUN a # b", "a # b"),
    ("RUN\ta", "a"),
    ("RUN a \\", "a "),
    ("RUN a\r\n", "a"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_continued_lines_are_joined(text: str, value: str | None) -> None:
    instructions = parse_dockerfile(f"FROM i\n{text}\n", "D").stages[0].instructions
    if value is None:
        assert [i.value for i in instructions] == ["a \\\\", "b"]
    else:
        assert [i.value.rstrip() for i in instructions] == [value.rstrip()]


def test_the_escape_character_can_be_chosen() -> None:
    parsed = parse("# escape=`\nFROM i\nRUN a `\n b\nRUN c:\\x\\\nRUN d\n")
    assert parsed.escape == "`"
    assert [i.value for i in parsed.stages[0].instructions] == ["a  b", "c:\\x\\", "d"]


def test_directives_end_at_the_first_other_line() -> None:
    assert parse("# a comment\n# escape=`\nFROM i\n").escape == "\\"


def test_a_byte_order_mark_is_no_instruction() -> None:
    assert parse_dockerfile("\ufeffFROM i\n", "D").stages[0].base == "i"


COPIES = [
    ("COPY a b /c/", ("a", "b", "/c/"), {}),
    ('COPY ["a b", "/c"]', ("a b", "/c"), {}),
    ("COPY [a /c", ("[a", "/c"), {}),  # no JSON: words
    ("COPY --from=b --chmod=755 a /c", ("a", "/c"), {"from": "b", "chmod": "755"}),
    ("COPY --exclude=*.md --exclude=x a /c", ("a", "/c"), {"exclude": "*.md\nx"}),
    ("COPY --parents --link a /c", ("a", "/c"), {"parents": "", "link": ""}),
    ('COPY --from="b" a /c', ("a", "/c"), {"from": "b"}),
    ("COPY -- --a /c", ("--a", "/c"), {}),
    ("ADD --checksum=sha256:0 https://x/y /c", ("https://x/y", "/c"), {"checksum": "sha256:0"}),
]


@pytest.mark.parametrize(("text", "words", "flags"), COPIES)
def test_copies_have_words_and_flags(
    text: str, words: tuple[str, ...], flags: dict[str, str]
) -> None:
    instruction = only(text)
    assert (instruction.words, dict(instruction.flags)) == (words, flags)


ASSIGNMENTS = [
    ("ARG A", ("A",)),
    ("ARG A=1 B C=", ("A=1", "B", "C=")),
    ("ENV A=\"x y\" B='z w' C=a\\ b", ('A="x y"', "B='z w'", "C=a\\ b")),
    ("ENV A the rest  of it", ("A=the rest  of it",)),
    ("ENV A=1 \\\n    B=2", ("A=1", "B=2")),
]


@pytest.mark.parametrize(("text", "words"), ASSIGNMENTS)
def test_assignments_keep_their_quotes(text: str, words: tuple[str, ...]) -> None:
    assert only(text).words == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('RUN ["cargo", "build"]', ("cargo", "build")),
        ('CMD [ "a" ]', ("a",)),
        ("ENTRYPOINT a b", ()),
        ("RUN [ -f x ] && y", ()),
    ],
)
def test_only_a_list_of_texts_is_an_exec_form(text: str, words: tuple[str, ...]) -> None:
    assert only(text).words == words


HEREDOCS = [
    ("RUN <<EOF\na\n  b\nEOF", "<<EOF", ("a\n  b",)),
    ("RUN <<-EOF\n\ta\n\tEOF", "<<-EOF", ("a",)),
    ("RUN <<'EOF' bash\n$a\nEOF", "<<'EOF' bash", ("$a",)),
    ("RUN cat <<A 3<<B\n1\nA\n2\nB", "cat <<A 3<<B", ("1", "2")),
    ("RUN <<EOF\nEOF", "<<EOF", ("",)),
    ("RUN <<EOF\n# kept\nFROM kept\nEOF", "<<EOF", ("# kept\nFROM kept",)),
    ("RUN echo $((1<<2))", "echo $((1<<2))", ()),
    ("CMD cat <<EOF", "cat <<EOF", ()),  # only ADD, COPY and RUN have them
    ("ONBUILD RUN <<EOF\na\nEOF", "RUN <<EOF", ()),
]


@pytest.mark.parametrize(("text", "value", "bodies"), HEREDOCS)
def test_here_documents_are_read_to_their_end(
    text: str, value: str, bodies: tuple[str, ...]
) -> None:
    instruction = only(text)
    assert (instruction.value, instruction.heredocs) == (value, bodies)


def test_a_copied_here_document_is_no_source() -> None:
    instruction = only('COPY --chmod=1 <<A b.txt <<"B" /c/\n1\nA\n2\nB')
    assert instruction.words == ("b.txt", "/c/")
    assert instruction.heredocs == ("1", "2")


MOUNTS = [
    ("type=bind,source=a,target=/b", RunMount("bind", "a", "/b")),
    ("src=a,dst=/b,rw", RunMount("bind", "a", "/b")),
    ("target=.", RunMount("bind", "", ".")),
    ("type=bind,from=s,destination=/b", RunMount("bind", "", "/b", "s")),
    (
        "type=cache,id=c,target=/t,sharing=locked",
        RunMount("cache", "", "/t", "", "c", "locked"),
    ),
    ("type=cache,target=/t", RunMount("cache", "", "/t", "", "/t", "shared")),
    ('type=cache,"target=/a,b"', RunMount("cache", "", "/a,b", "", "/a,b", "shared")),
    ("type=secret,id=x", RunMount("secret")),
    ("type=tmpfs,target=/t", RunMount("tmpfs", "", "/t")),
]


@pytest.mark.parametrize(("text", "mount"), MOUNTS)
def test_mounts_are_read_field_by_field(text: str, mount: RunMount) -> None:
    quoted = text.replace('"', '\\"')
    assert only(f"RUN --mount={quoted} true").mounts == (mount,)


def test_mounts_may_be_several_with_lines_between() -> None:
    instruction = only(
        "RUN --mount=target=/a \\\n  # why\n  --mount=target=/b \\\n  --network=none x"
    )
    assert [mount.target for mount in instruction.mounts] == ["/a", "/b"]
    assert (instruction.value, dict(instruction.flags)) == ("x", {"network": "none"})


def test_onbuild_carries_its_instruction() -> None:
    instruction = only("ONBUILD COPY --from=b a /c")
    assert instruction.trigger is not None
    assert (instruction.trigger.keyword, instruction.trigger.words) == ("COPY", ("a", "/c"))


MALFORMED = [
    ("", "has no FROM (docker/Dockerfile)"),
    ("# only a comment\n", "has no FROM (docker/Dockerfile)"),
    ("FRM x\n", "unknown instruction `FRM` (docker/Dockerfile:1)"),
    ("FROM i\n\n  <<<<<<< HEAD\n", "unknown instruction `<<<<<<<` (docker/Dockerfile:3)"),
    ("FROM\n", "FROM needs an argument (docker/Dockerfile:1)"),
    ("FROM a b\n", "FROM takes an image and, after AS, a name (docker/Dockerfile:1)"),
    ("FROM a AS 1b\n", "`1b` is no name for a stage (docker/Dockerfile:1)"),
    ("RUN x\nFROM i\n", "RUN stands before the first FROM (docker/Dockerfile:1)"),
    ("FROM i\nCOPY a\n", "COPY needs at least a source and a destination (docker/Dockerfile:2)"),
    ("FROM i\nRUN <<E\nx\n", "here-document `E` has no end (docker/Dockerfile:2)"),
    ("FROM i\nRUN --mount=type=foo x\n", "unknown mount type `foo` (docker/Dockerfile:2)"),
    ("FROM i\nENV A\n", "ENV needs a name and a value (docker/Dockerfile:2)"),
    ("FROM i\nENV A=1 b\n", "`b` is not of the form name=value (docker/Dockerfile:2)"),
    ("# escape=x\nFROM i\n", "the escape character is ` or \\ (docker/Dockerfile:1)"),
    ("FROM i\n  \\\n", "an escape character continues nothing (docker/Dockerfile:2)"),
    ("FROM i\nONBUILD \n", "ONBUILD needs an argument (docker/Dockerfile:2)"),
    ("FROM i\nRUN <<E \\\n", "here-document `E` has no end (docker/Dockerfile:2)"),
    ("FROM i\nONBUILD FROM j\n", "ONBUILD cannot trigger FROM (docker/Dockerfile:2)"),
    ("FROM i\nONBUILD ONBUILD RUN x\n", "ONBUILD cannot trigger ONBUILD (docker/Dockerfile:2)"),
]


@pytest.mark.parametrize(("text", "told"), MALFORMED)
def test_a_malformed_file_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_dockerfile(text, "docker/Dockerfile")
    assert caught.value.lines()[0] == f"error: {told}"


def test_a_near_keyword_is_proposed() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("FROM i\nCPY a b\n")
    assert caught.value.hint == "did you mean COPY?"


@pytest.mark.parametrize(
    "text", ["FROM i\nRUN " + "[" * 100_000, "FROM i\n" + "RUN x \\\n" * 50_000]
)
def test_a_hostile_file_is_parsed_or_refused_at_once(text: str) -> None:
    assert parse_dockerfile(text, "D").stages[0].base == "i"


def test_predefined_arguments_name_this_machine() -> None:
    found = predefined_arguments()
    assert found["TARGETPLATFORM"] == f"linux/{found['TARGETARCH']}"
    assert found["TARGETARCH"] in {"amd64", "arm64"}
