#!/usr/bin/env python3
"""Reads its parameters as JSON on standard input and writes JSON as its result."""

import json
import sys

parameters = json.load(sys.stdin)
greeting = "Good day" if parameters.get("polite", True) else "Hi"
json.dump({"greeting": f"{greeting}, {parameters['name']}."}, sys.stdout)
print()
