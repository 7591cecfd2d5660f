# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fuzzes the importer: `fuzz_import.py [--runs N] [--seed S] [--folder DIR]`.

Seeds are the ONNX backend node tests, at most two for every set of operators.
cim-fuzz-import (unittests/Frontend) damages and imports them; when an execution
fails, its model stays in DIR and the fuzzer goes on with the next one.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import onnx

import tools

SEED_BYTES = 20000


def write_seeds(folder, per_operators=2):
    """Valid models as files of `folder`, in a fixed order."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its NumPy references overflow on purpose
        cases = collect_testcases(None)
    counts = collections.Counter()
    paths = []
    for case in sorted(cases, key=lambda c: c.name):
        operators = tuple(sorted({n.op_type for n in case.model.graph.node}))
        counts[operators] += 1
        if counts[operators] > per_operators or case.model.ByteSize() > SEED_BYTES:
            continue
        paths.append(pathlib.Path(folder, f"{case.name}.onnx"))
        onnx.save(case.model, paths[-1])
    return paths


def run(seeds, folder, runs, seed, first=0):
    """One call of cim-fuzz-import; its result."""
    program = tools.BUILD / "bin" / "cim-fuzz-import"
    options = [f"--runs={runs}", f"--seed={seed}", f"--first={first}"]
    return subprocess.run([program, *options, *seeds], cwd=folder, capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "cim-fuzz"))
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        seeds = write_seeds(folder)
        first, failures = 0, 0
        while first < arguments.runs:
            result = run(seeds, arguments.folder, arguments.runs - first, arguments.seed, first)
            print(result.stdout + result.stderr, end="", flush=True)
            failed = re.search(r"failed: (fuzz-import-\d+-(\d+)\.onnx)", result.stderr)
            if not failed:
                break
            failures += 1
            first = int(failed[2]) + 1
    print(f"{arguments.runs} executions, {failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
