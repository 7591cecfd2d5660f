#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures the simulator's speed and writes docs/Performance.md.

usage: CIM_DATA_DIR=... benchmark/performance.py [--build build/release] [-o docs/Performance.md]

Needs cim-compile, cim-run and the cim-bench-* programs of the build, the data
folder for the networks, and Linux' perf for the profile (left out without it).
Takes about four minutes. The first table says which goals are met.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOALS = "^(exact|static|noise)/[0-9]+x|normals"
SHAPES = ["1152x512", "576x64", "288x32", "144x16"]
MODES = [("exact", "exact"), ("static", "static variation"), ("noise", "+ conversion noise"), ("noise10", "the same, Philox 10"),
         ("read", "static + read noise"), ("all", "all of imec-ania")]
OTHERS = [("slices", "2-bit slices"), ("serial", "bit-serial"), ("wires", "IR drop"), ("jitter", "jitter"), ("lines", "compression, headroom"), ("sar", "SAR thresholds")]
NETWORKS = [("cifar_resnet20_jpegft", 1), ("cifar_resnet20_jpegft", 2), ("mlperftiny_resnet8_fp32", 1), ("fsdd_dscnn", 1)]


def run(*command, env=None):
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **(env or {})}).stdout


class Kernels:
    """cim-bench-kernels: medians by name, of a run or of several one after the other."""

    def __init__(self, build, isa=None, only=(".",)):
        runs = [json.loads(run(build / "bin/cim-bench-kernels", "--benchmark_format=json", f"--benchmark_filter={pattern}",
                               env={"CIM_ISA": isa} if isa else None)) for pattern in only]
        self.peak = statistics.median(float(out["context"]["peak"]) for out in runs) / 1e9
        self.isa = runs[0]["context"]["isa"]
        self.rows = {}
        for out in runs:
            for row in out["benchmarks"]:
                if row["aggregate_name"] == "median":
                    self.rows.setdefault(row["run_name"].split("/min_time")[0], []).append(row)

    def of_peak(self, name):
        return statistics.median(row["of_peak"] for row in self.rows[name])

    def ns(self, name):
        return statistics.median(row["ns/output"] for row in self.rows[name])


class Network:
    """A compiled network: images per second and processor, by device."""

    def __init__(self, build, folder, name, cells, target, images=1000):
        data = pathlib.Path(os.environ["CIM_DATA_DIR"])
        self.name, self.cells = name, cells
        self.program = folder / f"{name}-{cells}-{pathlib.Path(target).stem}.so"
        self.test = folder / f"{name}-test.x.npy"
        for split, limit in (("test", 1000), ("calibration", 512)):
            prefix = folder / f"{name}-{split}"
            if not pathlib.Path(f"{prefix}.x.npy").exists():
                run(sys.executable, data / "load.py", name, "--split", split, "--limit", limit, "-o", prefix)
        run(build / "bin/cim-compile", data / "models" / f"{name}.onnx", "-o", self.program, "--quiet", f"--target={target}",
            f"--cells={cells}", f"--calibration={folder / f'{name}-calibration.x.npy'}")
        out = run(build / "bin/cim-bench-network", self.program, self.test, f"--images={images}", "--threads=2")
        self.per_second = {}
        for line in out.splitlines():
            words = line.split()
            if words and words[0] in ("ideal", "exact", "analog"):
                self.per_second[words[0]] = float(words[2])


def quiet_target(folder):
    """imec-ania with 2 % read noise, 5 % static variation and nothing else."""
    text = (ROOT / "targets/imec-ania.yaml").read_text()
    text, count = re.subn(r"^  adc_(offset|gain|noise): .*\n", "", text, flags=re.M)
    assert count == 3
    path = folder / "read-and-static.yaml"
    path.write_text(text)
    return path


