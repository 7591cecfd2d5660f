#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Everything that must hold: release build, unit tests, lit tests, integration
# tests; then the same under the address and undefined-behaviour sanitizers.
#
#   scripts/test.sh [--no-asan]
#
# CIM_DATA_DIR may name a folder with data sets and larger networks; without it
# the tests that need it are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap.sh

if [ -z "${CIM_DATA_DIR:-}" ] && [ -d ../shared/data ]; then
  CIM_DATA_DIR=$(realpath ../shared/data)
fi
export CIM_DATA_DIR=${CIM_DATA_DIR:-}

cmake --preset release >/dev/null
cmake --build build/release
cmake --build build/release --target check-cim

if [ "${1:-}" != --no-asan ]; then
  cmake --preset asan >/dev/null
  cmake --build build/asan
  cmake --build build/asan --target check-cim
fi
