#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what a build and the tests need on Debian 12: system packages, and a
# private Python environment in .venv for the tests. Safe to run again; says
# what it does.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  clang-22 clang-format-22 lld-22 liblld-22-dev libclang-rt-22-dev
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  cmake ninja-build ccache
  libprotobuf-dev protobuf-compiler libonnx-dev
  libdnnl-dev libeigen3-dev nlohmann-json3-dev zlib1g-dev
  libgtest-dev libbenchmark-dev
  python3 python3-venv
  dataset-fashion-mnist
)

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "bootstrap: need root or sudo to install: ${missing[*]}" >&2
    exit 1
  fi
}

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "bootstrap: installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The environment is made again only when its list of packages changes.
stamp=.venv/requirements.stamp
if ! cmp -s scripts/requirements-test.txt "$stamp"; then
  echo "bootstrap: making .venv from scripts/requirements-test.txt"
  rm -rf .venv
  /usr/bin/python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check \
    -r scripts/requirements-test.txt
  cp scripts/requirements-test.txt "$stamp"
fi
echo "bootstrap: ready"
