"""Peers: their manifests, how they are built and started, and what is said to them."""
