"""Benchmarks: side by side in one run, printed as ratios. `python -m tests.bench` lists them; none of them is a timed test."""
