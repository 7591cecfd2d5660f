# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ONNX backend tests as networks that cim-compile takes.

A network's tensors begin with the batch, and these tests care nothing for that:
Transpose moves the first dimension, Reshape removes it. So each test is put
between reshapes: a graph input is `1 x elements`, reshaped to what the test
wants, and so is its output. Operands that say how and not what (shapes, axes,
pads, scales) become initializers, as in real networks; so do empty tensors.
"""

import dataclasses
import functools
import pathlib
import re
import warnings

import ml_dtypes
import numpy as np
import onnx
import onnx.version_converter
from onnx import TensorProto, helper, numpy_helper

OLDEST_OPSET = 7  # of the compiler; older tests go through ONNX's converter

REDUCTIONS = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]

# Positions of the operands that say how. All others stay run-time inputs.
HOW = {
    **dict.fromkeys([f"Reduce{kind}" for kind in REDUCTIONS], {1}),
    **dict.fromkeys(["Reshape", "Expand", "Tile", "Squeeze", "Unsqueeze", "Split", "CenterCropPad", "AffineGrid"], {1}),
    **dict.fromkeys(["TopK", "OneHot", "CumSum", "CumProd", "Trilu", "Compress", "Upsample"], {1}),
    **dict.fromkeys(["ConstantOfShape", "HannWindow", "HammingWindow", "BlackmanWindow", "If", "NonZero", "Unique"], {0}),
    **dict.fromkeys(["Slice", "Pad"], {1, 2, 3, 4}),
    **dict.fromkeys(["Dropout", "Col2Im", "DFT", "QuantizeLinear", "DequantizeLinear"], {1, 2}),
    **dict.fromkeys(["QLinearConv", "QLinearMatMul"], {1, 2, 4, 5, 6, 7}),
    **dict.fromkeys(["MatMulInteger", "ConvInteger"], {2, 3}),
    "Resize": {1, 2, 3},
    "Range": {0, 1, 2},
    "MelWeightMatrix": {0, 1, 2, 3, 4},
    "MaxUnpool": {2},
    "STFT": {1, 3},
    "NonMaxSuppression": {2, 3, 4},
    "Loop": {0, 1},
}  # fmt: skip

SEQUENCES = {
    "SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase", "SequenceAt", "SequenceLength",
    "SequenceMap", "SplitToSequence", "ConcatFromSequence",
}  # fmt: skip
# Families that no crossbar program has: (name, what they are, whether a test belongs to them).
EXCLUDED = [
    ("ai.onnx.ml", "an operator of this domain", lambda ops, domains, types: "ai.onnx.ml" in domains),
    (
        "training", "an operator of the domain ai.onnx.preview.training",
        lambda ops, domains, types: "ai.onnx.preview.training" in domains,
    ),
    (
        "sequence", f"a value of sequence type, or one of {', '.join(sorted(SEQUENCES))}",
        lambda ops, domains, types: "sequence_type" in types or ops & SEQUENCES,
    ),
    (
        "optional", "a value of optional type, or an operator Optional*",
        lambda ops, domains, types: "optional_type" in types or any(op.startswith("Optional") for op in ops),
    ),
    ("string", "an input or output of strings", lambda ops, domains, types: TensorProto.STRING in types),
]  # fmt: skip


@dataclasses.dataclass
class Case:
    name: str
    kind: str  # node, simple, pytorch-converted, pytorch-operator
    family: str  # the operator of a node test, else the kind
    model: onnx.ModelProto
    operands: list  # arrays or TensorProto, as the graph inputs
    results: list
    how: set  # numbers of graph inputs that are constants
    rtol: float
    atol: float


def _nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from _nodes(inner)


def excluded_family(model):
    """Name of the family of EXCLUDED that the test belongs to, or None."""
    nodes = list(_nodes(model.graph))
    types = set()
    for value in [*model.graph.input, *model.graph.output]:
        types |= {value.type.WhichOneof("value"), value.type.tensor_type.elem_type}
    ops, domains = {n.op_type for n in nodes}, {n.domain for n in nodes}
    return next((name for name, _, belongs in EXCLUDED if belongs(ops, domains, types)), None)


def _graph_inputs(model):
    stored = {t.name for t in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in stored]


def _how(model):
    """Numbers of the graph inputs that only say how."""
    inputs = [i.name for i in _graph_inputs(model)]
    return {
        inputs.index(name)
        for node in model.graph.node
        for position, name in enumerate(node.input)
        if position in HOW.get(node.op_type, ()) and name in inputs
    }


def _in_float32(model, operands):
    """What ONNX's reference computes of a bfloat16 test without rounding every intermediate to bfloat16."""
    from onnx.reference import ReferenceEvaluator

    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    for value in [*wide.graph.input, *wide.graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.BFLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    values = map(array, operands)
    values = [v.astype(np.float32) if v.dtype == ml_dtypes.bfloat16 else v for v in values]
    return ReferenceEvaluator(wide).run(None, {i.name: v for i, v in zip(wide.graph.input, values, strict=True)})


def _node_cases():
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its NumPy references overflow on purpose
        tests = {t.name: t for t in collect_testcases(None)}
    for test in tests.values():
        # A function's expansion takes the operands of its operator.
        base = tests[re.sub(r"_expanded(_ver\d+)?$", "", test.name)]
        (node,) = base.model.graph.node
        operands, results = test.data_sets[0]
        if node.op_type == "Attention" and any(array(r).dtype == ml_dtypes.bfloat16 for r in results):
            results = _in_float32(base.model, operands)
        yield Case(
            test.name, "node", node.op_type, test.model, operands, results, _how(base.model), test.rtol, test.atol
        )


def _stored_cases(kind):
    from onnx.backend.test.loader import load_model_tests

    for test in load_model_tests(kind=kind):
        folder = pathlib.Path(test.model_dir)
        model = onnx.load(folder / "model.onnx")

        def values(what):
            files = (folder / "test_data_set_0" / f"{what}_{i}.pb" for i in range(100))
            return [onnx.load_tensor(f) for f in files if f.exists()]

        if not excluded_family(model):
            how = _how(model)
            yield Case(test.name, kind, kind, model, values("input"), values("output"), how, test.rtol, test.atol)


@functools.lru_cache(maxsize=1)
def collect():
    """({name: Case}, {excluded family: number of tests})."""
    cases, left_out = {}, {name: 0 for name, _, _ in EXCLUDED}
    for source in [_node_cases(), *map(_stored_cases, ["simple", "pytorch-converted", "pytorch-operator"])]:
        for case in source:
            family = excluded_family(case.model)
            if family:
                left_out[family] += 1
            else:
                cases[case.name] = case
    return cases, left_out


# ---------------------------------------------------------------------------------------------------------------------
# Values
# ---------------------------------------------------------------------------------------------------------------------

def array(value):
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def at_interface(value):
    """An array in the type that a compiled network has at its interface: any float is float32, an integer of 2 or 4 bits
    is a byte."""
    name = value.dtype.name
    if "float" in name:
        with np.errstate(over="ignore"):
            return value.astype(np.float32)
    return value.astype({"int2": np.int8, "int4": np.int8, "uint2": np.uint8, "uint4": np.uint8}.get(name, value.dtype))


def disagreement(case, found, expected):
    """Text, or None when `found` is what the test expects.

    float16 and bfloat16 are computed in float32. The reference is rounded to the narrow type, so it may be off by half
    a unit in its last place, or be infinite where float32 still has a number.
    """
    plain, slack = at_interface(expected), 0
    if found.dtype != plain.dtype or found.size != plain.size:
        return f"{found.dtype} x {found.size}, expected {plain.dtype} x {plain.size}"
    found, plain = found.reshape(-1), plain.reshape(-1)
    if plain.dtype != np.float32:
        wrong = found != plain
    else:
        with np.errstate(all="ignore"):
            if expected.dtype in (np.float16, ml_dtypes.bfloat16):
                rounded = found.astype(expected.dtype)
                found = np.where(np.isinf(rounded), rounded.astype(np.float32), found)
                slack = np.abs(np.spacing(expected.reshape(-1)).astype(np.float32)) / 2
            close = np.abs(found - plain) <= case.atol + case.rtol * np.abs(plain) + slack
        wrong = ~((close & np.isfinite(plain)) | (found == plain) | (np.isnan(found) & np.isnan(plain)))
    if not wrong.any():
        return None
    at = int(np.argmax(wrong))
    return f"{wrong.sum()} of {wrong.size} values differ, first {found[at]} at {at}, expected {plain[at]}"


# ---------------------------------------------------------------------------------------------------------------------
# Networks
# ---------------------------------------------------------------------------------------------------------------------


class Network:
    """A test as a network: `model`, `inputs` {name: array} and `expected` {name: array}."""

    def __init__(self, case):
        model = case.model
        opset = next((o for o in model.opset_import if not o.domain), None)
        if opset and opset.version < OLDEST_OPSET:
            model = onnx.version_converter.convert_version(model, OLDEST_OPSET)
        graph, stored = model.graph, {t.name for t in model.graph.initializer}
        self._nodes, self._initializers = [], list(graph.initializer)
        self.inputs, self.expected = {}, {}
        inputs, outputs = [], []
        free = [i for i in graph.input if i.name not in stored]
        for number, (info, operand) in enumerate(zip(free, case.operands, strict=True)):
            value = array(operand)
            if number in case.how or not value.size:
                self._store(operand, info)
                continue
            name = f"{info.name}_flat"
            self.inputs[name] = (value if value.dtype == np.float16 else at_interface(value)).reshape(1, -1)
            inputs.append(helper.make_tensor_value_info(name, info.type.tensor_type.elem_type, [1, value.size]))
            self._reshape(name, info.name, value.shape)
        self._nodes += graph.node
        for info, result in zip(graph.output, case.results, strict=True):
            value = array(result)
            name = f"{info.name}_flat"
            self._reshape(info.name, name, (1, value.size))
            self.expected[name] = value
            outputs.append(helper.make_tensor_value_info(name, info.type.tensor_type.elem_type, [1, value.size]))
        if not inputs:  # a network has some
            inputs.append(helper.make_tensor_value_info("unused", TensorProto.FLOAT, [1, 1]))
            self.inputs["unused"] = np.zeros((1, 1), np.float32)
        self.model = helper.make_model(
            helper.make_graph(self._nodes, case.name, inputs, outputs, self._initializers),
            opset_imports=model.opset_import,
        )
        # From 4 on, initializers need not be graph inputs.
        self.model.ir_version = max(model.ir_version, 4)

    def _store(self, operand, info):
        if not isinstance(operand, TensorProto):
            operand = numpy_helper.from_array(np.asarray(operand), info.name)
        stored = TensorProto()
        stored.CopyFrom(operand)
        stored.name = info.name
        self._initializers.append(stored)

    def _reshape(self, source, target, shape):
        operand = f"{target}_shape"
        self._initializers.append(numpy_helper.from_array(np.array(shape, np.int64), operand))
        self._nodes.append(helper.make_node("Reshape", [source, operand], [target], name=f"{target}_reshape"))

    @property
    def opsets(self):
        return tuple(sorted((o.domain, o.version) for o in self.model.opset_import))


def _add_prefix(graph, prefix):
    """Prefixes every name, so that a subgraph finds those of the graphs around it. (onnx.compose forgets initializers.)"""

    def prefixed(names):
        return [prefix + name if name else "" for name in names]

    for node in graph.node:
        node.name, node.input[:], node.output[:] = prefix + node.name, prefixed(node.input), prefixed(node.output)
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                _add_prefix(inner, prefix)
    for value in [*graph.input, *graph.output, *graph.initializer, *graph.value_info]:
        value.name = prefix + value.name


class Merged:
    """Several networks of the same opsets side by side, each under a prefix of its own."""

    def __init__(self, networks):
        self.inputs, self.parts = {}, []
        graph, versions = onnx.GraphProto(name="merged"), []
        for number, network in enumerate(networks):
            prefix = f"n{number}_"
            part = onnx.GraphProto()
            part.CopyFrom(network.model.graph)
            _add_prefix(part, prefix)
            for field in ["node", "input", "output", "initializer"]:
                getattr(graph, field).extend(getattr(part, field))
            versions.append(network.model.ir_version)
            self.inputs |= {prefix + name: value for name, value in network.inputs.items()}
            self.parts.append({prefix + name: value for name, value in network.expected.items()})
        self.model = helper.make_model(graph, opset_imports=networks[0].model.opset_import)
        self.model.ir_version = max(versions)
