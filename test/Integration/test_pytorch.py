# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks from PyTorch's dynamo exporter (Inputs/export_pytorch.py) against PyTorch's own results."""

import pathlib

import numpy as np
import pytest

import tools

FOLDER = pathlib.Path(__file__).parent / "Inputs" / "pytorch"
# Until their operators are there.
WAITING = {"cnn-raw", "encoder", "encoder-raw", "mlp", "mlp-raw"}
NETWORKS = sorted({path.stem for path in FOLDER.glob("*.onnx")} - WAITING)
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


@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_crossbars(name, tmp_path):
    """Every network has layers there; on `ideal` the error is that of its 7-bit activations and 4-cell weights."""
    stored = np.load(FOLDER / f"{name}.npz")
    x, y = stored["x"], stored["y"]
    np.save(tmp_path / "samples.npy", x)
    options = [f"--calibration={tmp_path / 'samples.npy'}", "--cells=4", f"--report={tmp_path / 'report.json'}"]
    tools.compile_model(FOLDER / f"{name}.onnx", tmp_path / "net.so", "--target=imec-ania", *options)
    found = tools.run_model(tmp_path / "net.so", x, tmp_path, "--device=ideal")
    assert np.abs(found - y).max() <= 0.1 * (y.max() - y.min())
