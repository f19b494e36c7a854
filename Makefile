# Everything here is a call of ci/bootstrap.py, which sets up what is missing first.
# More arguments for pytest or zmq-interop: make interop ARGS="-k req-rep"

PYTHON ?= python3
RUN = $(PYTHON) ci/bootstrap.py $@ $(if $(ARGS),-- $(ARGS))

.PHONY: help setup interop test places lint format bench stability prove wine doctor report peers ci-linux clean

help:
	@echo "make TARGET [ARGS=\"more arguments\"], where TARGET is one of"
	@$(PYTHON) ci/bootstrap.py help

setup: ; @$(RUN)
interop: ; @$(RUN)
test: ; @$(RUN)
places: ; @$(RUN)
lint: ; @$(RUN)
format: ; @$(RUN)
bench: ; @$(RUN)
stability: ; @$(RUN)
prove: ; @$(RUN)
wine: ; @$(RUN)
doctor: ; @$(RUN)
report: ; @$(RUN)
peers: ; @$(RUN)
ci-linux: ; @$(RUN)
clean: ; @$(RUN)
