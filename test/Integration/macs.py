# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Multiplications of an ONNX network, counted from its shapes."""

import numpy as np
import onnx

import float_reference


def _shapes(model, free):
    """{tensor: dims}: what onnxruntime makes of zeros, `free` for every symbolic dimension but a leading one, which is 1."""
    traced = onnx.ModelProto()
    traced.CopyFrom(model)
    graph, stored = traced.graph, {t.name for t in model.graph.initializer}
    for node in graph.node:
        if node.domain:  # QONNX, which onnxruntime does not know: values of the same shape
            node.op_type, node.domain = "Identity", ""
            del node.input[1:], node.attribute[:]
    del graph.output[:]
    names = [name for node in graph.node for name in node.output if name]
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    feeds = {}
    for value in graph.input:
        if value.name not in stored:
            kind = value.type.tensor_type
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
            dims = [d.dim_value or (free if i else 1) for i, d in enumerate(kind.shape.dim)]
            feeds[value.name] = np.zeros(dims, dtype)
    found = float_reference.session(traced).run(names, feeds)
    shapes = {t.name: list(t.dims) for t in graph.initializer}
    return shapes | {name: list(value.shape) for name, value in [*feeds.items(), *zip(names, found)]}


def _attribute(node, name, default):
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def _constants(graph):
    """Names of all values that follow from the file alone."""
    known = {t.name for t in graph.initializer} | {""}
    for node in graph.node:
        if known.issuperset(node.input):
            known.update(node.output)
    return known


def of_node(node, shapes, weights=None):
    """Multiplications of one node; 0 for one that is no matrix product. With `weights`, a set of names of constants, only
    those with a constant: what can run on arrays."""
    shape = [shapes.get(name) for name in node.input]
    constant = [weights is None or name in weights for name in node.input]
    if node.op_type in ("LSTM", "GRU", "RNN"):
        steps, batch = shape[0][:2]
        first = weights is not None and (len(node.input) < 6 or constant[5])  # a state of zeros takes no product
        return steps * batch * np.prod(shape[1]) + (steps - first) * batch * np.prod(shape[2])
    if not any(constant[:2]):
        return 0
    if node.op_type == "Conv":
        return np.prod(shapes[node.output[0]]) * np.prod(shape[1][1:])
    if node.op_type == "ConvTranspose":
        return np.prod(shape[0]) * np.prod(shape[1][1:])
    if node.op_type == "Gemm":
        k = shape[0][0] if _attribute(node, "transA", 0) else shape[0][1]
        return np.prod(shapes[node.output[0]]) * k
    if node.op_type == "MatMul":
        return np.prod(shapes[node.output[0]]) * shape[0][-1]
    return 0


def of_network(model, free=1):
    """(multiplications of one sample, those of them that can run on arrays)."""
    shapes, weights = _shapes(model, free), _constants(model.graph)
    return tuple(int(sum(of_node(node, shapes, known) for node in model.graph.node)) for known in (None, weights))
