# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The analog device from outside: moments of a layer's outputs against closed forms,
and its bits against analog_model.py.

For the moments, one matrix product with ternary weights on an array whose ADC has 16 bits, so that
what is left is the effect under test plus a rounding of known variance 1/12 code.
"""

import random
import re
from statistics import NormalDist

import numpy as np
import onnx
import pytest

import analog_model
import layercases
import recording
import tools

ROWS, COLUMNS, SAMPLES = 60, 16, 3000
LIMIT = 4.5  # standard deviations; a run makes some hundred comparisons
NOISE = ("read", "static", "adc_offset", "adc_gain", "adc_noise")


def case():
    return layercases.Case(
        seed=77, kind="gemm", channels=ROWS, filters=COLUMNS, size=(), kernel=(), strides=(), dilations=(), pads=(),
        groups=1, bias=False, relu=False, cells=1, split="radix", sign="signed", quantiser="qdq", output="float",
        rows=1024, columns=512, adc_bits=16, adc_rounding="nearest-even", adc_range="twos-complement",
        batch=50, samples=SAMPLES,
    )  # fmt: skip


def with_noise(text, noise):
    """A target description with these figures in per cent or codes, and no other noise."""
    for key in NOISE:
        unit = "lsb" if key in ("adc_offset", "adc_noise") else "%"
        figure = f"  {key}: {{ value: {noise.get(key, 0)} {unit}"
        text, count = re.subn(rf"^  {key}: \{{ value: [0-9.]+ {unit}", figure, text, flags=re.M)
        assert count == 1
    return text


class Rig:
    """The layer under one effect; everything in units of the integer sum."""

    def __init__(self, folder, device, **noise):
        self.folder = folder
        network = layercases.Network(case())
        text = layercases.target_yaml(case(), (tools.ROOT / "targets" / "imec-ania.yaml").read_text())
        text = with_noise(text, noise)
        (folder / "target.yaml").write_text(text)
        onnx.save(network.model(), folder / "layer.onnx")
        np.save(folder / "calibration.npy", network.x)
        tools.compile_model(
            folder / "layer.onnx", folder / "layer.so", f"--target={folder / 'target.yaml'}",
            f"--calibration={folder / 'calibration.npy'}",
        )  # fmt: skip
        record = folder / "record"
        record.mkdir()
        env = {"CIM_REFERENCE_RECORD": str(record)}
        tools.run_model(folder / "layer.so", network.x[:2], folder, f"--device={device}", env=env)
        layer = recording.Recording(record).layers[0]
        self.gain, self.scale, self.bias = layer.blocks[0]["gain"], layer.scale, layer.bias
        self.codes = layer.raw["adc_hi"]
        self.matrix = network.matrix.astype(np.float64)
        self.q = network.quantised_input()[0, 0, 0].astype(np.float64)  # of sample 0
        self.x = np.repeat(network.x[:1], SAMPLES, axis=0)
        self.sum = self.q @ self.matrix
        self.power = (self.q**2) @ (self.matrix**2)  # sum of t^2 q^2
        self.rounding = 1 / 12 / self.gain**2
        assert np.abs(self.sum * self.gain).max() < 0.8 * self.codes, "the ADC would clip"

    def sums(self, *options, samples=SAMPLES):
        """S of sample 0, as often as asked: [samples][columns]."""
        y = tools.run_model(self.folder / "layer.so", self.x[:samples], self.folder, "--device=analog", *options)
        return (y.astype(np.float64) - self.bias) / self.scale


def z_of_mean(values, mean, variance):
    return (values.mean(0) - mean) / np.sqrt(variance / len(values))


def z_of_variance(values, variance):
    """Normal values: the sample variance has deviation variance * sqrt(2 / (n - 1))."""
    return (values.var(0, ddof=1) / variance - 1) * np.sqrt((len(values) - 1) / 2)


def check_normal(rig, values, mean, variance):
    """Mean, variance and shape of S, before the ADC rounds it to codes."""
    assert np.abs(z_of_mean(values, mean, variance + rig.rounding)).max() < LIMIT
    assert np.abs(z_of_variance(values, variance + rig.rounding)).max() < LIMIT
    # Shape: chi-square over 16 bins whose edges lie between two codes.
    normal, codes = NormalDist(), np.rint(values * rig.gain)
    counts, expected = np.zeros(16), np.zeros(16)
    for n in range(COLUMNS):
        m, s = mean[n] * rig.gain, np.sqrt(variance[n]) * rig.gain
        edges = [np.floor(m + s * normal.inv_cdf(i / 16)) + 0.5 for i in range(1, 16)]
        counts += np.bincount(np.digitize(codes[:, n], edges), minlength=16)
        below = [0, *(normal.cdf((edge - m) / s) for edge in edges), 1]
        expected += np.diff(below) * len(codes)
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert chi2 < 15 + LIMIT * np.sqrt(2 * 15), chi2  # 15 degrees of freedom


def test_read_noise(tmp_path, reference_device):
    rig = Rig(tmp_path, reference_device, read=4)
    check_normal(rig, rig.sums("--seed=1"), rig.sum, 0.04**2 * rig.power)


def test_columns_are_independent(tmp_path, reference_device):
    rig = Rig(tmp_path, reference_device, read=4)
    correlation = np.corrcoef(rig.sums("--seed=2").T) - np.eye(COLUMNS)
    assert np.abs(correlation).max() * np.sqrt(SAMPLES) < 4.8
    successive = rig.sums("--seed=2")
    a, b = successive[:-1] - successive.mean(0), successive[1:] - successive.mean(0)
    lag = (a * b).mean(0) / successive.var(0)
    assert np.abs(lag).max() * np.sqrt(SAMPLES) < LIMIT


def test_adc_noise(tmp_path, reference_device):
    rig = Rig(tmp_path, reference_device, adc_noise=20)
    check_normal(rig, rig.sums("--seed=3"), rig.sum, np.full(COLUMNS, (20 / rig.gain) ** 2))


CHIPS = 150


def test_static_variation_differs_between_chips_only(tmp_path, reference_device):
    rig = Rig(tmp_path, reference_device, static=5)
    few = rig.sums("--seed=0", samples=3)
    assert (few == few[0]).all(), "a chip's cells do not change between reads"
    chips = chip_values(rig)
    levels = np.floor(127 / (1 + 4 * 0.05))  # Z of Numerics.md section 5: conductances have this resolution
    resolution = (rig.q**2) @ (rig.matrix != 0) / 12 / levels**2
    variance = 0.05**2 * rig.power + resolution + rig.rounding
    assert np.abs(z_of_mean(chips, rig.sum, variance)).max() < LIMIT
    assert np.abs(z_of_variance(chips, variance)).max() < LIMIT


def test_adc_offset_and_gain(tmp_path, reference_device):
    offset = Rig(tmp_path, reference_device, adc_offset=30)
    chips = chip_values(offset)
    variance = np.full(COLUMNS, (30 / offset.gain) ** 2) + offset.rounding
    assert np.abs(z_of_mean(chips, offset.sum, variance)).max() < LIMIT
    assert np.abs(z_of_variance(chips, variance)).max() < LIMIT
    (tmp_path / "gain").mkdir()
    gain = Rig(tmp_path / "gain", reference_device, adc_gain=3)
    chips = chip_values(gain)
    variance = (0.03 * gain.sum) ** 2 + gain.rounding
    assert np.abs(z_of_mean(chips, gain.sum, variance)).max() < LIMIT
    assert np.abs(z_of_variance(chips, variance)).max() < LIMIT


def chip_values(rig):
    y = tools.run_model(rig.folder / "layer.so", rig.x[:1], rig.folder, "--device=analog", f"--trials={CHIPS}")
    return (y[:, 0].astype(np.float64) - rig.bias) / rig.scale


# --- bit by bit ---------------------------------------------------------------

CASES, FULL_CASES = 24, 240


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(FULL_CASES if metafunc.config.getoption("--full") else CASES))


def test_philox_known_answers():
    """kat_vectors of Random123."""
    zeros, ones = np.zeros(1, np.uint32), np.full(1, 0xFFFFFFFF, np.uint32)
    answer = [int(w[0]) for w in analog_model.philox((0, 0), [zeros] * 4)]
    assert answer == [0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48]
    answer = [int(w[0]) for w in analog_model.philox((0xFFFFFFFF, 0xFFFFFFFF), [ones] * 4)]
    assert answer == [0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662]
    answer = [int(w[0]) for w in analog_model.philox((0, 0), [zeros] * 4, rounds=10)]
    assert answer == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_normal_deviates():
    """The table against the inverse normal distribution."""
    bits = np.arange(1, 2**31, 2**31 // 5000, dtype=np.uint32)
    expected = [-NormalDist().inv_cdf((int(b) | 1) / 2**32) for b in bits]
    assert np.abs(analog_model.normal(bits) - expected).max() < 2.3e-4
    assert (analog_model.normal(bits | np.uint32(2**31)) == -analog_model.normal(bits)).all()


def test_analog_bits(seed, tmp_path, reference_device):
    """Random layers on random chips against analog_model.py."""
    rng = random.Random(f"cim-analog-{seed}")
    case = layercases.draw(1000 + seed)
    noise = {key: rng.choice([0, value]) for key, value in dict(read=3, static=6, adc_offset=0.4, adc_gain=2, adc_noise=0.6).items()}
    network = layercases.Network(case)
    text = layercases.target_yaml(case, (tools.ROOT / "targets" / "imec-ania.yaml").read_text())
    rounds = rng.choice([7, 10])
    (tmp_path / "target.yaml").write_text(with_noise(text, noise).replace("noise:\n", f"noise:\n  philox_rounds: {rounds}\n", 1))
    onnx.save(network.model(), tmp_path / "layer.onnx")
    np.save(tmp_path / "calibration.npy", network.x)
    so = tmp_path / "layer.so"
    options = [f"--target={tmp_path / 'target.yaml'}", f"--calibration={tmp_path / 'calibration.npy'}"]
    tools.compile_model(tmp_path / "layer.onnx", so, *options, f"--cells={case.cells}", f"--split={case.split}")

    (tmp_path / "record").mkdir()
    env = {"CIM_REFERENCE_RECORD": str(tmp_path / "record")}
    tools.run_model(so, network.x, tmp_path, f"--device={reference_device}", env=env)
    seen = recording.Recording(tmp_path / "record")
    (layer,) = seen.layers
    given = layer.map("in")[: case.samples]
    chip_seed, trials = rng.choice([0, 5, 2**32 + 1, 2**63 + 12345]), rng.choice([1, 3])
    found = tools.run_model(so, network.x, tmp_path, "--device=analog", f"--seed={chip_seed}", f"--trials={trials}")
    found = found.reshape(trials, case.samples, *found.shape[-len(case.out_size) - 1 :])
    for trial in range(trials):
        fractions = {k: v / 100 if k in ("read", "static", "adc_gain") else v for k, v in noise.items()}
        chip = analog_model.Chip(chip_seed, trial, rounds=rounds, **fractions)
        expected = network.finish(analog_model.run_layer(given, layer.numerics_layer(seen.arrays), layer.id, layer.blocks, chip))
        assert tools.same_bits(found[trial], expected), recording.difference(f"trial {trial}, {noise}", found[trial], expected)
