# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fuzzes the importer: `fuzz_import.py [--runs N] [--seed S] [--folder DIR]`.

Seeds are the ONNX backend tests, at most two for every set of operators, as
networks whose shapes, axes and pads are constants; the command adds all models
of the lit tests. cim-fuzz-import (unittests/Frontend) damages and imports them;
when an execution fails, its model stays in DIR and the fuzzer goes on with the
next one.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import onnx

import onnx_cases
import tools

SEED_BYTES = 20000
TEXT_MODELS = tools.ROOT / "test" / "Frontend"


def write_seeds(folder, per_operators=2):
    """Valid models as files of `folder`, in a fixed order."""
    counts = collections.Counter()
    paths = []
    for name, case in sorted(onnx_cases.collect()[0].items()):
        operators = tuple(sorted({n.op_type for n in case.model.graph.node}))
        counts[operators] += 1
        if counts[operators] > per_operators or case.model.ByteSize() > SEED_BYTES:
            continue
        paths.append(pathlib.Path(folder, f"{name}.onnx"))
        try:
            onnx.save(onnx_cases.Network(case).model, paths[-1])
        except Exception:  # ONNX's converter has its own limits
            onnx.save(case.model, paths[-1])
    return paths


def write_text_models(folder):
    """The models of the lit tests, faulty ones too."""
    for test in TEXT_MODELS.rglob("*.test"):
        for section in test.read_text().split("\n#--- ")[1:]:
            name, _, text = section.partition("\n")
            if name.endswith(".onnxtxt"):
                pathlib.Path(folder, f"{test.stem}-{name}").write_text(text)
    subprocess.run([sys.executable, tools.ROOT / "test" / "Inputs" / "make_onnx.py", folder], check=True)
    paths = [p.with_suffix(".onnx") for p in sorted(pathlib.Path(folder).glob("*.onnxtxt"))]
    return [p for p in paths if p.stat().st_size <= SEED_BYTES]


def run(seeds, folder, runs, seed, first=0):
    """One call of cim-fuzz-import; its result."""
    program = tools.BUILD / "bin" / "cim-fuzz-import"
    options = [f"--runs={runs}", f"--seed={seed}", f"--first={first}"]
    # Without user poisoning, as in test/lit.cfg.py; leaks are looked for.
    environment = os.environ | {"ASAN_OPTIONS": "allow_user_poisoning=0"}
    return subprocess.run([program, *options, *seeds], cwd=folder, env=environment, capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "cim-fuzz"))
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    first, end, failures = arguments.first, arguments.first + arguments.runs, 0
    with tempfile.TemporaryDirectory() as nodes, tempfile.TemporaryDirectory() as texts:
        seeds = write_seeds(nodes) + write_text_models(texts)
        while first < end:
            result = run(seeds, arguments.folder, end - first, arguments.seed, first)
            print(result.stdout + result.stderr, end="", flush=True)
            failures += result.returncode != 0
            failed = re.search(r"failed: fuzz-import-\d+-(\d+)\.onnx", result.stderr)
            if not failed:
                break
            first = int(failed[1]) + 1
    print(f"{arguments.runs} executions, {failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
