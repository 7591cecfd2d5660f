#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The main job, from nothing to a table: builds the compiler, compiles the
# networks for imec-ania with 1, 2 and 3 cells per weight, runs the test images
# on the ideal, exact and analog device, and prints accuracy, arrays and speed.
#
# With CIM_DATA_DIR set (the data folder beside DESIGN.md) ResNet-20 on CIFAR-10
# and a ternary ResNet-20 join in.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap.sh
cmake --preset release >/dev/null
cmake --build build/release --target cim-compile cim-run
exec .venv/bin/python scripts/demo.py "$@"
