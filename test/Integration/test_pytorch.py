# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks from PyTorch's dynamo exporter (Inputs/export_pytorch.py) against PyTorch's own results."""

import json
import math
import pathlib

import numpy as np
import pytest

import tools

FOLDER = pathlib.Path(__file__).parent / "Inputs" / "pytorch"
NETWORKS = sorted(path.stem for path in FOLDER.glob("*.onnx"))
TOLERANCE = 1e-4  # of the output's range


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name, tmp_path):
    """With a batch that is bound, and with that of 1 which a symbolic batch has by default."""
    stored = np.load(FOLDER / f"{name}.npz")
    x, y = stored["x"], stored["y"]
    for options in ([], [f"--shape=x={'x'.join(map(str, x.shape))}"]):
        tools.compile_model(FOLDER / f"{name}.onnx", tmp_path / "net.so", "--target=host", *options)
        found = tools.run_model(tmp_path / "net.so", x, tmp_path)
        assert found.shape == y.shape
        assert np.abs(found - y).max() <= TOLERANCE * (y.max() - y.min())


# A step is 1 / levels of the largest value, about four times the usual one (rms) of normally distributed values; rounding
# errors are uniform within a step: 4 / 63 / sqrt(12) for activations of 7 bits, 4 / 40 / sqrt(12) for weights of 4 cells.
ROUNDING = 4 * math.hypot(1 / 63, 1 / 40) / math.sqrt(12)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_crossbars(name, tmp_path):
    """On `ideal` the error is that of rounding, independent from layer to layer: within twice what that amounts to."""
    stored = np.load(FOLDER / f"{name}.npz")
    x, y = stored["x"], stored["y"]
    # Like those of the exporter; the three stored ones would be too few for least squares.
    samples = np.random.default_rng(1).normal(0, 1, (64, *x.shape[1:])).astype(np.float32)
    np.save(tmp_path / "samples.npy", samples)
    options = [f"--calibration={tmp_path / 'samples.npy'}", "--cells=4", f"--report={tmp_path / 'report.json'}"]
    tools.compile_model(FOLDER / f"{name}.onnx", tmp_path / "net.so", "--target=imec-ania", *options)
    layers = len(json.loads((tmp_path / "report.json").read_text())["layers"])
    assert layers
    found = tools.run_model(tmp_path / "net.so", x, tmp_path, "--device=ideal")
    assert np.sqrt(np.mean((found - y) ** 2)) <= 2 * ROUNDING * math.sqrt(layers) * y.std()
