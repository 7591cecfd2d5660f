# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX backend node tests as networks that cim-compile takes.

A network's tensors begin with the batch, and node tests care nothing for that:
Transpose moves the first dimension, Reshape removes it. So each test is put
between reshapes: a graph input is `1 x elements`, reshaped to what the node
wants, and so is its output. Operands that say how and not what (shapes, axes,
pads, scales) become initializers, as in real networks.
"""

import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Issue 2's operators, and how many leading operands stay graph inputs.
OPERATORS = {
    "Conv": 3, "Gemm": 3, "MatMul": 2, "BatchNormalization": 1, "Relu": 1, "Clip": 1,
    "Add": 2, "Mul": 2, "Sub": 2, "Div": 2, "MaxPool": 1, "AveragePool": 1,
    "GlobalAveragePool": 1, "ReduceMean": 1, "Flatten": 1, "Reshape": 1, "Transpose": 1,
    "Squeeze": 1, "Unsqueeze": 1, "Concat": 99, "Pad": 1, "Slice": 1, "Softmax": 1,
    "Floor": 1, "Round": 1, "Identity": 1, "Dropout": 1, "QuantizeLinear": 1,
    # Weights: DequantizeLinear of integers that arrive at run time is no use here.
    "DequantizeLinear": 0,
    # These need only fold.
    "Constant": 0, "ConstantOfShape": 0, "Shape": 0, "Gather": 0, "Cast": 0,
}  # fmt: skip

# Types of operands and results. The tests of 2-, 4-, 8- and 16-bit floats and of
# 2- and 4-bit integers are left out: they are of no use to issue 2.
TYPES = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BOOL,
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
}  # fmt: skip


def collect():
    """The node tests of OPERATORS, by name."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its NumPy references overflow on purpose
        cases = collect_testcases(None)
    return {c.name: c for c in cases if _wanted(c)}


def _wanted(case):
    graph = case.model.graph
    if case.name.startswith("test_castlike"):  # Cast under other names
        return False
    if len(graph.node) != 1 or graph.node[0].op_type not in OPERATORS or graph.node[0].domain:
        return False
    values = [*graph.input, *graph.output]
    if not all(v.type.HasField("tensor_type") for v in values):
        return False
    # A network without elements has nothing to compare.
    return {v.type.tensor_type.elem_type for v in values} <= TYPES and all(
        array(v).size for v in case.data_sets[0][1]
    )


def array(value):
    value = numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)
    # Constants must be finite, and the tests of Cast put everything into theirs.
    return np.where(np.isfinite(value), value, 0).astype(value.dtype) if value.dtype.kind == "f" else value


class Wrapped:
    """A node test as a network: `model`, `inputs` and `expected` by name."""

    def __init__(self, case):
        graph = case.model.graph
        operands, results = case.data_sets[0]
        keep = OPERATORS[graph.node[0].op_type]
        self._nodes, self._initializers = [], []
        self.inputs, self.expected = {}, {}
        graph_inputs = []
        for i, (info, value) in enumerate(zip(graph.input, operands)):
            value = array(value)
            if i >= keep or not value.size:
                self._initializers.append(numpy_helper.from_array(value, info.name))
                continue
            name = f"{info.name}_in"
            self.inputs[name] = value.reshape(1, -1)
            elem = info.type.tensor_type.elem_type
            graph_inputs.append(helper.make_tensor_value_info(name, elem, [1, value.size]))
            self._reshape(name, info.name, value.shape)
        self._nodes.append(graph.node[0])
        graph_outputs = []
        for info, value in zip(graph.output, results):
            value = array(value)
            elem, result = info.type.tensor_type.elem_type, info.name
            if not self.inputs:  # a constant: give the network an input to add to it
                zero = np.zeros((1, value.size), np.float32)
                graph_inputs.append(helper.make_tensor_value_info("zero", TensorProto.FLOAT, zero.shape))
                self.inputs["zero"] = zero
            name = f"{info.name}_out"
            if "zero" in self.inputs:
                if elem != TensorProto.FLOAT:
                    self._nodes.append(helper.make_node("Cast", [result], [f"{result}_f"], to=TensorProto.FLOAT))
                    result, elem, value = f"{result}_f", TensorProto.FLOAT, value.astype(np.float32)
                self._reshape(result, f"{name}_c", (1, value.size))
                self._nodes.append(helper.make_node("Add", [f"{name}_c", "zero"], [name], name="add_zero"))
            else:
                self._reshape(result, name, (1, value.size))
            self.expected[name] = value.reshape(1, -1)
            graph_outputs.append(helper.make_tensor_value_info(name, elem, [1, value.size]))
        self.model = helper.make_model(
            helper.make_graph(self._nodes, case.name, graph_inputs, graph_outputs, self._initializers),
            opset_imports=case.model.opset_import,
        )
        self.model.ir_version = case.model.ir_version

    def _reshape(self, source, target, shape):
        operand = f"{target}_shape"
        self._initializers.append(numpy_helper.from_array(np.array(shape, np.int64), operand))
        self._nodes.append(helper.make_node("Reshape", [source, operand], [target], name=f"{target}_reshape"))
