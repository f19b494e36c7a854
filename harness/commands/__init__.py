"""The commands of `zmq-interop`, by what they are for; `harness.cli` gathers them."""