def variants(folder):
    """imec-ania without noise, but with one effect each: (name, target)."""
    text = (ROOT / "targets/imec-ania.yaml").read_text()
    text, count = re.subn(r"^  (read|static|adc_offset|adc_gain|adc_noise): { value: [0-9.]+ (%|lsb)", r"  \1: { value: 0 \2", text, flags=re.M)
    assert count == 5
    encoding, rounding = "  encoding: pulse-width\n", "  rounding: nearest-even\n"
    wires = "wire_resistance: { value: 0.35 ohm, source: aihwkit }\n  cell_conductance: { value: 5 uS, source: aihwkit }"
    lines = "compression: { value: 10 %, source: unsourced }\n  curve: exponential\n  headroom: { value: 90 %, source: unsourced }"
    edits = [
        ("2-bit slices", encoding, "  encoding: sliced\n  slice_bits: 2\n"),
        ("bit-serial", encoding, "  encoding: bit-serial\n"),
        ("IR drop", "timing:\n", f"lines:\n  {wires}\n  source: aihwkit\ntiming:\n"),
        ("jitter 20 %", encoding, encoding + "  jitter: { value: 20 %, source: unsourced }\n"),
        ("compression, headroom", "timing:\n", f"lines:\n  {lines}\n  source: unsourced\ntiming:\n"),
        ("SAR, 3 % mismatch", rounding, rounding + "  architecture: sar\n  capacitor_mismatch: { value: 3 %, source: unsourced }\n"),
    ]
    for number, (name, old, new) in enumerate(edits):
        assert text.count(old) == 1
        path = folder / f"variant{number}.yaml"
        path.write_text(text.replace(old, new))
        yield name, path


def chip(build):
    """cim-bench-chip: {mode: [(cells, ms, ns per cell, bytes per cell)]}."""
    rows = {}
    for line in run(build / "bin/cim-bench-chip").splitlines()[2:]:
        mode, *numbers = line.split()
        rows.setdefault(mode, []).append([float(n) for n in numbers])
    return rows


def peak_memory(build, network, device):
    """Most resident bytes of a run, less its samples."""
    command = [build / "bin/cim-run", network.program, "--input", network.test, f"--device={device}"]
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss * 1024 - network.test.stat().st_size


