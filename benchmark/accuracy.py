# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What networks keep of their accuracy on imec-ania: every network of CIM_DATA_DIR with 1, 2 and 3 cells per weight on
the ideal, the exact and ten analog devices, each in its own metric, as a Markdown table.

    CIM_BUILD_DIR=build/release CIM_DATA_DIR=../shared/data .venv/bin/python benchmark/accuracy.py -o docs/AccuracyResults.md

Metrics: top-1 in percent; agreement of top-1 with float in percent; cross-entropy in nats; PSNR in dB, mean of the
images; else the signal-to-error ratio (SQNR) of the output against float in dB. Calibrated on at most 1,024
calibration samples, never on those that are measured, unless there are no others (marked *). --networks and --cells
choose rows; lines of others in an existing output file stay.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "Integration"))
os.environ.setdefault("CIM_BUILD_DIR", str(ROOT / "build" / "release"))

import float_reference  # noqa: E402
import networks  # noqa: E402
import tools  # noqa: E402

CALIBRATION, CHIPS = 1024, 10
COLUMNS = ["network", "cells", "metric", "float", "ideal", "exact", f"analog ({CHIPS} chips)", "calibrated on", "measured on", "date, commit"]


class Task:
    """A network, what it is measured on and how."""

    def __init__(self, name, description, data_dir, folder, samples):
        self.name, self.metric, self.folder = name, description["metric"], folder
        self.path = networks.path_of(name, data_dir)
        self.model = networks.load(self.path)
        self.labels, self.own = None, False
        if description["data"] == "set5":
            self._read_images(np.load(data_dir / "datasets" / "set5" / "set5_x2_4img.npz"))
            return
        try:
            self.x, self.labels = networks.real_data(name, data_dir, folder, "test", samples)
            self.calibration = networks.real_data(name, data_dir, folder, "calibration", CALIBRATION)[0]
        except subprocess.CalledProcessError:
            self.x = networks.random_data(self.model, 32)
            self.calibration = networks.random_data(self.model, 32, seed=1)
            if name in networks.PIXELS:
                self.x, self.calibration = (np.clip(128 + 64 * a, 0, 255) for a in (self.x, self.calibration))
        if self.x.shape == self.calibration.shape and np.array_equal(self.x, self.calibration):
            half = len(self.x) // 2
            self.calibration, self.x = self.x[:half][:CALIBRATION], self.x[half:]

    def _read_images(self, archive):
        """Patches of one size for the compiled network; every fourth one calibrates as well."""
        size, patches, truth = 64, [], []
        for name in sorted(k.removesuffix("_in") for k in archive.files if k.endswith("_in")):
            low, high = (archive[f"{name}_{part}"].astype(np.float32) / 255 for part in ("in", "gt"))
            for i in range(0, low.shape[-2] - size + 1, size):
                for j in range(0, low.shape[-1] - size + 1, size):
                    patches.append(low[..., i : i + size, j : j + size].reshape(1, size, size))
                    truth.append(high[..., i : i + size, j : j + size].reshape(1, size, size))
        self.x, self.labels = np.stack(patches), np.stack(truth)
        self.calibration, self.own = self.x[::4], True

    def shape(self):
        name, _, dims, free = networks.input_of(self.model)
        dims = [8 if 0 in free else dims[0], *self.x.shape[1:]]
        return ["--shape", f"{name}={'x'.join(map(str, dims))}"] if free else []

    def measure(self, y, reference):
        """The metric of outputs; `y` may have an axis of chips in front."""
        if self.metric == "top1":
            return 100 * (y.reshape(*y.shape[:-1], -1).argmax(-1) == self.labels).mean(-1)
        if self.metric == "agreement_with_float":
            return 100 * (y.argmax(-1) == reference.argmax(-1)).mean(-1)
        if self.metric == "cross_entropy_nats":
            logits = y[..., :-1, :].astype(float)
            top = logits.max(-1, keepdims=True)
            logs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
            following = np.broadcast_to(self.x[:, 1:, None], (*logits.shape[:-1], 1))
            return -np.take_along_axis(logs, following, -1).mean((-1, -2, -3))
        axes = tuple(range(y.ndim - reference.ndim, y.ndim))
        if self.metric == "psnr_db":
            return 10 * np.log10(1 / ((np.clip(y, 0, 1) - self.labels) ** 2).mean(axes))
        return 10 * np.log10((reference.astype(float) ** 2).mean() / ((y - reference.astype(float)) ** 2).mean(axes))


