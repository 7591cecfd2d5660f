# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""cim-run --calibrate (docs/Runtime.md, "Calibrating a chip") against NumPy.

The reference device records what the chip reads during calibration and with which scale and bias every layer ends;
analog_model.py says what the chip's columns give for that, numerics.py what they should give.
"""

import numpy as np
import onnx
import pytest

import analog_model
import numerics
import recording
import smallmodel
import tools
from test_analog import with_noise

NOISE = dict(read=2, static=5, adc_offset=2, adc_gain=10, adc_noise=0.5)
CHIP = analog_model.Chip(0, 0, read=0.02, static=0.05, adc_offset=2, adc_gain=0.1, adc_noise=0.5)
FIRST = 2**31  # number of the first calibration sample
SAMPLES = 9  # the batch is 2


def compiled(folder, noise):
    """The small network for imec-ania with other figures of noise."""
    text = with_noise((tools.ROOT / "targets" / "imec-ania.yaml").read_text(), noise)
    (folder / "target.yaml").write_text(text)
    onnx.save(smallmodel.build(), folder / "net.onnx")
    np.save(folder / "calibration.npy", smallmodel.data(64))
    np.save(folder / "few.npy", smallmodel.data(SAMPLES, seed=4))
    options = [f"--target={folder / 'target.yaml'}", f"--calibration={folder / 'calibration.npy'}"]
    tools.compile_model(folder / "net.onnx", folder / "net.so", *options)
    return folder / "net.so"


def recorded(so, folder, name, device, mode, *options):
    """A run of cim-run on the reference device, without the samples that complete the last batch."""
    (folder / name).mkdir()
    env = {"CIM_REFERENCE_MODE": mode, "CIM_REFERENCE_RECORD": str(folder / name)}
    tools.run_model(so, np.load(folder / "few.npy"), folder, f"--device={device}", "--threads=1", *options, env=env)
    return recording.Recording(folder / name)


def moments(sums):
    flat = sums.reshape(-1, sums.shape[-1]).astype(np.float64)
    return flat.mean(0), flat.std(0)


def test_against_numpy(tmp_path, reference_device):
    so = compiled(tmp_path, NOISE)
    ideal_chip = recorded(so, tmp_path, "exact", reference_device, "exact")
    chip = recorded(so, tmp_path, "chip", reference_device, "analog", f"--calibrate={tmp_path / 'few.npy'}")
    for should, layer in zip(ideal_chip.layers, chip.layers, strict=True):
        plain = should.numerics_layer(ideal_chip.arrays)
        wanted = moments(numerics.accumulate(should.map("in")[:SAMPLES], plain, "exact"))
        maps = layer.map("in")
        seen = maps[len(maps) // 2 :]  # those of calibration have the larger numbers
        sums = analog_model.accumulate(seen, plain, layer.id, layer.blocks, CHIP, first_image=FIRST)[:SAMPLES]
        found = moments(sums)
        ratio = np.where((wanted[1] > 0) & (found[1] > 0), np.clip(wanted[1] / np.maximum(found[1], 1e-30), 0.25, 4), 1)
        np.testing.assert_allclose(layer.scale, plain.scale * ratio, rtol=1e-6)
        bias = plain.bias + plain.scale.astype(float) * (wanted[0] - ratio * found[0])
        np.testing.assert_allclose(layer.bias, bias, rtol=1e-5, atol=1e-5 * np.abs(bias).max())
        assert np.abs(layer.bias - plain.bias).max() > 0


def test_takes_errors_of_converters_back(tmp_path):
    so = compiled(tmp_path, dict(read=0, static=0, adc_offset=4, adc_gain=10, adc_noise=0.5))
    x = smallmodel.data(200, seed=5)
    np.save(tmp_path / "samples.npy", smallmodel.data(100, seed=6))
    exact = tools.run_model(so, x, tmp_path)
    error = {}
    for name, options in {"plain": [], "calibrated": [f"--calibrate={tmp_path / 'samples.npy'}"]}.items():
        y = tools.run_model(so, x, tmp_path, "--device=analog", "--trials=5", *options)
        error[name] = ((y - exact) ** 2).mean()
    assert error["calibrated"] < 0.1 * error["plain"], error


def test_chips_without_errors_stay_as_they_are(tmp_path):
    so = compiled(tmp_path, dict.fromkeys(NOISE, 0))
    x, options = smallmodel.data(5, seed=5), [f"--calibrate={tmp_path / 'few.npy'}"]
    for device in ("exact", "analog"):
        plain, calibrated = (tools.run_model(so, x, tmp_path, f"--device={device}", *o) for o in ([], options))
        assert tools.same_bits(plain, calibrated), device


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_same_bits_for_any_threads(threads, tmp_path):
    so = compiled(tmp_path, NOISE)
    x = smallmodel.data(5, seed=5)
    run = lambda *options: tools.run_model(so, x, tmp_path, "--device=analog", f"--calibrate={tmp_path / 'few.npy'}", *options)
    assert tools.same_bits(run("--trials=2")[1], run("--trials=2", f"--threads={threads}")[1])
