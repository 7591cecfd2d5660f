# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""--adc-range on random layers (layercases.py) against gains.py: the largest, a percentile, the least loss."""

import dataclasses
import re

import numpy as np
import onnx
import pytest

import gains
import layercases
import numerics
import smallmodel
import tools
from test_analog import with_noise

SEEDS, FULL_SEEDS = 4, 60
NOISE = dict(read=2, static=5, adc_offset=0.25, adc_gain=1, adc_noise=0.5)  # of imec-ania, in % or codes
CELLS, GAIN, CONVERSION = 0.02**2 + 0.05**2, 0.01**2, 0.25**2 + 0.5**2
# What the compiler may lose by putting sums into bins.
BINS = 1.02


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(FULL_SEEDS if metafunc.config.getoption("--full") else SEEDS))


def compile_gains(network, folder, *options, noise=NOISE):
    """{plane: gain} of the only matrix."""
    case = network.case
    text = layercases.target_yaml(case, (tools.ROOT / "targets" / "imec-ania.yaml").read_text())
    (folder / "target.yaml").write_text(with_noise(text, noise))
    onnx.save(network.model(), folder / "layer.onnx")
    np.save(folder / "x.npy", network.x)
    options = [f"--target={folder / 'target.yaml'}", f"--calibration={folder / 'x.npy'}", *options]
    tools.compile_model(
        folder / "layer.onnx", folder / "layer.mlir", "--emit=cim", f"--cells={case.cells}", f"--split={case.split}", *options
    )
    found = {}
    for plane, gain in re.findall(r"cim\.block plane (\d+) .* gain (\S+)", (folder / "layer.mlir").read_text()):
        assert found.setdefault(int(plane), float(gain)) == float(gain), "row blocks of a plane have one gain"
    return found


