"""The Wine lane: the peers' and the harness's Windows builds, run on Linux. `parts.py` makes, `lane.py` runs."""
