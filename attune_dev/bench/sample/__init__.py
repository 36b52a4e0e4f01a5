"""Clones of this repository, each with a project name and ports of its own, driven as a user would.

What measures, and the tests on the engine, run in these: a developer's stack is never touched.
"""
