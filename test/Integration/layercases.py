# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random single-layer networks that arrive quantised, as ONNX files.

A case is drawn from a seeded generator, so its name says all that is needed to
draw it again. The network is

    x -> quantiser -> Conv | Gemm | MatMul with integer weights -> [Relu] -> [quantiser]

with a quantiser written as Clip, QuantizeLinear, DequantizeLinear or as a
Clip, Mul, Floor | Round, Mul chain, and weights as int8 through
DequantizeLinear with one scale per output channel.
"""

import random
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import numerics

CONVERTERS = [
    {"adc_rounding": rounding, "adc_range": range}
    for rounding in (numerics.NEAREST_EVEN, numerics.FLOOR, numerics.MID_RISE)
    for range in ("twos-complement", "symmetric")
    if (rounding, range) != (numerics.MID_RISE, "symmetric")
]
RANGES = {"signed": (-63, 63), "unsigned": (0, 127)}


@dataclass(frozen=True)
class Case:
    seed: int
    kind: str  # conv2d, conv1d, gemm, matmul
    channels: int
    filters: int
    size: tuple  # spatial
    kernel: tuple
    strides: tuple
    dilations: tuple
    pads: tuple  # begins, then ends
    groups: int
    bias: bool
    relu: bool
    cells: int
    split: str
    sign: str  # of the input: signed, unsigned
    quantiser: str  # qdq, floor, round
    output: str  # float, quantised
    rows: int
    columns: int
    adc_bits: int
    adc_rounding: str
    adc_range: str
    dyadic: bool = False  # powers of two as scales: roundings meet many ties
    batch: int = 2
    samples: int = 5

    @property
    def name(self):
        return f"{self.seed}-{self.kind}-{self.split}{self.cells}-g{self.groups}-{self.rows}x{self.columns}"

    @property
    def levels(self):
        """The largest weight that the split holds exactly."""
        levels = {"radix": (3**self.cells - 1) // 2, "magnitude": 2**self.cells - 1, "residual": 127}
        return levels.get(self.split, self.cells)

    @property
    def adc(self):
        half = 2 ** (self.adc_bits - 1)
        return (1 - half if self.adc_range == "symmetric" else -half), half - 1

    @property
    def out_size(self):
        rank = len(self.size)
        return tuple(
            (self.size[i] + self.pads[i] + self.pads[rank + i] - self.dilations[i] * (self.kernel[i] - 1) - 1)
            // self.strides[i]
            + 1
            for i in range(rank)
        )


def draw(seed):
    """The case of a seed."""
    rng = random.Random(f"cim-layer-{seed}")
    kind = rng.choice(["conv2d"] * 4 + ["conv1d", "gemm", "matmul"])
    rank = {"conv2d": 2, "conv1d": 1}.get(kind, 0)
    groups = 1
    if rank:
        groups = rng.choice([1, 1, 1, 2, 3, "depthwise"])
        if groups == "depthwise":
            groups = rng.randint(2, 8)
            channels, filters = groups, groups * rng.choice([1, 2])
        else:
            channels, filters = groups * rng.randint(1, 9), groups * rng.randint(1, 9)
    else:
        channels, filters = rng.randint(1, 90), rng.randint(1, 24)
    while True:
        kernel = tuple(rng.choice([1, 2, 3, 3, 5]) for _ in range(rank))
        dilations = tuple(rng.choice([1, 1, 2]) for _ in range(rank))
        pads = tuple(rng.choice([0, 1, 1, 2]) for _ in range(2 * rank))
        size = tuple(rng.randint(3, 9) for _ in range(rank))
        need = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
        if all(size[i] + pads[i] + pads[rank + i] >= need[i] for i in range(rank)):
            break
    split = rng.choice(["radix", "magnitude", "equal", "unary", "residual"])
    cells = rng.randint(1, 4)
    # Small arrays make several row blocks; 1024 rows make one.
    rows = rng.choice([16, 24, 40, 64, 1024])
    return Case(
        seed=seed,
        kind=kind,
        channels=channels,
        filters=filters,
        size=size,
        kernel=kernel,
        strides=tuple(rng.choice([1, 1, 2, 3]) for _ in range(rank)),
        dilations=dilations,
        pads=pads,
        groups=groups,
        bias=rng.random() < 0.7,
        relu=rng.random() < 0.4,
        cells=cells,
        split=split,
        sign=rng.choice(["signed", "unsigned"]),
        quantiser=rng.choice(["qdq", "qdq", "floor", "round"]),
        output=rng.choice(["float", "quantised"]),
        rows=rows,
        columns=rng.choice([8, 12, 20, 512]),
        adc_bits=rng.choice([4, 6, 6, 8]),
        **rng.choice(CONVERTERS),
        dyadic=rng.random() < 0.3,
    )


class Network:
    """The ONNX file of a case, its data, and what Numerics.md says of it."""

    def __init__(self, case):
        self.case = case
        rng = np.random.default_rng([case.seed, 2])
        rank = len(case.size)
        per_group = case.channels // case.groups
        shape = (case.filters, per_group) + case.kernel
        limit = case.levels
        self.weights = rng.integers(-limit, limit + 1, shape).astype(np.int8)
        # Every split must show that it reaches its limits; and a channel that is
        # a multiple of a smaller integer would be stored as that one.
        self.weights.reshape(case.filters, -1)[:, 0] = 1
        if self.weights[0].size > 1:
            self.weights[0].flat[-1], self.weights[-1].flat[-1] = limit, -limit
        self.in_scale = np.float32(rng.uniform(0.01, 0.1))
        self.weight_scale = rng.uniform(0.002, 0.02, case.filters).astype(np.float32)
        self.bias = rng.normal(0, 0.5, case.filters).astype(np.float32) if case.bias else None
        lo, hi = RANGES[case.sign]
        self.in_range = (lo, hi)
        self.out_range = RANGES["unsigned" if case.relu else "signed"]
        sample = (case.samples, case.channels) + case.size
        spread = (lo * 1.2 - 3, hi * 1.2)  # beyond both ends, so that clipping is seen
        self.x = (rng.uniform(*spread, sample) * self.in_scale).astype(np.float32)
        if case.dyadic:
            self.in_scale = np.float32(2**-4)
            self.weight_scale = np.exp2(rng.integers(-7, -4, case.filters)).astype(np.float32)
            if case.bias:
                self.bias = (np.rint(self.bias * 64) / 64).astype(np.float32)
            self.x = (rng.integers(3 * lo - 5, 3 * hi, sample) * self.in_scale / 2).astype(np.float32)
        magnitude = float(self.weight_scale.mean() * self.in_scale) * limit * 40
        self.out_scale = np.float32(magnitude * np.sqrt(per_group * np.prod(case.kernel, initial=1)) / 63)
        if case.dyadic:
            self.out_scale = np.exp2(np.floor(np.log2(self.out_scale))).astype(np.float32)

    @property
    def matrix(self):
        """K x N, from the weights of the file."""
        w = self.weights
        return numerics.matrix_of_conv(w.reshape(w.shape[:2] + (1,) * (4 - w.ndim) + w.shape[2:]), self.case.groups)

    @property
    def cells(self):
        """Ternary weights stay one cell each, however many the user allows."""
        return 1 if np.abs(self.weights).max() <= 1 else self.case.cells

    @property
    def rounding(self):
        return numerics.FLOOR if self.case.quantiser == "floor" else numerics.NEAREST_EVEN

    def quantised_input(self):
        """The integers that the device must be shown, NHWC."""
        q = numerics.quantize(self.x, self.in_scale, *self.in_range, self.rounding)
        c = self.case
        q = q.reshape(c.samples, c.channels, *((1,) * (2 - len(c.size))), *c.size)
        return q.transpose(0, 2, 3, 1)

    def nominal_scale(self):
        """`scale` of section 4 before any correction: binary64, rounded once."""
        scale = np.float64(self.in_scale) * self.weight_scale.astype(np.float64)
        return scale / np.float64(self.out_scale) if self.case.output == "quantised" else scale

    def nominal_bias(self):
        bias = np.zeros(self.case.filters) if self.bias is None else self.bias.astype(np.float64)
        return bias / np.float64(self.out_scale) if self.case.output == "quantised" else bias

    def finish(self, y):
        """The layer's output (NHWC, integers or floats) as the network's."""
        if self.case.output == "quantised":
            y = y.astype(np.float32) * self.out_scale
        y = y.transpose(0, 3, 1, 2)
        return y.reshape(y.shape[:2] + self.case.out_size)

    # --- the file -----------------------------------------------------------

    def model(self):
        case = self.case
        self._nodes, self._initializers = [], []
        value = self._quantiser("x", "in", self.in_scale, self.in_range)
        value = self._product(value)
        if case.relu:
            value = self._node("Relu", [value], "relu")
        if case.output == "quantised":
            value = self._quantiser(value, "out", self.out_scale, self.out_range)
        self._nodes[-1].output[0] = "y"
        graph = helper.make_graph(
            self._nodes,
            f"case{case.seed}",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, (case.batch, case.channels) + case.size)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, (case.batch, case.filters) + case.out_size)],
            self._initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        return model

    def _node(self, op, inputs, name, **attributes):
        self._nodes.append(helper.make_node(op, inputs, [f"{name}_value"], name=name, **attributes))
        return f"{name}_value"

    def _constant(self, name, array):
        self._initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def _quantiser(self, value, name, scale, bounds):
        scale = np.float32(scale)
        limits = [np.float32(b) * scale for b in bounds]
        if self.case.quantiser == "qdq":
            zero = np.uint8(0) if bounds[0] == 0 else np.int8(0)
            clip = [self._constant(f"{name}_{w}", l) for w, l in zip(("lo", "hi"), limits)]
            operands = [self._constant(f"{name}_scale", scale), self._constant(f"{name}_zero", zero)]
            value = self._node("Clip", [value, *clip], f"{name}_clip")
            value = self._node("QuantizeLinear", [value, *operands], f"{name}_quantise")
            return self._node("DequantizeLinear", [value, *operands], f"{name}_dequantise")
        factor = np.float32(1) / scale
        if self.case.quantiser == "floor":
            # The smallest bound that the multiplication does not round below.
            while np.floor(limits[1] * factor) < bounds[1]:
                limits[1] = np.nextafter(limits[1], np.float32(np.inf))
            while np.floor(limits[0] * factor) < bounds[0]:
                limits[0] = np.nextafter(limits[0], np.float32(np.inf))
        clip = [self._constant(f"{name}_{w}", l) for w, l in zip(("lo", "hi"), limits)]
        value = self._node("Clip", [value, *clip], f"{name}_clip")
        value = self._node("Mul", [value, self._constant(f"{name}_factor", factor)], f"{name}_scale_up")
        value = self._node("Floor" if self.case.quantiser == "floor" else "Round", [value], f"{name}_round")
        return self._node("Mul", [value, self._constant(f"{name}_scale", scale)], f"{name}_scale_down")

    def _product(self, value):
        case, weights = self.case, self.weights
        axis = 0
        if case.kind == "matmul":
            weights, axis = np.ascontiguousarray(weights.T), 1
        operands = [
            self._constant("weights", weights),
            self._constant("weight_scale", self.weight_scale),
            self._constant("weight_zero", np.zeros(case.filters, np.int8)),
        ]
        w = self._node("DequantizeLinear", operands, "weights_dequantise", axis=axis)
        bias = [] if self.bias is None else [self._constant("bias", self.bias)]
        if case.kind == "matmul":
            value = self._node("MatMul", [value, w], "layer")
            return self._node("Add", [value, *bias], "layer_bias") if bias else value
        if case.kind == "gemm":
            return self._node("Gemm", [value, w, *bias], "layer", transB=1)
        return self._node(
            "Conv",
            [value, w, *bias],
            "layer",
            kernel_shape=case.kernel,
            strides=case.strides,
            dilations=case.dilations,
            pads=case.pads,
            group=case.groups,
        )


def target_yaml(case, text):
    """imec-ania's description `text` with the arrays and ADC of a case."""
    import re

    def put(pattern, value):
        nonlocal text
        text, count = re.subn(pattern, value, text, flags=re.M)
        assert count == 1, pattern

    put(r"^name: .*$", "name: test-array")
    put(r"^  rows: .*$", f"  rows: {case.rows}")
    put(r"^  columns: .*$", f"  columns: {case.columns}")
    # Grouped layers are to map however much room they waste.
    put(r"^  max_cells_per_weight: .*$", "  max_cells_per_weight: 4096")
    put(r"(?s)^adc:\n  bits: \d+\n  rounding: [a-z-]+\n  range: [a-z-]+\n",
        f"adc:\n  bits: {case.adc_bits}\n  rounding: {case.adc_rounding}\n  range: {case.adc_range}\n")
    return text[: text.index("\nanchors:")] + "\n"
