# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small float network, and the ways to spoil its file."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

INPUT_SHAPE = (2, 3, 8, 8)


def build(batch=2):
    """x -> Conv -> Relu -> Flatten -> Gemm -> y, opset 13, without a fault."""
    rng = np.random.default_rng(1)
    tensors = {
        "w": rng.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32),
        "b": rng.normal(0, 0.1, 4).astype(np.float32),
        "fc_w": rng.normal(0, 0.1, (10, 256)).astype(np.float32),
        "fc_b": rng.normal(0, 0.1, 10).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Flatten", ["r"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "fc_w", "fc_b"], ["y"], name="fc", transB=1),
    ]
    shape = [batch, *INPUT_SHAPE[1:]]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 10])],
        [numpy_helper.from_array(a, n) for n, a in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model


def data(samples=8, seed=3):
    return np.random.default_rng(seed).normal(0, 1, (samples, *INPUT_SHAPE[1:])).astype(np.float32)


def node(model, name):
    return next(n for n in model.graph.node if n.name == name)


def initializer(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


def set_tensor(model, name, array):
    initializer(model, name).CopyFrom(numpy_helper.from_array(array, name))


# --- faults: each takes a model and changes it in place ----------------------


def unknown_op(model):
    node(model, "relu").op_type = "Frobnicate"


def unknown_domain(model):
    node(model, "relu").domain = "com.example"


def opset_too_old(model):
    model.opset_import[0].version = 6


def opset_too_new(model):
    model.opset_import[0].version = 999


def no_opset(model):
    del model.opset_import[:]


def missing_initializer(model):
    model.graph.initializer.remove(initializer(model, "w"))


def cyclic(model):
    node(model, "conv").input[0] = "r"


def node_feeds_itself(model):
    node(model, "relu").input[0] = "r"


def dangling_input(model):
    node(model, "fc").input[0] = "nowhere"


def dangling_output(model):
    model.graph.output[0].name = "nowhere"


def defined_twice(model):
    node(model, "relu").output[0] = "c"


def no_graph(model):
    model.ClearField("graph")


def no_outputs(model):
    del model.graph.output[:]


def nan_weight(model):
    w = numpy_helper.to_array(initializer(model, "w")).copy()
    w[1, 2, 0, 1] = np.nan
    set_tensor(model, "w", w)


def infinite_weight(model):
    w = numpy_helper.to_array(initializer(model, "fc_w")).copy()
    w[3, 5] = np.inf
    set_tensor(model, "fc_w", w)


def zero_sized_input(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 0


def zero_sized_weight(model):
    set_tensor(model, "w", np.zeros((0, 3, 3, 3), np.float32))
    set_tensor(model, "b", np.zeros(0, np.float32))


def negative_dimension(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = -8


def unbound_dimension(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "H"


def no_input_shape(model):
    model.graph.input[0].type.tensor_type.ClearField("shape")


def short_raw_data(model):
    t = initializer(model, "w")
    t.raw_data = t.raw_data[:-4]


def huge_initializer(model):
    t = initializer(model, "w")
    del t.dims[:]
    t.dims.extend([1 << 40, 1 << 40, 3, 3])


def negative_initializer(model):
    initializer(model, "w").dims[0] = -4


def external_data(model):
    t = initializer(model, "w")
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    entry = t.external_data.add()
    entry.key, entry.value = "location", "missing.bin"


def string_initializer(model):
    initializer(model, "w").CopyFrom(helper.make_tensor("w", TensorProto.STRING, [1], [b"abc"]))


def string_input(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def wrong_channels(model):
    set_tensor(model, "w", np.ones((4, 5, 3, 3), np.float32))


def wrong_bias(model):
    set_tensor(model, "b", np.ones(7, np.float32))


def group_does_not_divide(model):
    node(model, "conv").attribute.append(helper.make_attribute("group", 2))


def zero_group(model):
    node(model, "conv").attribute.append(helper.make_attribute("group", 0))


def zero_stride(model):
    node(model, "conv").attribute.append(helper.make_attribute("strides", [0, 1]))


def kernel_larger_than_map(model):
    set_tensor(model, "w", np.ones((4, 3, 11, 11), np.float32))
    next(a for a in node(model, "conv").attribute if a.name == "kernel_shape").ints[:] = [11, 11]


def attribute_of_wrong_type(model):
    node(model, "conv").attribute.append(helper.make_attribute("strides", "two"))


def missing_operand(model):
    del node(model, "fc").input[1:]


def too_few_outputs(model):
    del node(model, "relu").output[:]


FAULTS = {
    name: function
    for name, function in list(globals().items())
    if callable(function)
    and getattr(function, "__module__", None) == __name__
    and name not in ("build", "data", "node", "initializer", "set_tensor", "nan_weight", "infinite_weight")
}
NOT_FINITE = [nan_weight, infinite_weight]  # fine for computing in float, not for arrays
