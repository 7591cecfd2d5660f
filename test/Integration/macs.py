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


def of_node(node, shapes):
    """Multiplications of one node; 0 for one that is no matrix product."""
    shape = [shapes.get(name) for name in node.input]
    if node.op_type == "Conv":
        return np.prod(shapes[node.output[0]]) * np.prod(shape[1][1:])
    if node.op_type == "ConvTranspose":
        return np.prod(shape[0]) * np.prod(shape[1][1:])
    if node.op_type == "Gemm":
        k = shape[0][0] if _attribute(node, "transA", 0) else shape[0][1]
        return np.prod(shapes[node.output[0]]) * k
    if node.op_type == "MatMul":
        return np.prod(shapes[node.output[0]]) * shape[0][-1]
    if node.op_type in ("LSTM", "GRU", "RNN"):
        steps, batch = shape[0][:2]
        return steps * batch * (np.prod(shape[1]) + np.prod(shape[2]))
    return 0


def of_network(model, free=1):
    """Multiplications of one sample."""
    shapes = _shapes(model, free)
    return int(sum(of_node(node, shapes) for node in model.graph.node))
