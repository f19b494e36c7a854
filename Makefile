# Everything here is a call of ci/bootstrap.py, which sets up what is missing first.
# More arguments for pytest or zmq-interop: make interop ARGS="-k req-rep"

PYTHON ?= python3

.PHONY: help setup interop test lint format bench stability prove doctor report peers clean

help:
	@echo "make TARGET [ARGS=\"more arguments\"], where TARGET is one of"
	@$(PYTHON) ci/bootstrap.py help

setup interop test lint format bench stability prove doctor report peers clean:
	@$(PYTHON) ci/bootstrap.py $@ $(if $(ARGS),-- $(ARGS))
