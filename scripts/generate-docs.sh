#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes the generated pages: docs/Passes.md, docs/Dialects/*.md and
# docs/SupportedOps.md, running every example in them.
#
#   scripts/generate-docs.sh [--check] [--build=build/release]
#
# --check writes nothing and fails when a page is out of date.
set -euo pipefail
root=$(dirname "$0")/..
python=$root/.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" "$root/scripts/generate-docs.py" "$@"
