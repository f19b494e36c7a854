"""The pure core: patterns, payloads, cells, verdicts and known issues. No I/O, no pytest."""
