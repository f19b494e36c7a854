"""Places: where a peer runs. The command line and the reachable address differ, nothing else."""
