# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`--target=host` against onnxruntime on whole networks."""

import numpy as np
import onnx
import pytest

import float_reference
import networks
import tools

# name -> samples. Data sets where there are any, else normal random numbers.
SUPPORTED = {
    "mnist-8_cntk": 32,
    "heir_lenet5": 32,
    "mnist_lstm_fp32": 32,
    "cifar_resnet20_jpegft": 32,
    "mlperftiny_resnet8_fp32": 32,
    "mlperftiny_dscnn_fp32": 16,
    "fsdd_dscnn": 32,
    "fsdd_kwt": 32,
    "stories260k_T128": 2,
    "diana_dscnn_kws12": 32,
    "mlperftiny_vww_fp32": 4,
    "mlperftiny_ad_fp32": 64,
    "mobilenet_v1_0.5_160_quant_dqw": 2,
    "ulfd_slim320_simplified": 1,
    "vdsr": 1,
    "yunet_n_320_320": 1,
}

TOLERANCE = 1e-4  # of the output's range


def check_against_onnxruntime(path, x, folder, batch=8):
    model = networks.load(path)
    tools.compile_model(path, folder / "host.so", "--target=host", *networks.shape_option(model, batch))
    names = [o.name for o in model.graph.output]
    found = tools.run_model(folder / "host.so", x, folder, outputs=names)
    session = float_reference.session(str(path))
    info = session.get_inputs()[0]
    step = info.shape[0] if isinstance(info.shape[0], int) else len(x)
    chunks = [session.run(names, {info.name: x[i : i + step]}) for i in range(0, len(x), step)]
    worst = 0
    for i, name in enumerate(names):
        expected = np.concatenate([c[i] for c in chunks])
        assert found[name].shape == expected.shape
        assert np.isfinite(found[name]).all()
        span = float(expected.max() - expected.min())
        worst = max(worst, float(np.abs(found[name] - expected).max()) / span)
    return worst


@pytest.mark.parametrize("name", SUPPORTED)
def test_network(name, data_dir, tmp_path, record_property):
    path = networks.path_of(name, data_dir)
    x = networks.samples_of(name, networks.load(path), data_dir, tmp_path, SUPPORTED[name])
    worst = check_against_onnxruntime(path, x, tmp_path)
    record_property("relative error", worst)
    assert worst <= TOLERANCE


def test_fashion_resnet(tmp_path):
    data = networks.fashion_data("test", 32)
    if data is None:
        pytest.skip("dataset-fashion-mnist is not installed")
    assert check_against_onnxruntime(networks.FASHION, data[0], tmp_path) <= TOLERANCE


def test_ternary_network(data_dir, tmp_path):
    """floor() on grid values: sums in another order move single values by one step."""
    name = "resnet20_w2a7_ternary_odimo"
    path = networks.path_of(name, data_dir)
    x, _ = networks.real_data(name, data_dir, tmp_path, limit=64)
    model = networks.load(path)
    tools.compile_model(path, tmp_path / "host.so", "--target=host", *networks.shape_option(model, 8))
    found = tools.run_model(tmp_path / "host.so", x, tmp_path)
    expected = float_reference.run(str(path), x)
    assert (found.argmax(1) == expected.argmax(1)).mean() >= 0.95
    close = np.abs(found - expected) <= TOLERANCE * (expected.max() - expected.min())
    assert close.mean() >= 0.5


@pytest.mark.parametrize("batch", [1, 3])
def test_batch_does_not_change_bits(batch, data_dir, tmp_path):
    name = "cifar_resnet20_jpegft"
    path = networks.path_of(name, data_dir)
    x, _ = networks.real_data(name, data_dir, tmp_path, limit=7)
    model = networks.load(path)
    results = []
    for b in (batch, 7):
        tools.compile_model(path, tmp_path / "host.so", "--target=host", *networks.shape_option(model, b))
        results.append(tools.run_model(tmp_path / "host.so", x, tmp_path))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-5)
