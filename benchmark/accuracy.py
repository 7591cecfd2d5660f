# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What networks keep of their accuracy on imec-ania: every network of CIM_DATA_DIR with 1, 2 and 3 cells per weight and
as many as --accuracy-drop finds necessary, on the ideal, the exact and ten analog devices, each in its own metric, as a
Markdown table.

    CIM_BUILD_DIR=build/release CIM_DATA_DIR=../shared/data .venv/bin/python benchmark/accuracy.py -o docs/AccuracyResults.md

Metrics: top-1 in percent; agreement of top-1 with float in percent; cross-entropy in nats; PSNR in dB, mean of the
images; else the signal-to-error ratio (SQNR) against float in dB, mean of the outputs. Calibrated on at most 1,024
calibration samples (tuned cells on more), never on those that are measured, unless there are no others (marked *); a
language model also on text that its float network writes (sampled). --networks and --cells choose rows; lines of others
in an existing output file stay.
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

CALIBRATION, HELD, RANDOM, CHIPS = 1024, 1024, 32, 10
SAMPLED = 112  # texts: with the 16 of the data set, as many windows as calibration looks at
SAMPLED_FOR_CELLS = 1008  # with those 16, as many as tuning of cells looks at
BOUNDS = {  # what --accuracy-drop allows: points, percent of the samples, or a signal-to-error ratio
    "top1": "1",
    "agreement_with_float": "5",
    "cross_entropy_nats": "20dB",
    "psnr_db": "38dB",
    "fidelity": "20dB",
}
COLUMNS = ["network", "cells", "metric", "float", "ideal", "exact", f"analog ({CHIPS} chips)"]
COLUMNS += ["calibrated chips", "calibrated on", "measured on", "date, commit"]


