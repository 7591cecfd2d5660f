# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks in Q/DQ form whose scales are all powers of two: a residual one and a decoder.

Every product and sum in them is exact in binary32, so that only the quantisers
round: two programs that disagree about one bit of them differ in meaning.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = (4, 12, 10)  # channels, height, width
CLASSES = 7


class _Builder:
    def __init__(self, seed, levels):
        self.rng, self.levels = np.random.default_rng([seed, 9]), levels
        self.nodes, self.initializers, self.matrices = [], [], {}

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [f"{name}_v"], name=name, **attributes))
        return f"{name}_v"

    def quantise(self, value, name, scale, unsigned):
        lo, hi = (0, 127) if unsigned else (-63, 63)
        scale = np.float32(scale)
        clip = [self.constant(f"{name}_{n}", np.float32(b) * scale) for n, b in (("lo", lo), ("hi", hi))]
        operands = [self.constant(f"{name}_s", scale), self.constant(f"{name}_z", np.uint8(0) if unsigned else np.int8(0))]
        value = self.node("Clip", [value, *clip], f"{name}_clip")
        value = self.node("QuantizeLinear", [value, *operands], f"{name}_q")
        return self.node("DequantizeLinear", [value, *operands], f"{name}_dq")

    def weights(self, name, shape):
        w = self.rng.integers(-self.levels, self.levels + 1, shape).astype(np.int8)
        w.reshape(len(w), -1)[:, 0] = 1
        self.matrices[name] = w
        smallest = -4 - int(np.log2(self.levels))
        scale = np.exp2(self.rng.integers(smallest, smallest + 3, len(w))).astype(np.float32)
        operands = [self.constant(f"{name}_w", w), self.constant(f"{name}_ws", scale), self.constant(f"{name}_wz", np.zeros(len(w), np.int8))]
        bias = self.constant(f"{name}_b", (self.rng.integers(-64, 64, len(w)) / 64).astype(np.float32))
        return [self.node("DequantizeLinear", operands, f"{name}_wdq", axis=0), bias]

    def conv(self, value, name, c_in, c_out, kernel=3, groups=1, stride=1):
        w = self.weights(name, (c_out, c_in // groups, kernel, kernel))
        pad = kernel // 2
        return self.node("Conv", [value, *w], name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def conv_transpose(self, value, name, c_in, c_out, kernel, groups=1, **attributes):
        shape = (c_in, c_out // groups, kernel, kernel)
        w = self.rng.integers(-self.levels, self.levels + 1, shape).astype(np.int8)
        scale = np.exp2(self.rng.integers(-5, -2, shape[1])).astype(np.float32)
        operands = [self.constant(f"{name}_w", w), self.constant(f"{name}_ws", scale), self.constant(f"{name}_wz", np.zeros(shape[1], np.int8))]
        w = self.node("DequantizeLinear", operands, f"{name}_wdq", axis=1)
        bias = self.constant(f"{name}_b", (self.rng.integers(-64, 64, c_out) / 64).astype(np.float32))
        return self.node("ConvTranspose", [value, w, bias], name, group=groups, **attributes)

    def model(self, outputs, batch):
        graph = helper.make_graph(
            self.nodes,
            "qdq",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *SHAPE])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, *outputs])],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        return model


def build_decoder(seed, levels, batch=2):
    """A convolution, its map twice as large, and transposed convolutions: (model, names of the layers)."""
    b = _Builder(seed, levels)
    x = b.quantise("x", "in", 2**-5, unsigned=False)
    y = b.quantise(b.node("Relu", [b.conv(x, "stem", SHAPE[0], 8, stride=2)], "stem_relu"), "a", 2**-4, unsigned=True)
    twice = b.constant("twice", np.array([1, 1, 2, 2], np.float32))
    y = b.node("Resize", [y, "", twice], "resize", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    y = b.conv_transpose(y, "padded", 8, 12, 3, groups=2, strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    y = b.quantise(b.node("Relu", [y], "padded_relu"), "p", 2**-3, unsigned=True)
    y = b.quantise(b.conv_transpose(y, "blocks", 12, 6, 2, strides=[2, 2]), "b", 2**-3, unsigned=False)
    y = b.conv_transpose(y, "dense", 6, 3, 3, pads=[1, 0, 0, 1])
    b.nodes.append(helper.make_node("Identity", [y], ["y"]))
    return b.model([3, 4 * SHAPE[1] + 1, 4 * SHAPE[2] + 1], batch), ["stem", "padded", "blocks", "dense"]


def build(seed, levels, batch=2):
    """Returns (model, {layer name: integer weights})."""
    b = _Builder(seed, levels)
    x = b.quantise("x", "in", 2**-5, unsigned=False)
    a = b.quantise(b.node("Relu", [b.conv(x, "stem", SHAPE[0], 8)], "stem_relu"), "a", 2**-4, unsigned=True)
    y = b.quantise(b.node("Relu", [b.conv(a, "conv1", 8, 8)], "relu1"), "y", 2**-3, unsigned=True)
    y = b.quantise(b.conv(y, "conv2", 8, 8, kernel=1), "y2", 2**-3, unsigned=False)
    y = b.node("Relu", [b.node("Add", [y, a], "join")], "join_relu")
    y = b.quantise(y, "joined", 2**-3, unsigned=True)
    y = b.node("MaxPool", [y], "pool", kernel_shape=[2, 2], strides=[2, 2])
    y = b.quantise(b.conv(y, "grouped", 8, 12, groups=2, stride=2), "g", 2**-3, unsigned=False)
    y = b.node("Concat", [y, y], "both", axis=1)
    y = b.node("Slice", [y, *(b.constant(f"slice{i}", np.array([v], np.int64)) for i, v in enumerate((3, 19, 1)))], "cut")
    y = b.quantise(b.node("AveragePool", [y], "mean", kernel_shape=[2, 2], strides=[1, 1]), "m", 2**-4, unsigned=False)
    y = b.node("Flatten", [y], "flatten")
    height, width = (((s // 2) + 1) // 2 - 1 for s in SHAPE[1:])
    w = b.weights("fc", (CLASSES, 16 * height * width))
    b.nodes.append(helper.make_node("Gemm", [y, *w], ["y"], name="fc", transB=1))
    return b.model([CLASSES], batch), b.matrices


def data(seed, samples):
    """Multiples of half an input step, so that quantising meets ties."""
    rng = np.random.default_rng([seed, 10])
    return (rng.integers(-150, 150, (samples, *SHAPE)) * np.float32(2**-6)).astype(np.float32)
