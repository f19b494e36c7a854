"""Measuring: what things cost, always against a floor."""