def show(values):
    values = np.atleast_1d(values)
    spread = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
    return f"{values.mean():.2f}{spread}"


def rows(task, cells, chip_samples, stamp):
    """The lines of the table for one network."""
    reference = float_reference.run(str(task.path), task.x)
    np.save(task.folder / "calibration.npy", task.calibration)
    so = task.folder / "network.so"
    for count in cells:
        options = ["--quiet", f"--cells={count}", f"--calibration={task.folder / 'calibration.npy'}", *task.shape()]
        tools.compile_model(task.path, so, *options)
        results = [task.measure(tools.run_model(so, task.x, task.folder, f"--device={d}"), reference) for d in ("ideal", "exact")]
        few = len(task.x) if task.metric == "psnr_db" else min(chip_samples, len(task.x))
        whole = task.x, task.labels
        task.x, task.labels = task.x[:few], None if task.labels is None else task.labels[:few]
        y = tools.run_model(so, task.x, task.folder, "--device=analog", f"--trials={CHIPS}")
        results.append(task.measure(y, reference[:few]))
        task.x, task.labels = whole
        own = "float" if task.metric in ("agreement_with_float", "fidelity") else show(task.measure(reference, reference))
        metric = "SQNR_db" if task.metric == "fidelity" else task.metric
        measured = f"{len(task.x)}, analog {few}" if few < len(task.x) else str(len(task.x))
        calibrated = f"{min(len(task.calibration), CALIBRATION)}{'*' if task.own else ''}"
        yield [task.name, str(count), metric, own, *map(show, results), calibrated, measured, stamp]


def known_lines(path):
    """(network, cells) -> line of a table written before."""
    if not path or not path.exists():
        return {}
    lines = [line for line in path.read_text().splitlines() if line.startswith("| ")]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    return {(c[0], c[1]): c for c in cells if c[0] != COLUMNS[0]}


def write(path, lines):
    order = sorted(lines)
    table = [COLUMNS, ["---"] * len(COLUMNS), *(lines[key] for key in order)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in table)
    licence = "<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception -->"
    about = (
        "Written by `benchmark/accuracy.py`: target `imec-ania`, split `radix`, no training. *float* is onnxruntime; *analog* is mean ± deviation of chips.\n"
        "Where networks share their data with calibration (*), it is a quarter of what is measured.\n"
        "The method is [Accuracy.md](Accuracy.md)."
    )
    page = f"{licence}\n# Accuracy: results\n\n{about}\n\n{text}\n"
    path.write_text(page) if path else print(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", type=pathlib.Path, help="Markdown file to write; default: print")
    parser.add_argument("--networks", help="names, separated by commas; default: all of networks.json")
    parser.add_argument("--cells", default="1,2,3", help="cells per weight, default 1,2,3")
    parser.add_argument("--samples", type=int, default=10000, help="test samples at most, default 10000")
    parser.add_argument("--chip-samples", type=int, default=1000, help="test samples on analog chips at most, default 1000")
    arguments = parser.parse_args()
    data_dir = pathlib.Path(os.environ["CIM_DATA_DIR"]).resolve()
    described = json.loads((data_dir / "networks.json").read_text())
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    stamp = f"{datetime.date.today()}, {commit or 'unknown'}"
    lines = known_lines(arguments.o)
    for name in (arguments.networks or ",".join(described)).split(","):
        with tempfile.TemporaryDirectory() as folder:
            try:
                task = Task(name, described[name], data_dir, pathlib.Path(folder), arguments.samples)
                for line in rows(task, arguments.cells.split(","), arguments.chip_samples, stamp):
                    print("  ".join(line), file=sys.stderr, flush=True)
                    lines[line[0], line[1]] = line
                    write(arguments.o, lines) if arguments.o else None
            except (tools.ToolError, subprocess.TimeoutExpired) as error:
                print(f"{name}: {str(error).splitlines()[-1]}", file=sys.stderr)
    if not arguments.o:
        write(None, lines)


if __name__ == "__main__":
    main()
