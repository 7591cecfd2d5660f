# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole networks on the crossbar, every layer against numerics.py, bit by bit.

The reference device records each stream; NumPy recomputes it; then the simulator
must give the same network output. The digital rest of the network ran between
the recorded layers: what it computes is compared with onnxruntime in test_host.py
and, on a network whose integers are given, in test_ternary_network here.
"""

import re

import numpy as np
import onnx
import onnx.parser
import pytest

import float_reference
import networks
import numerics
import qdqnetwork
import qonnx_reference
import recording
import smallmodel
import tools

IMAGES = 16


def compile_for_crossbar(path, calibration, folder, *options, batch=8, target="imec-ania"):
    np.save(folder / "calibration.npy", calibration)
    model = networks.load(path)
    return tools.compile_model(
        path,
        folder / "network.so",
        f"--target={target}",
        f"--calibration={folder / 'calibration.npy'}",
        *networks.shape_option(model, batch),
        *options,
    )


def check_modes(folder, x, device):
    """Returns the recording of the exact run, after all checks."""
    so = folder / "network.so"
    for mode in ("ideal", "exact"):
        record = folder / mode
        record.mkdir()
        env = {"CIM_REFERENCE_MODE": mode, "CIM_REFERENCE_RECORD": str(record)}
        expected = tools.run_model(so, x, folder, f"--device={device}", env=env)
        seen = recording.Recording(record)
        seen.check_no_overlap()
        seen.check_streams(mode)
        found = tools.run_model(so, x, folder, f"--device={mode}")
        assert tools.same_bits(found, expected), recording.difference(mode, found, expected)
    return seen


@pytest.mark.parametrize("cells, split", [(1, "radix"), (3, "radix"), (2, "unary"), (2, "residual")])
def test_fashion_resnet(cells, split, tmp_path, reference_device):
    data, calibration = networks.fashion_data("test", IMAGES), networks.fashion_data("train", 64)
    if data is None:
        pytest.skip("dataset-fashion-mnist is not installed")
    compile_for_crossbar(networks.FASHION, calibration[0], tmp_path, f"--cells={cells}", f"--split={split}")
    seen = check_modes(tmp_path, data[0], reference_device)
    assert len(seen.layers) == 12, "ten convolutions of the blocks and the stem, one matrix product"


@pytest.mark.parametrize("cells", [2])
def test_cifar_resnet20(cells, data_dir, tmp_path, reference_device):
    name = "cifar_resnet20_jpegft"
    x, _ = networks.real_data(name, data_dir, tmp_path, limit=IMAGES)
    calibration, _ = networks.real_data(name, data_dir, tmp_path, "calibration", 64)
    compile_for_crossbar(networks.path_of(name, data_dir), calibration, tmp_path, f"--cells={cells}")
    seen = check_modes(tmp_path, x, reference_device)
    assert len(seen.layers) == 20


@pytest.mark.parametrize("target", ["imec-ania", "diana"])
def test_depthwise_network(target, data_dir, tmp_path, reference_device):
    """Depthwise layers on blocks of a diagonal; on DIANA they stay digital, and a remark says why."""
    name = "fsdd_dscnn"
    x, _ = networks.real_data(name, data_dir, tmp_path, limit=IMAGES)
    calibration, _ = networks.real_data(name, data_dir, tmp_path, "calibration", 64)
    path = networks.path_of(name, data_dir)
    printed = compile_for_crossbar(path, calibration, tmp_path, target=target)
    seen = check_modes(tmp_path, x, reference_device)
    nodes = networks.load(path).graph.node
    depthwise = [n.name for n in nodes if n.op_type == "Conv" and any(a.name == "group" and a.i > 1 for a in n.attribute)]
    assert len(depthwise) == 4
    grouped = [l for l in seen.layers if l.raw["groups"] > 1]
    remarks = [line for line in printed.splitlines() if "remark:" in line]
    if target == "diana":
        assert not grouped and len(seen.layers) == 6
        assert all(any(n in line for line in remarks) for n in depthwise), printed
        assert {l.raw["adc_rounding"] for l in seen.layers} == {1}, "DIANA's converter rounds down"
    else:
        assert len(grouped) == 4 and len(seen.layers) == 10


def test_recurrent_network(tmp_path, reference_device):
    """Every step is a layer, on the cells of one matrix per direction."""
    rng = np.random.default_rng(7)
    steps, inputs, hidden = 5, 6, 7
    model = onnx.parser.parse_model(
        f"""
        <ir_version: 8, opset_import: ["" : 14]>
        recurrent (float[2, {steps}, {inputs}] x) => (float[2, {steps}, 2, {hidden}] y)
        {{
            y = GRU <hidden_size = {hidden}, layout = 1, direction = "bidirectional"> (x, w, r, b)
        }}
        """
    )
    for name, shape in {"w": (2, 3 * hidden, inputs), "r": (2, 3 * hidden, hidden), "b": (2, 6 * hidden)}.items():
        values = rng.normal(0, 0.5, shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    onnx.save(model, tmp_path / "recurrent.onnx")
    x = rng.normal(0, 1, (64, steps, inputs)).astype(np.float32)
    compile_for_crossbar(tmp_path / "recurrent.onnx", x, tmp_path, "--cells=3", batch=2)
    seen = check_modes(tmp_path, x[:IMAGES], reference_device)
    # Per direction: the input of all steps, and from the second step on update and reset gates, and the hidden gate.
    assert len(seen.layers) == 2 * (1 + 2 * (steps - 1))
    places = {tuple((b["array"], b["row"], b["column"]) for b in layer.blocks) for layer in seen.layers}
    assert len(places) == 2 * 3


def test_cells_of_single_layers(tmp_path, reference_device):
    onnx.save(smallmodel.build(), tmp_path / "small.onnx")
    for cells, expected in {"conv=3,fc=1": [3, 1], "conv=1,*=4": [1, 4], "2": [2, 2]}.items():
        folder = tmp_path / cells
        folder.mkdir()
        compile_for_crossbar(tmp_path / "small.onnx", smallmodel.data(32), folder, f"--cells={cells}")
        seen = check_modes(folder, smallmodel.data(5), reference_device)
        assert [l.raw["plane_count"] for l in seen.layers] == expected


def test_two_inputs_and_outputs(tmp_path, reference_device):
    """Named files, an .npz for calibration, outputs by name."""
    model = onnx.parser.parse_model(
        """
        <ir_version: 8, opset_import: ["" : 13]>
        two (float[3, 20] a, float[3, 2, 10] b) => (float[3, 6] sum, float[3, 20] c)
        <float[20, 6] w>
        {
            flat = Flatten (b)
            c = Add (a, flat)
            sum = MatMul (c, w)
        }
        """
    )
    rng = np.random.default_rng(4)
    model.graph.initializer.append(onnx.numpy_helper.from_array(rng.normal(0, 1, (20, 6)).astype(np.float32), "w"))
    onnx.save(model, tmp_path / "two.onnx")
    inputs = {"a": rng.normal(0, 1, (7, 20)).astype(np.float32), "b": rng.normal(0, 1, (7, 2, 10)).astype(np.float32)}
    np.savez(tmp_path / "calibration.npz", **inputs)
    so = tmp_path / "two.so"
    tools.compile_model(tmp_path / "two.onnx", so, f"--calibration={tmp_path / 'calibration.npz'}", "--cells=4")
    found = tools.run_model(so, inputs, tmp_path, "--device=ideal", outputs=["c", "sum"])
    both = inputs["a"] + inputs["b"].reshape(7, 20)
    product = both @ onnx.numpy_helper.to_array(model.graph.initializer[0])
    # It feeds an array, so it is stored once, in 7 bits (Architecture.md).
    assert np.abs(found["c"] - both).max() < np.ptp(both) / 63
    assert np.abs(found["sum"] - product).max() < 0.05 * np.ptp(product)
    reference = tools.run_model(so, inputs, tmp_path, f"--device={reference_device}", outputs=["sum"])
    exact = tools.run_model(so, dict(reversed(inputs.items())), tmp_path, "--device=exact", outputs=["sum"])
    assert tools.same_bits(reference["sum"], exact["sum"])
    result = tools.invoke("cim-run", so, "--input", tmp_path / "in0.npy")
    assert "a, b" in tools.check_refused(result)


def ternary_weights(model):
    """{node name: (matrix of -1, 0, 1; scale)} of every Conv with ternary weights."""
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            w = stored[node.input[1]]
            scale = np.abs(w).reshape(len(w), -1).max(1)
            t = np.rint(w / np.where(scale == 0, 1, scale)[:, None, None, None])
            assert np.abs(t * scale[:, None, None, None] - w).max() < 1e-6, f"{node.name} is not ternary"
            found[node.name] = numerics.matrix_of_conv(t), scale
    return found


def test_ternary_network(data_dir, tmp_path, reference_device):
    """The network for this kind of machine: its integers survive, and `ideal` is onnxruntime."""
    name = "resnet20_w2a7_ternary_odimo"
    path = networks.path_of(name, data_dir)
    x, _ = networks.real_data(name, data_dir, tmp_path, limit=IMAGES)
    calibration, _ = networks.real_data(name, data_dir, tmp_path, "calibration", 64)
    compile_for_crossbar(path, calibration, tmp_path, "--cells=1")
    seen = check_modes(tmp_path, x, reference_device)
    # A layer's name is its node's as an MLIR symbol.
    weights = {re.sub(r"\W", "_", n).strip("_"): w for n, w in ternary_weights(networks.load(path)).items()}
    assert [l.name for l in seen.layers] == list(weights), "every Conv is a layer, in order"
    for layer in seen.layers:
        recording.check_mapping(layer, seen.arrays, weights[layer.name][0], "radix", 1, 1024, 512)
    found = tools.run_model(tmp_path / "network.so", x, tmp_path, "--device=ideal")
    expected = float_reference.run(str(path), x)
    # Its scales are no powers of two and it floors values that lie on the grid, so
    # onnxruntime's order of additions moves single integers by one (networks.json).
    assert (found.argmax(1) == expected.argmax(1)).all()
    assert (np.abs(found - expected).max(1) < 1e-4).mean() >= 0.75
    assert np.abs(found - expected).max() < 0.02 * np.ptp(expected)


def test_qonnx_network(data_dir, tmp_path, reference_device):
    """Ternary weights of QONNX's Quant are the cells, and `ideal` is its definition."""
    name = "tfc_2w2a_qonnx"
    path = networks.path_of(name, data_dir)
    x, _ = networks.real_data(name, data_dir, tmp_path, limit=IMAGES)
    calibration, _ = networks.real_data(name, data_dir, tmp_path, "calibration", 64)
    compile_for_crossbar(path, calibration, tmp_path, "--cells=1")
    seen = check_modes(tmp_path, x, reference_device)
    model = networks.load(path)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    weights = [
        qonnx_reference.integers(*(stored[i] for i in node.input), signed=1, narrow=1)
        for node in model.graph.node
        if node.op_type == "Quant" and node.input[0] in stored
    ]
    assert len(seen.layers) == len(weights) == 4
    for layer, w in zip(seen.layers, weights):
        recording.check_mapping(layer, seen.arrays, w.T, "radix", 1, 1024, 512)
    found = tools.run_model(tmp_path / "network.so", x, tmp_path, "--device=ideal")
    np.testing.assert_allclose(found, qonnx_reference.run(model, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed, cells, split", [(0, 1, "radix"), (1, 1, "radix"), (2, 2, "radix"), (3, 3, "unary"), (4, 3, "radix")])
def test_quantised_network_is_onnxruntime(seed, cells, split, tmp_path, reference_device):
    """Where nothing but quantisers rounds, `ideal` gives onnxruntime's numbers, all of them."""
    levels = cells if split == "unary" else (3**cells - 1) // 2
    model, weights = qdqnetwork.build(seed, levels)
    onnx.save(model, tmp_path / "network.onnx")
    x = qdqnetwork.data(seed, 9)
    options = [f"--cells={cells}", f"--split={split}"]
    compile_for_crossbar(tmp_path / "network.onnx", qdqnetwork.data(seed + 100, 32), tmp_path, *options)
    seen = check_modes(tmp_path, x, reference_device)
    assert [l.name for l in seen.layers] == list(weights)
    for layer in seen.layers:
        w = weights[layer.name]
        matrix = numerics.matrix_of_conv(w, layer.raw["groups"]) if w.ndim == 4 else w.T
        recording.check_mapping(layer, seen.arrays, matrix, split, cells, 1024, 512)
    found = tools.run_model(tmp_path / "network.so", x, tmp_path, "--device=ideal")
    expected = float_reference.run(model, x)
    assert len(np.unique(expected)) > 30
    assert np.array_equal(found, expected), recording.difference("onnxruntime", found, expected)


@pytest.mark.parametrize("seed, cells", [(0, 1), (1, 2)])
def test_transposed_convolutions_are_layers(seed, cells, tmp_path, reference_device):
    """They keep their integers and scales on the way to the arrays: `ideal` gives onnxruntime's numbers."""
    model, layers = qdqnetwork.build_decoder(seed, (3**cells - 1) // 2)
    onnx.save(model, tmp_path / "network.onnx")
    x = qdqnetwork.data(seed, 5)
    compile_for_crossbar(tmp_path / "network.onnx", qdqnetwork.data(seed + 100, 32), tmp_path, f"--cells={cells}")
    assert [l.name for l in check_modes(tmp_path, x, reference_device).layers] == layers
    found = tools.run_model(tmp_path / "network.so", x, tmp_path, "--device=ideal")
    expected = float_reference.run(model, x)
    assert len(np.unique(expected)) > 30
    assert np.array_equal(found, expected), recording.difference("onnxruntime", found, expected)
