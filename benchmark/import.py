# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Processor time and memory of the ONNX import, over the number of nodes and the size of the weights.

    CIM_BUILD_DIR=build/release .venv/bin/python benchmark/import.py [--phases]

Chains of element-wise operators and of matrix products, each ten times as long as the one before, should take ten times
as long; weights of 100 MB, in the file or beside it, less than 2 s and 3 times their size in memory (what an
empty model takes is subtracted). Models lie in a temporary folder. --phases adds what `cim-compile --target=host` of the chain
spends in each pass.
"""

import argparse
import multiprocessing
import os
import pathlib
import re
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("CIM_BUILD_DIR", ROOT / "build" / "release")).resolve()
REPEATS = 3


def save(path, nodes, weights, x, y, **options):
    def info(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, path.stem, [info("x0", x)], [info(nodes[-1].output[0], y)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path, **options)
    return path


def chain(folder, length):
    """Relu and Add, as many of each, on a small vector."""
    nodes = []
    for i in range(length):
        inputs = [f"x{i}", "one"] if i % 2 else [f"x{i}"]
        nodes.append(helper.make_node("Add" if i % 2 else "Relu", inputs, [f"x{i + 1}"], name=f"node{i}"))
    return save(folder / f"chain{length}.onnx", nodes, {"one": np.ones(8, np.float32)}, [1, 8], [1, 8])


def weights(folder, megabytes, external=False, count=25):
    """Matrix products with `count` matrices of together `megabytes`."""
    side = int((megabytes * 1e6 / 4 / count) ** 0.5)
    rng = np.random.default_rng(0)
    matrices = {f"w{i}": rng.standard_normal((side, side), np.float32) for i in range(count)}
    nodes = [helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]) for i in range(count)]
    name = f"weights{megabytes}{'external' if external else ''}"
    options = {"save_as_external_data": True, "location": f"{name}.bin"} if external else {}
    return save(folder / f"{name}.onnx", nodes, matrices, [1, side], [1, side], **options)


def made(make, *arguments):
    """The path that make(*arguments) returns. In another process, for the memory of this one counts as its children's."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(make, arguments)


def measure(*command):
    """Best processor time of some runs in s, and largest resident size in MB."""
    best, resident = float("inf"), 0
    for _ in range(REPEATS):
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        message = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise SystemExit(message.decode())
        best = min(best, usage.ru_utime + usage.ru_stime)
        resident = max(resident, usage.ru_maxrss / 1024)
    return best, resident


def check(path):
    """The import alone, without printing the module."""
    return measure(BUILD / "bin" / "cim-translate", "--import-onnx", path, "-o", "/dev/null", "--mlir-elide-resource-strings-if-larger=16")


def phases(path):
    """Seconds by pass of cim-compile --target=host, longest first."""
    command = [BUILD / "bin" / "cim-compile", path, "--target=host", "-o", path.with_suffix(".so"), "--mlir-timing", "--mlir-timing-display=list"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = re.findall(r"^ *([0-9.]+) \( *[0-9.]+%\) +(.*)$", result.stderr, re.MULTILINE)
    return sorted(((float(seconds), name) for seconds, name in rows), reverse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phases", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        idle, base = check(made(chain, folder, 1))
        print(f"{'model':>24} {'seconds':>8} {'x before':>9} {'MB':>8} {'x file':>7}")
        print(f"{'one node':>24} {idle:8.3f} {'':>9} {base:8.0f}")
        before = None
        for length in (10, 100, 1000, 10000, 100000):
            seconds, resident = check(made(chain, folder, length))
            ratio = f"{(seconds - idle) / before:9.1f}" if before and before > 0.005 else ""
            before = seconds - idle
            print(f"{f'{length} nodes':>24} {seconds:8.3f} {ratio:>9} {resident:8.0f}")
        for megabytes, external in ((10, False), (100, False), (1000, False), (100, True), (3000, True)):
            seconds, resident = check(made(weights, folder, megabytes, external))
            label = f"{megabytes} MB{' external' if external else ''}"
            print(f"{label:>24} {seconds:8.3f} {'':>9} {resident:8.0f} {(resident - base) / megabytes:7.2f}")
        if options.phases:
            for length in (1000, 10000):
                print(f"\ncim-compile --target=host, {length} nodes")
                for seconds, pass_name in phases(made(chain, folder, length))[:15]:
                    print(f"{seconds:10.3f} {pass_name}")


main()
