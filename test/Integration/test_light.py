# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Architectures without trained weights (CIM_DATA_DIR/onnx-light) with `--target=host`."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import float_reference
import tools

NETWORKS = [
    "bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "vgg19", "zfnet512",
]  # fmt: skip
# With random weights, each compiled program holds all of them: the largest are left out.
RANDOM = [name for name in NETWORKS if name not in {"bvlc_alexnet", "vgg19", "zfnet512"}]
TOLERANCE = 1e-3


def load(name, data_dir):
    """(network, its input)."""
    model = onnx.load(data_dir / "onnx-light" / f"light_{name}.onnx")
    stored = {t.name for t in model.graph.initializer}
    (info,) = [i for i in model.graph.input if i.name not in stored]
    shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
    count = int(np.prod(shape))
    return model, (np.arange(count) / count).reshape(shape).astype(np.float32)


def run(model, x, folder):
    onnx.save(model, folder / "net.onnx")
    tools.compile_model(folder / "net.onnx", folder / "net.so", "--target=host")
    return tools.run_model(folder / "net.so", x, folder)


@pytest.mark.parametrize("name", NETWORKS)
def test_reference_output(name, data_dir, tmp_path):
    """Equal weights give outputs that are all alike, so the range is that of the magnitudes."""
    model, x = load(name, data_dir)
    expected = numpy_helper.to_array(onnx.load_tensor(data_dir / "onnx-light" / f"light_{name}_output_0.pb"))
    found = run(model, x, tmp_path)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max()


def randomise(model):
    """Weights that keep the size of activations, so that every layer matters to the output; positive vectors, since some
    are variances."""
    generator = np.random.default_rng(0)
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            kept.append(node)
            continue
        shape = shapes[node.input[0]]
        if len(shape) == 1:
            value = generator.uniform(0.5, 1.5, shape)
        else:
            value = generator.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.ir_version = 8
    return model


@pytest.mark.parametrize("name", RANDOM)
def test_random_weights(name, data_dir, tmp_path):
    model, x = load(name, data_dir)
    if model.graph.node[-1].op_type == "Softmax":  # saturated by logits as large as these
        last = model.graph.node.pop()
        del model.graph.output[:]
        model.graph.output.append(helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
    model = randomise(model)
    found, expected = run(model, x, tmp_path), float_reference.run(model, x)
    assert found.shape == expected.shape
    span = float(expected.max() - expected.min())
    assert span > 0.01 * np.abs(expected).max()
    assert np.abs(found - expected).max() <= TOLERANCE * span
