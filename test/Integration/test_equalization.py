# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""nn-equalize-channels changes the constants of a network and nothing that it computes: against onnxruntime.

Every network has channels of very different range in front of layers, and ops between them through which factors go.
"""

import re

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import float_reference
import tools

# Of the range of the output, as in test_host.py.
TOLERANCE = 1e-4


class Builder:
    """Nodes in order, with random tensors; every channel of a layer has a range of its own."""

    def __init__(self, seed):
        self.rng, self.nodes, self.tensors = np.random.default_rng(seed), [], []

    def node(self, kind, *inputs, **attributes):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def tensor(self, values):
        name = f"t{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def normal(self, *shape):
        return self.tensor(self.rng.normal(size=shape).astype(np.float32))

    def spread(self, *shape):
        """Normal numbers whose first dimension has ranges from 1/16 to 16."""
        ranges = 2 ** self.rng.uniform(-4, 4, (shape[0], *[1] * (len(shape) - 1)))
        return self.tensor((self.rng.normal(size=shape) * ranges).astype(np.float32))

    def conv(self, x, inputs, outputs, kernel=3, group=1):
        w = self.spread(outputs, inputs // group, kernel, kernel)
        pads = [kernel // 2] * 4
        return self.node("Conv", x, w, self.spread(outputs), kernel_shape=[kernel, kernel], pads=pads, group=group)

    def dense(self, x, inputs, outputs):
        return self.node("Gemm", x, self.spread(outputs, inputs), self.spread(outputs), transB=1)

    def model(self, last, shape):
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_empty_tensor_value_info(last)],
            self.tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        return model


IMAGE, TOKENS = [1, 3, 8, 8], [1, 6, 8]


def residual(b):
    x = b.node("Relu", b.conv("x", 3, 8))
    y = b.conv(b.node("Relu", b.conv(x, 8, 12)), 12, 8)
    y = b.node("Relu", b.node("Add", x, y))
    y = b.node("Flatten", b.node("GlobalAveragePool", y))
    return b.dense(y, 8, 4), IMAGE


def separable(b):
    x = b.node("Relu", b.conv("x", 3, 8))
    x = b.node("LeakyRelu", b.conv(x, 8, 8, group=8), alpha=0.2)
    x = b.node("PRelu", b.conv(x, 8, 6, kernel=1), b.normal(6, 1, 1))
    x = b.node("AveragePool", b.conv(x, 6, 12, group=2), kernel_shape=[2, 2], strides=[2, 2])
    return b.dense(b.node("Flatten", x), 192, 4), IMAGE


def branches(b):
    left, right = b.conv("x", 3, 4), b.node("MaxPool", b.conv("x", 3, 6), kernel_shape=[3, 3], pads=[1] * 4)
    x = b.node("Concat", left, "x", right, axis=1)
    x = b.node("Slice", x, b.tensor([1]), b.tensor([12]), b.tensor([1]), b.tensor([1]))
    x = b.node("Pad", x, b.tensor([0, 0, 1, 0, 0, 0, 0, 1]))
    x = b.node("Max", x, b.spread(11, 1, 1))
    x = b.node("Sub", b.spread(11, 1, 1), b.node("Mul", x, b.tensor(np.float32(-3))))
    x = b.node("Transpose", x, perm=[0, 2, 3, 1])
    return b.node("MatMul", x, b.normal(11, 5)), IMAGE


def gated(b):
    x = b.node("LayerNormalization", "x", b.spread(8), b.spread(8), axis=-1)
    gate = b.node("Sigmoid", b.node("MatMul", x, b.normal(8, 12)))
    up = b.node("Div", b.node("MatMul", x, b.normal(8, 12)), b.tensor(np.full((1, 1), 3, np.float32)))
    y = b.node("MatMul", b.node("Mul", gate, up), b.normal(12, 8))
    y = b.node("LayerNormalization", b.node("Add", x, y), b.spread(8), b.spread(8), axis=-1)
    return b.node("MatMul", y, b.normal(8, 5)), TOKENS


# What the depthwise convolution and the last product read, and what makes that; of the normalisations only the second,
# since the network adds to what the first one makes.
@pytest.mark.parametrize("topology, constants_changed", [(residual, 6), (separable, 6), (branches, 7), (gated, 5)])
def test_same_network(tmp_path, topology, constants_changed):
    builder = Builder(7)
    last, shape = topology(builder)
    model = builder.model(last, shape)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    x = np.random.default_rng(1).normal(size=(16, *shape[1:])).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    before, after, so = (tmp_path / name for name in ("before.mlir", "after.mlir", "net.so"))
    tools.compile_model(tmp_path / "net.onnx", before, "--target=host", "--emit=nn")
    for tool, *options in (
        ("cim-opt", f"--nn-equalize-channels=data={tmp_path / 'x.npy'}", before, "-o", after),
        ("cim-translate", "--cim-to-shared-object", "--target=host", after, "-o", so),
    ):
        result = tools.invoke(tool, *options)
        assert result.returncode == 0, result.stderr
    changed = len(set(constants(before)) - set(constants(after)))
    assert changed == constants_changed
    expected = float_reference.run(model, x)
    found = tools.run_model(so, x, tmp_path)
    limit = TOLERANCE * (expected.max() - expected.min())
    assert np.abs(found.reshape(expected.shape) - expected).max() <= limit


def constants(path):
    """The data of all constants: those in the lines and the resources at the end."""
    return re.findall(r'dense<\[.*?\]>|"0x\w+"', path.read_text())
