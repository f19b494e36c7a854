"""What the harness reads and changes of the machine it runs on. Each face has the systems behind it."""

NOT_HERE = "not on this system"
"""What is said of a fact that only other systems have."""