class Task:
    """A network, what it is measured on and how."""

    def __init__(self, name, description, data_dir, folder, samples, tune):
        self.name, self.metric, self.folder = name, description["metric"], folder
        self.path = networks.path_of(name, data_dir)
        self.model = networks.load(self.path)
        self.outputs = [o.name for o in self.model.graph.output]
        self.labels = self.calibration_labels = None
        self.note = ""  # about the samples
        if description["data"] == "set5":
            self._read_images(np.load(data_dir / "datasets" / "set5" / "set5_x2_4img.npz"))
        elif description["data"] == "none":
            self.x = networks.random_data(self.model, RANDOM)
            self.calibration = networks.random_data(self.model, 2 * RANDOM, seed=1)
            if name in networks.PIXELS:
                self.x, self.calibration = (np.clip(128 + 64 * a, 0, 255) for a in (self.x, self.calibration))
            self.note = " random"
        else:
            self._read_samples(data_dir, samples)
        if description["data"] == "lm":
            sampled = SAMPLED_FOR_CELLS if tune == "cells" else SAMPLED
            self.calibration = np.concatenate([self.calibration, self._write_texts(sampled)])
            self.note = f" ({sampled} sampled)"
        np.save(folder / "calibration.npy", self.calibration)
        if self.calibration_labels is not None:
            np.save(folder / "labels.npy", self.calibration_labels)
        self.reference = self._run_float()

    def _read_samples(self, data_dir, samples):
        self.x, self.labels = networks.real_data(self.name, data_dir, self.folder, "test", samples)
        self.calibration, self.calibration_labels = networks.real_data(
            self.name, data_dir, self.folder, "calibration", CALIBRATION + HELD
        )
        whole = max(self.x, self.calibration, key=len)
        common = min(len(self.x), len(self.calibration))
        if np.array_equal(self.x[:common], self.calibration[:common]):  # one set for both
            half = len(whole) // 2
            self.calibration, self.x = whole[:half], whole[half:][:samples]

    def _write_texts(self, count):
        """Texts of the float network at temperature 1 that begin as those of the data set do."""
        session = float_reference.session(str(self.path))
        name = session.get_inputs()[0].name
        texts = np.repeat(self.calibration[:1], count, 0)
        generator = np.random.default_rng(0)
        for text in texts:
            for place in range(1, len(text)):  # what stands behind it does not matter
                logits = session.run(None, {name: text[None]})[0][0, place - 1]
                text[place] = np.argmax(logits + generator.gumbel(size=logits.size))
        return texts

    def _read_images(self, archive):
        """Patches of one size for the compiled network; every fourth one calibrates as well."""
        size, patches, truth, self.image = 64, [], [], []
        for name in sorted(k.removesuffix("_in") for k in archive.files if k.endswith("_in")):
            low, high = (archive[f"{name}_{part}"].astype(np.float32) / 255 for part in ("in", "gt"))
            for i in range(0, low.shape[-2] - size + 1, size):
                for j in range(0, low.shape[-1] - size + 1, size):
                    patches.append(low[..., i : i + size, j : j + size].reshape(1, size, size))
                    truth.append(high[..., i : i + size, j : j + size].reshape(1, size, size))
                    self.image.append(name)
        self.x, self.labels = np.stack(patches), np.stack(truth)
        self.calibration, self.note = self.x[::4], "*"

    def shape_option(self):
        name, _, dims, free = networks.input_of(self.model)
        dims = [8 if 0 in free else dims[0], *self.x.shape[1:]]
        return ["--shape", f"{name}={'x'.join(map(str, dims))}"] if free else []

    def _run_float(self):
        """Of every output its values, samples first."""
        if len(self.outputs) == 1:
            return [float_reference.run(str(self.path), self.x)]
        session = float_reference.session(str(self.path))
        name = session.get_inputs()[0].name
        return [np.concatenate(o) for o in zip(*(session.run(None, {name: x[None]}) for x in self.x))]

    def run(self, so, device, samples=None, *options):
        """The metric on a device."""
        x = self.x[:samples]
        if len(self.outputs) == 1:
            y = [tools.run_model(so, x, self.folder, f"--device={device}", *options)]
        else:
            y = tools.run_model(so, x, self.folder, f"--device={device}", *options, outputs=self.outputs)
            y = [y[name] for name in self.outputs]
        return self.measure(y, [r[: len(x)] for r in self.reference])

    def measure(self, ys, references):
        """The metric of outputs, which may have an axis of chips in front."""
        (y, reference), labels = (ys[0], references[0]), self.labels
        count = len(reference)
        if self.metric == "top1":
            return 100 * (y.reshape(*y.shape[:-1], -1).argmax(-1) == labels[:count]).mean(-1)
        if self.metric == "agreement_with_float":
            return 100 * (y.argmax(-1) == reference.argmax(-1)).mean(-1)
        if self.metric == "cross_entropy_nats":
            logits = y[..., :-1, :].astype(float)
            top = logits.max(-1, keepdims=True)
            logs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
            following = np.broadcast_to(self.x[:count, 1:, None], (*logits.shape[:-1], 1))
            return -np.take_along_axis(logs, following, -1).mean((-1, -2, -3))
        if self.metric == "psnr_db":
            error = ((np.clip(y, 0, 1) - labels) ** 2).mean((-1, -2, -3))
            images = [error[..., np.array(self.image) == name].mean(-1) for name in sorted(set(self.image))]
            return np.mean([-10 * np.log10(e) for e in images], 0)
        return np.mean([measure_ratio(y, r.astype(float)) for y, r in zip(ys, references)], 0)


def measure_ratio(y, reference):
    axes = tuple(range(y.ndim - reference.ndim, y.ndim))
    return 10 * np.log10((reference**2).mean() / ((y - reference) ** 2).mean(axes))


def show(values):
    values = np.atleast_1d(values)
    spread = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
    return f"{values.mean():.2f}{spread}"


def compile_network(task, cells, tune, so):
    """What the columns "cells" and "calibrated on" say."""
    options = ["--quiet", f"--tune={tune}", f"--calibration={task.folder / 'calibration.npy'}", *task.shape_option()]
    if task.metric in ("top1", "agreement_with_float", "cross_entropy_nats"):
        options.append("--classes")
    if cells != "auto":
        tools.compile_model(task.path, so, *options, f"--cells={cells}", timeout=7200)
        count = len(task.calibration)
        more = f", cells {count}" if tune == "cells" and count > CALIBRATION else ""
        return f"{cells}, tuned" if tune == "cells" else cells, f"{min(count, CALIBRATION)}{more}{task.note}"
    if task.calibration_labels is not None:
        options.append(f"--labels={task.folder / 'labels.npy'}")
    report = task.folder / "report.json"
    options += [f"--accuracy-drop={BOUNDS[task.metric]}", f"--report={report}"]
    tools.compile_model(task.path, so, *options, timeout=3600)
    found = json.loads(report.read_text())["precision"]
    digital = sum(layer["cells_per_weight"] == 0 for layer in found["layers"])
    text = f"auto: {found['mean_cells_per_weight']:.2f}" + (f", {digital} of {len(found['layers'])} layers digital" if digital else "")
    return text, f"{found['calibration_samples']} + {found['held_samples']}{task.note}"


