"""Ignore files and ``COPY`` patterns with what they do to a tree.

The same tables are asked of our rules in unit tests, and of a real engine in docker tests.
"""

from __future__ import annotations

TREE = (
    ".hidden",
    "A.md",
    "a.md",
    "a/b/c.md",
    "a/b/c.txt",
    "a/b.md",
    "crates/api/src/main.rs",
    "crates/api/tests/t.rs",
    "crates/tests",
    "d+e/f(1).txt",
    "target/debug/x",
    "x y/z",
    "z[1].txt",
)

CASES: list[tuple[str, set[str]]] = [
    ("", set()),
    ("# a comment\n\n   \n", set()),
    ("a.md", {"a.md"}),  # not a/b.md: anchored
    ("*.md", {"a.md", "A.md"}),
    ("**/*.md", {"a.md", "A.md", "a/b.md", "a/b/c.md"}),
    ("**.md", {"a.md", "A.md", "a/b.md", "a/b/c.md"}),
    ("/a.md", {"a.md"}),
    ("a", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("a/", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("./a//b/../b/", {"a/b/c.md", "a/b/c.txt"}),
    ("a/*", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("a/**", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("a/?.md", {"a/b.md"}),
    ("a**.md", {"a.md"}),
    ("a/b**", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("a/b.m?", {"a/b.md"}),
    ("[aA].md", {"a.md", "A.md"}),
    ("[^a].md", {"A.md"}),
    ("[a-b].md", {"a.md"}),
    ("z\\[1\\].txt", {"z[1].txt"}),
    ("z[[]1].txt", {"z[1].txt"}),
    ("d+e/f(1).txt", {"d+e/f(1).txt"}),
    ("x y", {"x y/z"}),
    ("  a.md  ", {"a.md"}),
    ("target\n!target/debug/x", set()),
    ("a\n!a/b", {"a/b.md"}),
    ("a\n!a/b\na/b/c.txt", {"a/b.md", "a/b/c.txt"}),
    ("!a.md\na.md", {"a.md"}),
    ("*\n!crates", set(TREE) - {"crates/api/src/main.rs", "crates/api/tests/t.rs", "crates/tests"}),
    ("*\n!crates\ncrates/*/tests", set(TREE) - {"crates/api/src/main.rs", "crates/tests"}),
    ("*\n!**/*.rs", set(TREE) - {"crates/api/src/main.rs", "crates/api/tests/t.rs"}),
    ("**/tests", {"crates/api/tests/t.rs", "crates/tests"}),
    ("**/tests/**", {"crates/api/tests/t.rs"}),
    ("crates/**/t.rs", {"crates/api/tests/t.rs"}),
    ("**", set(TREE)),
    ("*", set(TREE)),
    (".*", {".hidden"}),
    ("**/b", {"a/b/c.md", "a/b/c.txt"}),
    ("! a.md\n*.md\n! a.md", {"A.md"}),
    (" # no comment", set()),
    ("../a", set()),
    (".", set()),
]

# A source of COPY, and the files of the tree that it takes.
COPIES: list[tuple[str, set[str]]] = [
    (".", set(TREE)),
    ("/", set(TREE)),
    ("a", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("./a/b/", {"a/b/c.md", "a/b/c.txt"}),
    ("../a/b.md", {"a/b.md"}),
    ("*.md", {"A.md", "a.md"}),
    ("a/*", {"a/b/c.md", "a/b/c.txt", "a/b.md"}),
    ("a/*/c.*", {"a/b/c.md", "a/b/c.txt"}),
    ("*/b.md", {"a/b.md"}),
    ("?.md", {"A.md", "a.md"}),
    ("[aA].md", {"A.md", "a.md"}),
    ("[^a].md", {"A.md"}),
    ("z[[]1].txt", {"z[1].txt"}),
    ("d+e/f(1).txt", {"d+e/f(1).txt"}),
    ("crates/*/src", {"crates/api/src/main.rs"}),
    ("*/*/tests", {"crates/api/tests/t.rs"}),
    (".hid*", {".hidden"}),
]
