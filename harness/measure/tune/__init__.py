"""The tuning study: what socket options, the Go runtime's settings and the host's settings really buy."""