def rows(task, cells, tune, chip_samples, stamp):
    """The lines of the table for one network."""
    so = task.folder / "network.so"
    for count in cells:
        text, calibrated = compile_network(task, count, tune, so)
        few = len(task.x) if task.metric == "psnr_db" else min(chip_samples, len(task.x))
        chips = ["analog", few, f"--trials={CHIPS}"]
        calibrate = f"--calibrate={task.folder / 'calibration.npy'}"
        results = [task.run(so, "ideal"), task.run(so, "exact"), task.run(so, *chips), task.run(so, *chips, calibrate)]
        is_relative = task.metric in ("agreement_with_float", "fidelity")
        own = "float" if is_relative else show(task.measure(task.reference, task.reference))
        metric = "SQNR_db" if task.metric == "fidelity" else task.metric
        measured = f"{len(task.x)}, analog {few}" if few < len(task.x) else str(len(task.x))
        random = task.note if "random" in task.note else ""
        yield [task.name, text, metric, own, *map(show, results), calibrated, measured + random, stamp]


def known_lines(path):
    """(network, cells) -> line of a table written before."""
    if not path or not path.exists():
        return {}
    lines = [line for line in path.read_text().splitlines() if line.startswith("| ")]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines[2:]]  # behind the header
    return {(c[0], c[1].split(":")[0]): c for c in cells}


def write(path, lines):
    order = sorted(lines)
    table = [COLUMNS, ["---"] * len(COLUMNS), *(lines[key] for key in order)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in table)
    licence = "<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception -->"
    about = (
        "Written by `benchmark/accuracy.py`: target `imec-ania`, no training. *float* is onnxruntime; *analog* is mean ± deviation of chips,\n"
        "*calibrated* the same after `cim-run --calibrate` with the calibration samples ([Runtime.md](Runtime.md)).\n"
        "*auto* has as many cells per weight (mean of those on arrays) as `--accuracy-drop` needs, which measures on calibration samples\n"
        f"that it holds back: {BOUNDS['top1']} point of top-1, {BOUNDS['agreement_with_float']} % of the classes, 1 % of the outputs' energy (20 dB; vdsr: 38 dB).\n"
        "Networks that arrive in ternary have one row. Networks that classify are compiled with `--classes` (rows of commits before 5ed9dd0 without),\n"
        "all with `--tune` (rows dated before it was there, 4f5c13a and older, without), those called *tuned* with `--tune=cells`, which looks at as many samples as stand behind *cells*.\n"
        "Where networks share their data with calibration (*), it is a quarter of what is measured. *random*: inputs are normal random numbers of a fixed seed.\n"
        "The method is [Accuracy.md](Accuracy.md)."
    )
    page = f"{licence}\n# Accuracy: results\n\n{about}\n\n{text}\n"
    path.write_text(page) if path else print(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", type=pathlib.Path, help="Markdown file to write; default: print")
    parser.add_argument("--networks", help="names, separated by commas; default: all of networks.json")
    parser.add_argument("--cells", default="1,2,3,auto", help="cells per weight, default 1,2,3,auto")
    parser.add_argument("--tune", default="scales", choices=["scales", "cells"], help="what --tune moves; cells: minutes per row, default scales")
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
                task = Task(name, described[name], data_dir, pathlib.Path(folder), arguments.samples, arguments.tune)
                # What arrives in ternary has nothing to choose.
                cells = ["1"] if "ternary" in described[name].get("note", "") else arguments.cells.split(",")
                for line in rows(task, cells, arguments.tune, arguments.chip_samples, stamp):
                    print("  ".join(line), file=sys.stderr, flush=True)
                    lines[line[0], line[1].split(":")[0]] = line
                    write(arguments.o, lines) if arguments.o else None
            except (tools.ToolError, subprocess.TimeoutExpired) as error:
                print(f"{name}: {str(error).splitlines()[-1]}", file=sys.stderr)
    if not arguments.o:
        write(None, lines)


if __name__ == "__main__":
    main()
