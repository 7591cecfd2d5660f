#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A plot for every effect of docs/Physics.md, measured on the device itself (lines) beside its formula (dots).

    CIM_BUILD_DIR=build/release .venv/bin/python benchmark/physics/plots.py [--out docs/physics] [--quick]

--quick takes few cells and reads.
"""

import argparse
import math
import pathlib

import numpy as np

from chart import Chart
from device import ROOT, conductances, multiply

LEVELS = {"array": {"cell_lo": -7, "cell_hi": 7, "columns": 4096}}
rng = np.random.default_rng(7)


def target(**sections):
    return {**LEVELS, **sections}


def variation(n):
    chart = Chart("Static variation of a cell at level 4, 20 %", "conductance in levels", "density")
    s = 0.2
    tau = math.sqrt(math.log(1 + s * s))
    formulas = {
        "normal": lambda c: np.exp(-((c / 4 - 1) ** 2) / 2 / s**2) / s / 4 / math.sqrt(2 * math.pi),
        "lognormal": lambda c: np.exp(-((np.log(c / 4) + tau**2 / 2) ** 2) / 2 / tau**2) / c / tau / math.sqrt(2 * math.pi),
        "uniform": lambda c: (np.abs(c / 4 - 1) < s * math.sqrt(3)) / (8 * s * math.sqrt(3)),
    }
    for name, formula in formulas.items():
        c = conductances(4, target(noise={"static": s}, cells={"distribution": name}), n)
        density, edges = np.histogram(c, bins=np.arange(1.05, 7.2, 0.2), density=True)  # two conductance codes a bin
        middle = (edges[1:] + edges[:-1]) / 2
        chart.line(name, middle, density)
        chart.line("", middle, formula(middle), dots=True)
    return chart


def dependence(n):
    chart = Chart("Deviation by state, noise.static = 2 %, levels to 7", "level", "deviation in levels")
    levels = np.arange(1, 8)
    for name in ("proportional", "additive", "inverse"):
        found = [conductances(t, target(noise={"static": 0.02}, cells={"dependence": name, "mapping": "offset"}), n).std() for t in levels]
        chart.line(name, levels, found)
        g = levels + 7
        chart.line("", levels, {"proportional": 0.02 * g, "additive": 0.28 + 0 * g, "inverse": 0.02 * 14 * 14 / g}[name], dots=True)
    return chart


def on_off(n):
    chart = Chart("A ternary cell of level 0 with two leaking devices, 10 %", "on/off ratio", "deviation in levels")
    ratios, ternary = np.linspace(1.5, 8, 12), {"array": {"cell_lo": -1, "cell_hi": 1}}
    chart.line("device", ratios, [conductances(0, {**ternary, "noise": {"static": 0.1}, "cells": {"on_off": r}}, n).std() for r in ratios])
    chart.line("formula", ratios, 0.1 * math.sqrt(2) / ratios / (1 - 1 / ratios), dots=True)
    return chart


def stuck(n):
    chart = Chart("Stuck devices of a cell at level 7", "share of devices", "mean conductance in levels")
    rates = np.linspace(0, 0.5, 11)
    for name in ("stuck_on", "stuck_off"):
        chart.line(name, rates, [conductances(7, target(cells={name: r}), n).mean() for r in rates])
        chart.line("", rates, 7 * (1 - rates), dots=True)
    return chart


def programming(n):
    chart = Chart("Programming noise of the named models", "g / g_max", "deviation / g_max")
    levels = np.arange(-7, 8)
    for model in ("pcm", "pcm-hermes-1", "pcm-hermes-2", "reram-wan", "reram-cmo", "reram-milo", "sonos"):
        found = [conductances(t, target(cells={"model": model, "mapping": "offset"}), n).std() / 14 for t in levels]
        chart.line(model, (levels + 7) / 14, found)
    return chart


def drift(n):
    chart = Chart("Drift of a cell at the largest conductance", "seconds", "mean conductance / g_max", log_x=True)
    ages = np.geomspace(1, 3.15e7, 12)
    for model in ("pcm", "pcm-hermes-1", "pcm-hermes-2", "sonos"):
        chart.line(model, ages, [conductances(7, target(cells={"model": model}), n, age=a).mean() / 7 for a in ages])
    own = {"drift": 0.1, "drift_spread": 0.01}
    chart.line("drift 0.1", ages, [conductances(7, target(cells=own), n, age=a).mean() / 7 for a in ages])
    l = np.log1p(ages / 20)
    chart.line("", ages, np.exp(-0.1 * l + (0.01 * l) ** 2 / 2), dots=True)
    return chart


def compensation(n):
    chart = Chart("Global drift compensation, pcm", "seconds", "relative error of an output (rms)", log_x=True)
    cells, x = rng.integers(-7, 8, (200, 50)), rng.integers(-63, 64, (1, 200))
    ages = np.geomspace(1, 3.15e7, 10)
    exact = (x @ cells)[0]
    for name in ("none", "global"):
        error = []
        for age in ages:
            t = target(cells={"model": "pcm", "compensation": name})
            y = [multiply(x, cells, t, trial=trial, age=age)[0] - exact for trial in range(max(2, n // 20))]
            error.append(np.sqrt(np.mean(np.square(y))) / exact.std())
        chart.line(name, ages, error)
    return chart


def flicker(n):
    chart = Chart("1/f read noise, Q = 1 %, level 7", "seconds", "deviation of a read in levels", log_x=True)
    ages = np.geomspace(1, 3.15e7, 10)
    x = np.full((20 * n, 1), 63)
    found = [multiply(x, np.full((1, 4), 7), target(cells={"flicker": 0.01, "drift_start": 1}), age=a).std() / 63 for a in ages]
    chart.line("device", ages, found)
    chart.line("formula", ages, 0.07 * np.sqrt(np.log((ages + 1 + 250e-9) / 500e-9)), dots=True)
    return chart


def read_noise(n):
    chart = Chart("Read noise of a column of 100 cells", "noise.read", "deviation of the sum")
    x, cells = np.repeat(rng.integers(-63, 64, (1, 100)), 20 * n, 0), rng.integers(-7, 8, (100, 1))
    sigmas = np.linspace(0.01, 0.1, 7)
    chart.line("device", sigmas, [multiply(x, cells, target(noise={"read": float(s)})).std() for s in sigmas])
    chart.line("formula", sigmas, sigmas * math.sqrt(float((x[0] ** 2) @ (cells[:, 0] ** 2))), dots=True)
    return chart


def jitter(n):
    chart = Chart("Jitter of pulses: covariance of two columns", "cells that both have", "covariance", False)
    common = np.arange(0, 101, 10)
    found = []
    for k in common:
        cells = np.zeros((100, 2), int)
        cells[:, 0] = 1
        cells[:k, 1] = 1
        y = multiply(np.full((20 * n, 100), 5), cells, target(input={"jitter": 0.2}))
        found.append(np.cov(y.T)[0, 1])
    chart.line("device", common, found)
    chart.line("formula", common, 0.04 * common, dots=True)
    return chart


def slices(n):
    chart = Chart("Sliced inputs, 6-bit converters, 200 rows", "bits of a slice", "error of an output (rms)")
    x, cells = rng.integers(-63, 64, (n, 200)), rng.integers(-1, 2, (200, 32))
    gain = 32 / (3 * (x @ cells).std())
    for name in ("digital", "analog"):
        error = []
        for bits in range(1, 7):
            t = target(input={"slice_bits": bits, "accumulation": name})
            y = multiply(x, cells, t, mode="exact", gain=gain, adc_bits=6)
            error.append(np.sqrt(np.mean((y - x @ cells) ** 2)))
        chart.line(name, range(1, 7), error)
    return chart


def ir_drop(n):
    chart = Chart("IR drop, fitted model: 512 rows, 5 uS", "ohm per cell", "mean output / ideal", log_x=True)
    x, cells = np.full((1, 512), 20), np.ones((512, 1))
    ohms = np.geomspace(0.01, 10, 12)
    ideal, k = 20 * 512, np.arange(512)
    found = [multiply(x, cells, {"lines": {"wire_resistance": r, "cell_conductance": 5e-6}})[0, 0] / ideal for r in ohms]
    chart.line("device", ohms, found)
    a = 512 * ohms * 5e-6 * 512 * 20 / 63
    c = np.minimum(0.05 * a**3 - 0.2 * a**2 + 0.5 * a, 1)
    chart.line("formula", ohms, 1 - c * (1 - (1 - k / 512) ** 2).mean(), dots=True)
    return chart


def lines(n):
    chart = Chart("Compression 50 %, headroom 60 %, attenuation 30 % (last column)", "codes on an ideal line", "codes at the converter")
    x = np.arange(-63, 64)[:, None]
    for name, section in {
        "rational": {"compression": 0.5},
        "exponential": {"compression": 0.5, "curve": "exponential"},
        "headroom": {"headroom": 0.6},
        "attenuation": {"attenuation": 0.3},
    }.items():
        t = {"array": {"columns": 1}, "lines": {**section, "full_scale": 63.0}}
        chart.line(name, x[:, 0], multiply(x, np.ones((1, 1)), t)[:, 0])
    return chart


def converters(n):
    """Of the fourth column: a ramp has the DAC of the first there, the others have one of their own."""
    chart = Chart("Thresholds of one column's converter", "code", "threshold less its ideal place, in codes")
    fine, codes = 32, np.arange(-31, 32)  # steps of the input per code
    sums = np.arange(-36 * fine, 36 * fine + 1)
    x = np.stack([(sums + k) // 20 for k in range(20)], 1)  # adds up to sums
    bend = [0.8 * math.sin(j / 10) for j in range(63)]
    for name, section, formula in (
        ("sar, 10 %", {"architecture": "sar", "capacitor_mismatch": 0.1}, None),
        ("sar-split, 5 %", {"architecture": "sar-split", "capacitor_mismatch": 0.05}, None),
        ("ramp, 10 %", {"architecture": "ramp", "capacitor_mismatch": 0.1}, None),
        ("gain 30 dB", {"architecture": "sar", "amplifier_gain": 30}, codes / (1 + (1 + abs(codes) / 32) / 10**1.5) - codes),
        ("inl", {"inl": bend}, bend),
    ):
        found = multiply(x, np.ones((20, 4)), {"adc": section}, gain=1 / fine, adc_bits=6)[:, 3] / fine
        first = np.argmax(found[:, None] >= codes, 0)
        chart.line(name, codes, sums[first] / fine - (codes - 0.5))
        if formula is not None:
            chart.line("", codes[::3], formula[::3], dots=True)
    return chart


def calibration(n):
    chart = Chart("Calibrated converters: gain 5 %, offset 0.8 lsb, noise 1 lsb", "reads per converter", "error in codes (rms)", log_x=True)
    noise = {"adc_gain": 0.05, "adc_offset": 0.8, "adc_noise": 1.0}
    x = np.repeat(np.arange(-20, 21)[:, None], 10, 0)
    reads = [4, 8, 16, 32, 64, 128, 256, 512]
    ones = np.ones((1, n))
    error = lambda adc: np.sqrt(np.mean((multiply(x, ones, {"noise": noise, "adc": adc}, gain=1, adc_bits=6) - x) ** 2))
    chart.line("calibrated", reads, [error({"calibration_reads": r}) for r in reads])
    chart.line("not calibrated", reads, [error({})] * len(reads))
    chart.line("noise alone", reads, [math.sqrt(1 + 1 / 12)] * len(reads), dots=True)
    return chart


PLOTS = [variation, dependence, on_off, stuck, programming, drift, compensation, flicker, read_noise, jitter, slices, ir_drop, lines, converters, calibration]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "physics")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for plot in PLOTS:
        path = arguments.out / f"{plot.__name__.replace('_', '-')}.svg"
        plot(20 if arguments.quick else 200).write(path)
        print(path)


if __name__ == "__main__":
    main()
