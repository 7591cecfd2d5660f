#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what a build and the tests need on Debian 12: system packages, and a
# private Python environment in .venv for the tests. Safe to run again; says
# what it does.
#
#   scripts/bootstrap.sh [--peers]
#
# --peers also installs what the tests against other programs need, which are
# skipped otherwise: aihwkit and badcrossbar in .venv-peers (7 GB), and Arm64
# libraries with qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  clang-22 clang-format-22 lld-22 liblld-22-dev libclang-rt-22-dev
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  cmake ninja-build ccache
  libprotobuf-dev protobuf-compiler libonnx-dev
  libdnnl-dev nlohmann-json3-dev zlib1g-dev
  libgtest-dev libbenchmark-dev
  python3 python3-venv
  dataset-fashion-mnist
)
environments=(test)
if [ "${1:-}" = --peers ]; then
  packages+=(
    qemu-user libstdc++-12-dev-arm64-cross libc6-dev-arm64-cross
    # To build pycairo, which badcrossbar asks for.
    gcc pkg-config libcairo2-dev python3-dev
  )
  environments+=(peers)
fi

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

# An environment is made again only when its list of packages changes.
for name in "${environments[@]}"; do
  folder=.venv
  [ "$name" = test ] || folder=.venv-$name
  list=scripts/requirements-$name.txt
  if ! cmp -s "$list" "$folder/requirements.stamp"; then
    echo "bootstrap: making $folder from $list"
    rm -rf "$folder"
    /usr/bin/python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$list"
    cp "$list" "$folder/requirements.stamp"
  fi
done
echo "bootstrap: ready"
