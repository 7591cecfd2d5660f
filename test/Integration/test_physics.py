# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Physics of a target file, from its keys to a layer's outputs. The closed forms of every single
effect are in unittests/Runtime (CellsTest.cpp, ColumnsTest.cpp)."""

import dataclasses
import subprocess
import sys
import xml.dom.minidom

import numpy as np
import onnx
import pytest

import layercases
import test_analog
import tools

sys.path.insert(0, str(tools.ROOT / "benchmark" / "physics"))
import device  # noqa: E402

in_python = pytest.mark.skipif(tools.is_sanitized(), reason="Python loads the simulator, and not the sanitizers' runtime")
QUIET = dict.fromkeys(test_analog.NOISE, 0)


class Chips(test_analog.Rig):
    """The layer of test_analog.py on a target with more sections."""

    @staticmethod
    def adjust(text, extra):
        if "encoding" in extra:
            text = text.replace("encoding: pulse-width", "encoding: " + "\n  ".join(extra["encoding"]))
        for line in extra.get("adc", []):
            text = text.replace("  range: twos-complement\n", f"  range: twos-complement\n  {line}\n")
        for section in ("cells", "lines"):
            if section in extra:
                body = "".join(f"  {line}\n" for line in [*extra[section], "source: test"])
                text = text.replace("\nsupply:\n", f"\n{section}:\n{body}\nsupply:\n")
        return text


@pytest.fixture
def chips(tmp_path, reference_device, monkeypatch):
    def make(noise={}, **extra):
        plain = test_analog.with_noise
        monkeypatch.setattr(test_analog, "with_noise", lambda text, n: Chips.adjust(plain(text, n), extra))
        folder = tmp_path / f"rig{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        rig = Chips(folder, reference_device, **noise)
        monkeypatch.setattr(test_analog, "with_noise", plain)
        return rig

    return make


def test_drift_and_age(chips):
    """Every device at the same exponent: all sums shrink alike, by the time that cim-run is told."""
    rig = chips(cells=["drift: { value: 0.05, source: t }", "age: { value: 1 h, source: t }"])
    exact = rig.sum
    for option, seconds in ((), 3600), (("--age=1d",), 86400), (("--age=1y",), 365 * 86400):
        left = (1 + seconds / 20) ** -0.05
        found = rig.sums(*option, samples=1)[0]
        # A conductance has 127 codes.
        bound = 0.5 / 127 * np.abs(rig.q).sum() + 1 / rig.gain
        assert np.abs(found - left * exact).max() < bound, option
    compensated = chips(cells=["drift: { value: 0.05, source: t }", "compensation: global"])
    a, b = compensated.sums(samples=1)[0], compensated.sums("--age=1y", samples=1)[0]
    assert np.abs(a - b).max() < bound / (1 + 365 * 86400 / 20) ** -0.05


def test_pcm_ages(chips):
    """Mean loss of conductance of the named model, over cells and chips."""
    rig = chips(cells=["model: pcm"])
    y = {}
    for age in ("1h", "1y"):
        many = tools.run_model(
            rig.folder / "layer.so", rig.x[:1], rig.folder, "--device=analog", "--trials=40", f"--age={age}"
        )
        y[age] = ((many[:, 0].astype(np.float64) - rig.bias) / rig.scale @ rig.sum) / (rig.sum @ rig.sum)
    for age, seconds in ("1h", 3600), ("1y", 365 * 86400):
        # At x = 1: mu = 0.049, sd = 0.008, so the mean of (1 + t/20)^-nu is a lognormal's.
        l = np.log1p(seconds / 20)
        expected = np.exp(-0.049 * l + (0.008 * l) ** 2 / 2)
        error = y[age].std(ddof=1) / np.sqrt(40)
        assert abs(y[age].mean() - expected) < 4.5 * error + 0.005, age


def test_faults(chips):
    """A dead column and a stuck row of array 0."""
    rig = chips(cells=["faults: [[0, all, 5, 0], [0, 7, all, 1]]"])
    matrix = rig.matrix.copy()
    matrix[:, 5] = 0
    matrix[7, :] = 1
    found = rig.sums(samples=1)[0]
    assert np.abs(found - rig.q @ matrix).max() < 0.51 / rig.gain


def test_lines(chips):
    full = int(np.abs(chips().sum).max())
    rig = chips(
        lines=[
            "compression: { value: 20 %, source: t }",
            "headroom: { value: 50 %, source: t }",
            f"full_scale: {{ value: {full}, source: t }}",
        ]
    )
    bent = rig.sum / (1 + 0.2 * np.abs(rig.sum) / full)
    assert (np.abs(bent) > full / 2).any(), "no column reaches the headroom"
    expected = np.clip(bent, -full / 2, full / 2)
    assert np.abs(rig.sums(samples=1)[0] - expected).max() < 0.51 / rig.gain


@pytest.mark.parametrize("accumulation", ["digital", "analog"])
def test_bit_serial(chips, accumulation):
    """Without noise and with a fine converter, slices give the same sums; noise shows how many conversions there are."""
    serial = ["bit-serial", f"accumulation: {accumulation}", "slice_gain: { value: 1, source: t }"]
    rig = chips({"adc_noise": 20}, encoding=serial)
    found = rig.sums("--seed=4")
    slices = 4.0 ** np.arange(6)
    deviation = 20 / rig.gain * (np.sqrt(slices.sum()) / 32 if accumulation == "digital" else 1)
    test_analog.check_normal(rig, found, rig.sum, np.full(test_analog.COLUMNS, deviation**2))


def test_all_off_is_exact(chips):
    """Words without a strength, and devices without defects, change no bit."""
    rig = chips(
        QUIET,
        cells=["mapping: offset", "distribution: uniform", "compensation: global", "stuck_on: { value: 0 %, source: t }"],
        lines=["curve: exponential", "spread: { value: 30 %, source: t }"],
        adc=["architecture: sar", "columns_per_adc: 4"],
    )
    so, x = rig.folder / "layer.so", rig.x[:5]
    analog = tools.run_model(so, x, rig.folder, "--device=analog", "--age=1y")
    assert tools.same_bits(analog, tools.run_model(so, x, rig.folder, "--device=exact"))


@in_python
@pytest.mark.parametrize("inputs", [{}, {"slice_bits": 2}])
@pytest.mark.parametrize("adc", [{}, {"architecture": "sar", "capacitor_mismatch": 0.1}, {"columns_per_adc": 4}])
def test_calibrated_converters(adc, inputs):
    """The same bits on the simulator and on the reference device; closer to the truth than without."""
    rng = np.random.default_rng(3)
    x, cells = rng.integers(-63, 64, (6, 50)), rng.integers(-1, 2, (50, 201))
    noise = {"adc_gain": 0.1, "adc_offset": 2}
    target = {"input": inputs, "noise": noise, "adc": {**adc, "calibration_reads": 33}}
    run = lambda target, **more: device.multiply(x, cells, target, gain=0.2, adc_bits=8, **more)
    y = run(target)
    assert tools.same_bits(y, run(target, library=tools.BUILD / "lib" / "cim-reference.so"))
    del target["adc"]["calibration_reads"]
    error = lambda y: np.sqrt(np.mean((y - x @ cells) ** 2))
    assert error(y) < 0.8 * error(run(target))


ABSURD = {
    "two-bit converter": dict(adc_bits=2),
    "sixteen-bit converter": dict(adc_bits=16),
    "array of one row": dict(rows=1),
    "array of one cell": dict(rows=1, columns=1),
    "everything stuck": dict(cells=["stuck_on: { value: 50 %, source: t }", "stuck_off: { value: 50 %, source: t }"]),
    "all rows dead": dict(cells=["faults: [[0, all, all, 0]]"]),
    "nothing between on and off": dict(cells=["on_off: { value: 1.0001, source: t }", "dependence: inverse"]),
    "programming noise of 1000": dict(cells=["program: [1000, -1000, 1000]", "age: { value: 1000 y, source: t }"]),
    "drift to nothing": dict(cells=["drift: { value: 1000, source: t }", "age: { value: 1 y, source: t }", "compensation: global"]),
    "line without headroom": dict(lines=["headroom: { value: 0.0001 %, source: t }", "compression: { value: 100000000 %, source: t }"]),
    "last column disconnected": dict(lines=["attenuation: { value: 100 %, source: t }"]),
    "wires like insulators": dict(lines=["wire_resistance: { value: 1000 kohm, source: t }", "cell_conductance: { value: 1 S, source: t }"]),
    "capacitors at random": dict(adc_bits=6, adc=["architecture: sar", "capacitor_mismatch: { value: 10000 %, source: t }", "amplifier_gain: { value: 0.001 dB, source: t }", "calibration_reads: 2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_chips_are_defined(name, tmp_path):
    """All noise at its largest, too: finite outputs, the same for every instruction set and again."""
    extra = dict(ABSURD[name])
    shape = {key: extra.pop(key) for key in ("adc_bits", "rows", "columns") if key in extra}
    case = dataclasses.replace(test_analog.case(), **shape)
    network = layercases.Network(case)
    noise = {"read": 100, "static": 100, "adc_gain": 100, "adc_offset": 1e6, "adc_noise": 1e6}
    text = layercases.target_yaml(case, (tools.ROOT / "targets" / "imec-ania.yaml").read_text())
    (tmp_path / "target.yaml").write_text(Chips.adjust(test_analog.with_noise(text, noise), extra))
    onnx.save(network.model(), tmp_path / "layer.onnx")
    np.save(tmp_path / "calibration.npy", network.x)
    so = tmp_path / "layer.so"
    tools.compile_model(
        tmp_path / "layer.onnx", so, f"--target={tmp_path / 'target.yaml'}", f"--calibration={tmp_path / 'calibration.npy'}"
    )
    run = lambda isa: tools.run_model(so, network.x[:7], tmp_path, "--device=analog", "--trials=2", env={"CIM_ISA": isa})
    y = run("portable")
    assert np.isfinite(y).all()
    best = tools.run_model(so, network.x[:7], tmp_path, "--device=analog", "--trials=2")
    assert tools.same_bits(y, best)


@in_python
def test_plots(tmp_path):
    """Every effect can be drawn from the device, and docs/physics holds these drawings."""
    script = tools.ROOT / "benchmark" / "physics" / "plots.py"
    subprocess.run([sys.executable, script, "--quick", "--out", tmp_path], check=True, stdout=subprocess.DEVNULL)
    names = lambda folder: sorted(path.name for path in folder.glob("*.svg"))
    assert names(tmp_path) == names(tools.ROOT / "docs" / "physics")
    for path in tmp_path.glob("*.svg"):
        xml.dom.minidom.parse(str(path))


REFERENCE = tools.BUILD / "lib" / "cim-reference.so"


@in_python
@pytest.mark.parametrize(
    "target, levels, spread",
    [
        ({"noise": {"static": 0.05, "read": 0.02}}, [-1, 0, 1], 0.05),
        ({"array": {"cell_lo": -7, "cell_hi": 7}, "cells": {"model": "pcm-joshi"}}, [*range(-7, 0), *range(1, 8)], (0.28638599 + 1.896431 - 1.11729375) / 25),
    ],
    ids=["ternary", "levels"],
)
def test_conductances_of_16_bits(target, levels, spread, monkeypatch):
    """What 8 bits of a conductance do to sums is what rounding can do to it, and no more. All draws are the same."""
    rng = np.random.default_rng(5)
    x, cells = rng.integers(-63, 64, (1, 200)), rng.choice(levels, (200, 2000))

    def sums(bits):
        monkeypatch.setenv("CIM_REFERENCE_CONDUCTANCE_BITS", bits)
        return device.multiply(x, cells, target, library=REFERENCE)[0]

    error = sums("8") - sums("16")
    most = max(levels)
    step8, step16 = (1 / np.floor(codes / (most * (1 + 4 * spread))) for codes in (127, 32767))
    # A cell is rounded, or stops at the largest code.
    worst = max((step8 + step16) / 2, abs(127 * step8 - 32767 * step16))
    q = np.abs(x[0])
    conversions = 1 / 256
    assert (np.abs(error) <= worst * (q @ (cells != 0)) + conversions).all()
    # A cell's variation is many steps wide, so that roundings are uniform and independent.
    variance = (q**2 @ (cells != 0)) * (step8**2 + step16**2) / 12
    z = np.mean(error**2 / variance) - 1
    assert abs(z) < 4.5 * np.sqrt(2 / len(error))


@in_python
def test_conductances_of_other_bits(monkeypatch):
    monkeypatch.setenv("CIM_REFERENCE_CONDUCTANCE_BITS", "12")
    with pytest.raises(RuntimeError, match="CIM_REFERENCE_CONDUCTANCE_BITS is '12', expected 8 or 16"):
        device.multiply(np.ones((1, 2)), np.ones((2, 1)), library=REFERENCE)
