#!/bin/sh
# Join the shards of one SYSTEM, downloaded into parts/, into site/SYSTEM, with Allure's report and with history/SYSTEM.
set -eu
system=$1
place=history/$system
mkdir -p "$place" site
code=0
.venv/bin/zmq-interop merge parts/run-"$system"-shard-* --reports "$place" || code=$?
[ "$code" -le 1 ] || exit "$code"
.venv/bin/zmq-interop report "$place/latest" || [ $? -eq 1 ]
rm -rf "site/$system"
cp -rL "$place/latest" "site/$system"
# The history: what later runs compare themselves with.
run=$(readlink "$place/latest")
find "$place" -mindepth 1 -maxdepth 1 ! -name '*.jsonl' ! -name "$run" -exec rm -rf {} +
find "$place/$run" -mindepth 1 -maxdepth 1 ! -name results.json -exec rm -rf {} +
exit "$code"
