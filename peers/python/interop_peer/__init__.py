"""The Python peers: each drives one ZeroMQ library as ../../CONTRACT.md says.

Standard library and pyzmq only; nothing of the harness may be imported here.
"""

__version__ = "0.1.0"