def planes_of(network, logits=False):
    """What the converters of every plane see: gains.Plane. Of logits errors count by probability."""
    case = network.case
    whole = lambda values: (1,) * (2 - len(case.size)) + tuple(values)
    out = (*whole(case.out_size), case.filters)
    begins = (0,) * (2 - len(case.size)) + case.pads[: len(case.size)]
    layer = numerics.Layer(
        (*whole(case.size), case.channels), out, whole(case.kernel), whole(case.strides), whole(case.dilations), begins, case.groups
    )
    rows = numerics.windows(network.quantised_input().astype(np.int64), layer).reshape(-1, network.matrix.shape[0])
    planes, significance = numerics.planes_of(network.matrix, case.split, network.cells, case.groups)
    rectangles = numerics.block_rectangles(*network.matrix.shape, case.groups, case.rows, case.columns, planes.shape[2])
    powers = (rows.astype(float) ** 2).mean(0)
    importance = np.ones((len(rows), network.matrix.shape[1]))
    if logits:
        y = sum((rows @ cells.sum(1)) * factor for cells, factor in zip(planes.astype(np.int64), significance))
        y = y * network.nominal_scale() + network.nominal_bias()
        p = np.exp(y - y.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        importance = p * (1.1 - p)
    for cells, factor in zip(planes.astype(np.int64), significance):
        weights = (network.nominal_scale() * factor) ** 2
        sums, every, power = [], [], []
        for k, k_count, n, n_count in rectangles:
            part, own = cells[k : k + k_count, :, n : n + n_count], weights[n : n + n_count]
            sums.append((rows[:, k : k + k_count] @ part.sum(1)).ravel())
            every.append((own * importance[:, n : n + n_count]).ravel())
            power.append(np.stack([own * (powers[k : k + k_count] @ (part**2).sum(1)), own]))
        power = np.concatenate(power, axis=1).sum(1)
        yield gains.Plane(np.concatenate(sums), np.concatenate(every), power[0] / power[1], *case.adc, case.adc_rounding)


def test_largest(seed, tmp_path):
    network = layercases.Network(layercases.draw(2000 + seed))
    found = compile_gains(network, tmp_path, "--adc-range=max")
    for number, plane in enumerate(planes_of(network)):
        assert np.float32(found[number]) == plane.largest()


@pytest.mark.parametrize("percent", [50, 99.9])
def test_percentile(seed, percent, tmp_path):
    network = layercases.Network(layercases.draw(2000 + seed))
    found = compile_gains(network, tmp_path, "--adc-range=percentile", f"--adc-percentile={percent}")
    for number, plane in enumerate(planes_of(network)):
        assert np.float32(found[number]) == plane.percentile(percent)


def test_least_squares(seed, tmp_path):
    network = layercases.Network(layercases.draw(2000 + seed))
    found = compile_gains(network, tmp_path, "--adc-range=mse")
    assert found == compile_gains(network, tmp_path), "it is the default"
    for number, plane in enumerate(planes_of(network)):
        best = 1 if plane.fits else min(plane.candidates(1), key=plane.loss)
        assert plane.loss(np.float32(found[number])) == pytest.approx(plane.loss(best), rel=1e-9, abs=1e-9)


def test_least_squares_with_noise(seed, tmp_path):
    network = layercases.Network(layercases.draw(2000 + seed))
    found = compile_gains(network, tmp_path, "--adc-range=noise")
    for number, plane in enumerate(planes_of(network)):
        if not plane.sums.any():
            continue
        loss = lambda gain: plane.noisy_loss(float(gain), CELLS, GAIN, CONVERSION)
        candidates = plane.candidates(plane.hi)
        assert np.abs(candidates / np.float32(found[number]) - 1).min() < 1e-6
        assert loss(found[number]) <= BINS * min(map(loss, candidates[::4]))


def test_without_noise_errors_count_by_channel(seed, tmp_path):
    """With a target without noise what remains of `noise` are the weights of channels."""
    network = layercases.Network(layercases.draw(2000 + seed))
    found = compile_gains(network, tmp_path, "--adc-range=noise", noise=dict.fromkeys(NOISE, 0))
    check_weighted(found, planes_of(network), 1e-9)


def check_weighted(found, planes, tolerance):
    for number, plane in enumerate(planes):
        if plane.fits:
            assert found[number] == 1
            continue
        loss = lambda gain: plane._variance(plane.codes(gain), plane.codes(gain) ** 2, gain, plane.weights)
        best = min(map(loss, plane.candidates(1)))
        assert loss(np.float32(found[number])) == pytest.approx(best, rel=tolerance, abs=1e-12)


def test_errors_of_logits_count_by_probability(seed, tmp_path):
    network = layercases.Network(dataclasses.replace(layercases.draw(2000 + seed), output="float", relu=False))
    # Binary32 weights sums by probability.
    check_weighted(compile_gains(network, tmp_path, "--classes"), planes_of(network, logits=True), 1e-5)


def gains_of_product(folder, *options, softmax=None):
    """Gains of 8 rows of 8 sums in every sample, that a softmax may read along an axis; the largest are unlikely."""
    rng = np.random.default_rng(3)
    w = rng.integers(-1, 2, (64, 8)).astype(np.float32)
    w[:, 0] = -1
    nodes = [onnx.helper.make_node("MatMul", ["x", "w"], ["m" if softmax else "y"], name="fc")]
    if softmax:
        nodes.append(onnx.helper.make_node("Softmax", ["m"], ["y"], name="softmax", axis=softmax))
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 8, c]) for n, c in (("x", 64), ("y", 8))]
    graph = onnx.helper.make_graph(nodes, "net", values[:1], values[1:], [onnx.numpy_helper.from_array(w, "w")])
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 13)]), folder / "net.onnx")
    np.save(folder / "x.npy", rng.lognormal(0, 1, (64, 8, 64)).astype(np.float32))
    options = [f"--calibration={folder / 'x.npy'}", "--cells=1", "--emit=cim", *options]
    tools.compile_model(folder / "net.onnx", folder / "net.mlir", *options)
    return re.findall(r" gain (\S+)", (folder / "net.mlir").read_text())


def test_a_softmax_over_the_channels_reads_logits(tmp_path):
    logits, values = gains_of_product(tmp_path, "--classes"), gains_of_product(tmp_path)
    assert logits != values
    assert gains_of_product(tmp_path, softmax=2) == logits
    assert gains_of_product(tmp_path, softmax=1) == values, "rows are no classes"


@pytest.mark.parametrize("method", ["max", "percentile"])
def test_only_least_errors_count_by_probability(method, tmp_path):
    option = f"--adc-range={method}"
    assert gains_of_product(tmp_path, option, "--classes") == gains_of_product(tmp_path, option)


def test_outputs_that_are_no_results_of_layers(tmp_path):
    model = smallmodel.build()
    model.graph.node[-1].output[0] = "fc"
    model.graph.node.append(onnx.helper.make_node("Tanh", ["fc"], ["y"], name="tanh"))
    onnx.save(model, tmp_path / "net.onnx")
    np.save(tmp_path / "x.npy", smallmodel.data(8))
    remarks = tools.compile_model(tmp_path / "net.onnx", tmp_path / "n.so", f"--calibration={tmp_path / 'x.npy'}", "--classes")
    assert "outputs are said to be logits, but no layer on arrays makes them as they are" in remarks
