#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile networks, run their test images on every device, print one table.

Called by demo.sh. Accuracies are measured here and now: nothing is remembered.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
WORK = BUILD / "demo"
TRIALS = 10
ANALOG_SAMPLES = 1000
CALIBRATION_SAMPLES = 1024

HEADER = ["network", "cells", "float", "ideal", "exact", "analog (10 chips)",
          "arrays", "used", "MVMs/image", "images/s exact", "analog"]


class Network:
    """A network with its test and calibration data as .npy files."""

    def __init__(self, name, model, data_script, what, splits, cells):
        self.name, self.model, self.cells = name, model, cells
        self.test = WORK / f"{name}-test"
        self.calibration = WORK / f"{name}-calibration"
        for prefix, split, limit in [(self.test, splits[0], None),
                                     (self.calibration, splits[1], CALIBRATION_SAMPLES)]:
            if not pathlib.Path(f"{prefix}.x.npy").exists():
                limits = ["--limit", str(limit)] if limit else []
                run([sys.executable, data_script, *what, "--split", split,
                     *limits, "-o", prefix])


def run(command):
    """Standard output of a command; its own messages go to our stderr."""
    return subprocess.run([str(c) for c in command], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def float_top1(network):
    """Top-1 of the float network in percent, by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(network.model, options,
                                           providers=["CPUExecutionProvider"])
    x, y = np.load(f"{network.test}.x.npy"), np.load(f"{network.test}.y.npy")
    given = session.get_inputs()[0]
    batch = given.shape[0] if isinstance(given.shape[0], int) else 500
    right = 0
    for begin in range(0, len(x), batch):
        logits = session.run(None, {given.name: x[begin:begin + batch]})[0]
        right += int((logits.reshape(len(logits), -1).argmax(1)
                      == y[begin:begin + batch]).sum())
    return 100.0 * right / len(x)


def compile_network(network, cells, folder):
    """Compiles to a shared object; returns it and its report."""
    program, report = folder / f"{cells}.so", folder / f"{cells}.json"
    run([BUILD / "bin/cim-compile", network.model, "-o", program, "--quiet",
         "--target=imec-ania", f"--cells={cells}", f"--report={report}",
         f"--calibration={network.calibration}.x.npy"])
    return program, json.loads(report.read_text())


def dump_stages(network, cells, folder):
    """Writes the IR of every stage beside the program."""
    for stage in ["nn", "quant", "cim", "program", "llvm"]:
        run([BUILD / "bin/cim-compile", network.model, f"--emit={stage}",
             "--quiet", "--target=imec-ania", f"--cells={cells}",
             f"--calibration={network.calibration}.x.npy",
             "-o", folder / f"{cells}.{stage}.mlir"])


def measure(test, program, device, *options):
    return json.loads(run([
        BUILD / "bin/cim-run", program, "--input", f"{test}.x.npy",
        "--labels", f"{test}.y.npy", f"--device={device}", "--json", *options]))


def first_samples(test, count):
    """A copy of the first test images, for the chips of the analog device."""
    prefix = f"{test}-{count}"
    for part in ("x", "y"):
        np.save(f"{prefix}.{part}.npy", np.load(f"{test}.{part}.npy", mmap_mode="r")[:count])
    return prefix


def row(network, cells, reference, folder, full):
    program, report = compile_network(network, cells, folder)
    ideal = measure(network.test, program, "ideal")
    exact = measure(network.test, program, "exact")
    chips = network.test if full else first_samples(network.test, ANALOG_SAMPLES)
    analog = measure(chips, program, "analog", f"--trials={TRIALS}")
    mapping = report["mapping"]
    return [network.name, cells, f"{reference:.2f}", f"{ideal['top1']:.2f}",
            f"{exact['top1']:.2f}",
            f"{analog['top1_mean']:.2f} +- {analog['top1_std']:.2f}",
            mapping["arrays"], f"{100 * mapping['cell_utilisation']:.1f} %",
            mapping["mvms_per_image"], f"{exact['images_per_s']:.0f}",
            f"{analog['images_per_s']:.0f}"]


def print_table(rows):
    widths = [max(len(str(line[i])) for line in [HEADER, *rows])
              for i in range(len(HEADER))]
    for line in [HEADER, *rows]:
        print("  ".join(str(cell).rjust(width) for cell, width in zip(line, widths)))


def networks():
    yield Network("fashion-resnet", ROOT / "models/fashion-resnet.onnx",
                  ROOT / "scripts/fashion_mnist.py", [], ("test", "train"), (1, 2, 3))
    data = os.environ.get("CIM_DATA_DIR")
    if not data:
        print("CIM_DATA_DIR is not set: only the network that the project ships",
              file=sys.stderr)
        return
    for name, cells in [("cifar_resnet20_jpegft", (1, 2, 3)),
                        ("resnet20_w2a7_ternary_odimo", (1,))]:
        yield Network(name, pathlib.Path(data) / "models" / f"{name}.onnx",
                      pathlib.Path(data) / "load.py", [name],
                      ("test", "calibration"), cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true",
                        help="run all test images through each of the analog chips, not "
                        f"the first {ANALOG_SAMPLES}; takes ten times as long")
    full = parser.parse_args().full
    WORK.mkdir(parents=True, exist_ok=True)
    rows = []
    for network in networks():
        folder = WORK / network.name
        folder.mkdir(exist_ok=True)
        reference = float_top1(network)
        for cells in network.cells:
            rows.append(row(network, cells, reference, folder, full))
        dump_stages(network, network.cells[-1], folder)
    images = "all" if full else f"the first {ANALOG_SAMPLES}"
    print("\nTop-1 in percent on imec-ania, all test images; float is onnxruntime; "
          f"analog is mean and deviation of {TRIALS} chips on {images} images.\n")
    print_table(rows)
    print(f"\nThe IR of every stage: {WORK.relative_to(ROOT)}/<network>/<cells>.<stage>.mlir")


if __name__ == "__main__":
    main()
