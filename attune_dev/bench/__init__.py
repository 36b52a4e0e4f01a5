"""Benchmarks: figures and their ratios, measured side by side in one run."""
