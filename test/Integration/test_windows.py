# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random convolutions, transposed convolutions and pools of one to three spatial dimensions against onnxruntime."""

import functools

import numpy as np
import pytest

import operatorcase

ATTEMPTS = 40  # of an operator; onnxruntime refuses some


def window(rng, spatial, extents):
    """kernel, strides, dilations and pads that leave room for a window."""
    kernel = rng.integers(1, 4, spatial)
    dilations = rng.integers(1, 3, spatial)
    reach = (kernel - 1) * dilations + 1
    kernel = np.where(reach > extents, 1, kernel)
    pads = [int(rng.integers(0, k)) for k in [*kernel, *kernel]]
    return kernel.tolist(), rng.integers(1, 4, spatial).tolist(), dilations.tolist(), pads


def conv(rng, spatial, extents):
    groups = int(rng.integers(1, 3))
    kernel, strides, dilations, pads = window(rng, spatial, extents)
    attributes = {"group": groups, "strides": strides, "dilations": dilations}
    if rng.random() < 0.3:
        attributes["auto_pad"] = str(rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))
        attributes["dilations"] = [1] * spatial
    else:
        attributes["pads"] = pads
    shapes = [[2, 2 * groups, *extents], [3 * groups, 2, *kernel], [3 * groups]]
    return attributes, shapes[: int(rng.integers(2, 4))], 1


def conv_transpose(rng, spatial, extents):
    attributes, shapes, outputs = conv(rng, spatial, extents)
    groups, kernel = attributes["group"], shapes[1][2:]
    shapes[1] = [2 * groups, 3, *kernel]
    strides, dilations = attributes["strides"], attributes["dilations"]
    full = [(e - 1) * s + (k - 1) * d + 1 for e, s, k, d in zip(extents, strides, kernel, dilations)]
    if any(f < e * s for f, e, s in zip(full, extents, strides)):
        attributes.pop("auto_pad", None)  # onnxruntime makes less of SAME_* than the extent times the stride
    elif "auto_pad" not in attributes and rng.random() < 0.3:
        attributes.pop("pads", None)
        attributes["output_shape"] = [int(rng.integers(max(1, f - 2), f + 1)) for f in full]
    elif "auto_pad" not in attributes:
        attributes["output_padding"] = [int(rng.integers(0, s)) for s in strides]
    return attributes, shapes, outputs


def pool(rng, spatial, extents):
    kernel, strides, dilations, pads = window(rng, spatial, extents)
    attributes = {"kernel_shape": kernel, "strides": strides, "dilations": dilations}
    if rng.random() < 0.3:  # where onnxruntime forgets dilations and that nothing is cut off
        attributes |= {"strides": np.minimum(strides, kernel).tolist(), "dilations": [1] * spatial}
        attributes["auto_pad"] = str(rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))
    else:
        attributes |= {"pads": pads, "ceil_mode": int(rng.integers(0, 2))}
    return attributes, [[2, 3, *extents]], 1


def average_pool(rng, spatial, extents):
    attributes, shapes, outputs = pool(rng, spatial, extents)
    return attributes | {"count_include_pad": int(rng.integers(0, 2))}, shapes, outputs


def max_pool(rng, spatial, extents):
    attributes, shapes, _ = pool(rng, spatial, extents)
    return attributes | {"storage_order": int(rng.integers(0, 2))}, shapes, 2


def lp_pool(rng, spatial, extents):
    attributes, shapes, outputs = pool(rng, spatial, extents)
    return attributes | {"p": int(rng.integers(1, 4))}, shapes, outputs


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
}


def draw(op, seed):
    rng = np.random.default_rng([seed, len(op)])
    spatial = int(rng.integers(1, 4))
    extents = rng.integers(3, 7, spatial).tolist()
    attributes, shapes, outputs = OPERATORS[op](rng, spatial, extents)
    operands = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    return operatorcase.make_case(op, seed, attributes, operands, outputs)


@pytest.mark.parametrize("op", OPERATORS)
def test_random(op):
    operatorcase.check(functools.partial(draw, op), ATTEMPTS)