def profile(build, network, folder):
    """Where the processor time of all three devices goes, or None without perf."""
    data = folder / "perf.data"
    try:
        subprocess.run(["perf", "record", "-q", "-o", data, "-e", "cpu-clock", "-F", "2000", build / "bin/cim-run", network.program,
                        "--input", network.test, "--device=analog", "--threads=1"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        out = subprocess.run(["perf", "report", "-i", data, "--stdio", "--sort=symbol"], check=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    rows = re.findall(r"^ +([0-9.]+)% +\[.\] (.*?) *$", out, flags=re.M)
    names = [(float(share), re.split(r"\(|   ", name.replace("(anonymous namespace)::", ""))[0]) for share, name in rows]
    return [(share, name) for share, name in names if share >= 0.4]


def table(header, rows):
    lines = ["| " + " | ".join(str(c) for c in header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows])


def gates(kernels, nets, chips):
    """(what, goal, measured, met)."""
    def at_least(what, goal, value, digits=2):
        return what, f">= {goal:.{digits}f}", f"{value:.{digits}f}", value >= goal

    def at_most(what, goal, value, digits=2):
        return what, f"<= {goal:.{digits}f}", f"{value:.{digits}f}", value <= goal

    for shape in SHAPES:
        small = shape == "144x16"
        yield at_least(f"exact kernel, K x N = {shape}, of the int8 peak", 0.60 if small else 0.75, kernels.of_peak(f"exact/{shape}"))
        yield at_least(f"the same with one normal per conversion (static variation and conversion noise)", 0.40 if small else 0.60,
                       kernels.of_peak(f"noise/{shape}"))
    # A difference; of larger kernels it is below what their times scatter.
    for shape in SHAPES[2:]:
        yield at_most(f"a noise sample within the kernel, {shape}, ns", 0.5, kernels.ns(f"noise/{shape}") - kernels.ns(f"static/{shape}"))
    yield at_most("a noise sample alone, ns", 0.5, kernels.ns("normals/7"))
    yield at_least("ResNet-20, exact, images/s on 2 cores", 5000, 2 * nets["exact"], 0)
    yield at_least("ResNet-20, 2 % read noise + 5 % static variation + 6-bit ADC, images/s on 2 cores", 3500, 2 * nets["analog"], 0)
    yield at_most("a new chip of ResNet-18's size with static variation, ms of one core", 50, chips["static"][-1][1], 1)
    yield at_most("memory of a chip, bytes per cell", 3, max(row[-1] for rows in chips.values() for row in rows))
    yield at_most("time per cell of a chip 4 times as large, relative", 1.25, chips["static"][-1][2] / chips["static"][0][2])
    yield at_most("time per output, 256 times the windows, relative", 1.25, kernels.ns("read/windows/16384") / kernels.ns("read/windows/64"))
    # A column of 4 times the rows costs 4 times as much, less what each conversion costs.
    cells = [kernels.ns(f"exact/cells/{n}") for n in (9216, 36864, 147456, 589824)]
    yield at_most("time per output when rows and columns double, relative", 2.2, max(b / a for a, b in zip(cells, cells[1:])))


def machine(kernels):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    commit = run("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD").strip()
    load = os.getloadavg()[0]
    return (f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} processors, {kernels.isa} kernels; int8 peak of one core "
            f"{kernels.peak:.0f} GMAC/s. {datetime.date.today()}, commit {commit}, load average {load:.1f}.")


def document(build, folder):
    # What goals are about is measured at three times, minutes are not alike on a machine with other jobs.
    kernels = Kernels(build, only=(GOALS, ".", GOALS))
    chips = chip(build)
    target = quiet_target(folder)
    quiet = Network(build, folder, NETWORKS[0][0], 1, target)
    whole = [Network(build, folder, name, cells, "imec-ania") for name, cells in NETWORKS]
    goals = list(gates(kernels, quiet.per_second, chips))
    for what, goal, value, met in goals:
        print(f"{'met   ' if met else 'MISSED'}  {value:>8}  {goal:>8}  {what}")
    yield "<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception -->"
    yield "# Performance\n"
    yield f"Written by `benchmark/performance.py`. {machine(kernels)}"
    yield ("Times are processor time of one thread, medians of 7 (of the kernels that goals are about: of 3 runs of 7), so that other jobs on the machine matter little; \"images/s on 2 cores\" is "
           "images per second of processor time, times two. The peak is what independent products of registers reach, measured by the same process.\n")
    yield "## Goals\n"
    yield table(["goal", "wanted", "measured", ""], [[w, g, v, "met" if met else "**missed**"] for w, g, v, met in goals])
    yield "\n## Kernels\n"
    yield "3 x 3 convolutions, as a fraction of the int8 peak (and ns per output):\n"
    yield table(["K x N"] + [title for _, title in MODES],
                [[s] + [f"{kernels.of_peak(f'{m}/{s}'):.2f} ({kernels.ns(f'{m}/{s}'):.2f})" for m, _ in MODES] for s in SHAPES])
    yield READ_NOISE
    yield "Effects that are no noise, alone; in brackets how many times as long as *exact*:\n"
    yield table(["K x N"] + [title for _, title in OTHERS],
                [[s] + [f"{kernels.of_peak(f'{m}/{s}'):.2f} ({kernels.ns(f'{m}/{s}') / kernels.ns(f'exact/{s}'):.1f})" for m, _ in OTHERS] for s in SHAPES])
    yield OTHER_EFFECTS
    yield f"Normal deviates alone: {kernels.ns('normals/7'):.2f} ns each with 7 rounds of Philox, {kernels.ns('normals/10'):.2f} ns with 10.\n"
    yield "Other instruction sets give the same bits (fraction of their own peak, ns per output):\n"
    rows = []
    for isa in ("avxvnni", "avx2", "portable"):
        other = Kernels(build, isa, ["^(exact|noise|read)/(576x64|144x16)"])
        rows += [[isa, f"{other.peak:.0f}", shape] + [f"{other.of_peak(f'{m}/{shape}'):.2f} ({other.ns(f'{m}/{shape}'):.2f})" for m in ("exact", "noise", "read")]
                 for shape in ("576x64", "144x16")]
    yield table(["", "peak, GMAC/s", "K x N", "exact", "+ conversion noise", "static + read noise"], rows)
    yield "\n## Cost grows linearly\n"
    yield "With windows (K x N = 576 x 64), ns per output:\n"
    windows = [64, 256, 1024, 4096, 16384]
    yield table(["windows per image"] + windows, [[m] + [f"{kernels.ns(f'{m}/windows/{w}'):.2f}" for w in windows] for m in ("exact", "read")])
    yield "\nWith cells (256 windows, K = 9 N), ns per thousand cells and window:\n"
    cells = [9216, 36864, 147456, 589824]
    yield table(["cells"] + cells, [[m] + [f"{1000 * kernels.ns(f'{m}/cells/{c}') / (9 * (c / 9) ** 0.5):.2f}" for c in cells] for m in ("exact", "read")])
    yield "\n## Chips\n"
    yield "Creating, programming and preparing a chip; the larger one has the weights of ResNet-18. Bytes are of the heap, with the cells as programmed:\n"
    yield table(["device", "cells", "ms", "ns per cell", "bytes per cell"],
                [[mode, f"{c:.0f}", f"{ms:.1f}", f"{ns:.2f}", f"{b:.2f}"] for mode, rows in chips.items() for c, ms, ns, b in rows])
    yield "\nA thread adds its copy of a piece of a feature map with its tables: about half a megabyte, more where a few rows of a map are larger.\n"
    yield "## Networks\n"
    yield ("Images per second of one core, imec-ania. *read + static*: 2 % read noise and 5 % static variation only; *analog*: with noise, offset and gain "
           "of the converter too. Memory: most resident bytes of `cim-run` less its samples, MB.\n")
    rows = [["cifar_resnet20_jpegft (read + static)", 1] + [f"{quiet.per_second[d]:.0f}" for d in ("ideal", "exact", "analog")] + [f"{peak_memory(build, quiet, 'analog') / 1e6:.0f}"]]
    rows += [[n.name, n.cells] + [f"{n.per_second[d]:.0f}" for d in ("ideal", "exact", "analog")] + [f"{peak_memory(build, n, 'analog') / 1e6:.0f}"] for n in whole]
    yield table(["network", "cells per weight", "ideal", "exact", "analog", "memory"], rows)
    yield "\nThe first of these networks without noise, with one effect each (images per second of one core):\n"
    other = [(effect, Network(build, folder, NETWORKS[0][0], 1, path, images=200)) for effect, path in variants(folder)]
    yield table(["effect", "exact", "analog"], [[effect] + [f"{n.per_second[d]:.0f}" for d in ("exact", "analog")] for effect, n in other])
    shares = profile(build, quiet, folder)
    if shares:
        yield PROFILE
        yield table(["%", "function"], [[f"{share:.1f}", f"`{name}`"] for share, name in shares])


PROFILE = """
Where ResNet-20 with read noise and static variation spends its time (perf, one thread): `runPath<V>` is the product with V vectors of columns,
together with the sums of squares, `addAnalog` noise, converter and epilogue, `padImage` the copy of feature maps and the tables, `cim_loop_*`
compiled host code.
"""

OTHER_EFFECTS = """
- *slices* that are converted one by one: a product and a conversion for each of 4 or 7.
- *IR drop*: three products in place of one, and about 20 instructions per vector for the model.
- *jitter*: a second product, and K normal deviates per window, which all columns share: N decides what they cost.
- *thresholds*: one or two gathers per vector while converters are good.
"""

READ_NOISE = """
What limits each column:

- *exact*: the multiplier. The rest is converter and epilogue, 13 instructions per vector of 16 outputs, which a small K cannot hide.
- *conversion noise*: about 20 instructions of Philox per vector (two of the seven rounds are shared by all columns or all windows) and 15 for the
  inverse distribution; half of them need one of the two ports that shuffle and shift.
- *read noise*: the variance `V = sum q^2 U` differs for every output and is exact. Per eight rows and 16 columns the product takes two
  multiplications; V takes one multiplication and one lookup more. On this processor three instructions that multiply and one lookup share three
  ports, so that 2 / 2.67 = 0.75 of the peak is the bound for large K. On top come the tables (made once per feature map), a square root
  (10 cycles per vector) and the normal deviate; at K = 144 these take as long as the product. The goals for kernels with noise are about one normal per
  conversion; held against them, read noise would miss all four (0.60, and 0.40 at K = 144).
- *all of imec-ania*: noise of the converter costs nothing more, as it is one normal together with read noise.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "docs/Performance.md")
    arguments = parser.parse_args()
    if "CIM_DATA_DIR" not in os.environ:
        parser.error("CIM_DATA_DIR is not set: the folder with networks and data")
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(document(arguments.build, pathlib.Path(folder))) + "\n"
    arguments.output.write_text(text)


if __name__ == "__main__":
    main()
