# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles every case with cim-translate, runs it with cim-run and compares with
NumPy written from the description of the op.

usage: check_ops.py FOLDER CIM-TRANSLATE CIM-RUN
"""

import itertools
import pathlib
import re
import subprocess
import sys

import numpy as np

F32 = np.float32
STORAGE = {"f32": np.float32, "i8": np.int8, "u8": np.uint8}
FOLDER, TRANSLATE, RUN = pathlib.Path(sys.argv[1]), *sys.argv[2:]
random = np.random.default_rng(7)


class Quant:
    """A quantised element type with one scale, or one per index of `axis`."""

    def __init__(self, storage, lo, hi, scales, zeros=(0,), axis=None):
        self.storage, self.lo, self.hi, self.axis = storage, lo, hi, axis
        self.scales = np.atleast_1d(scales).astype(np.float64)
        self.zeros = np.broadcast_to(np.atleast_1d(zeros), self.scales.shape)

    def __str__(self):
        pairs = [f"{s!r}:{z}" for s, z in zip(self.scales.tolist(), self.zeros.tolist())]
        value = pairs[0] if self.axis is None else "{" + ", ".join(pairs) + "}"
        axis = "" if self.axis is None else f":{self.axis}"
        return f"!quant.uniform<{self.storage}<{self.lo}:{self.hi}>:f32{axis}, {value}>"

    def per_channel(self, values, rank):
        values = np.asarray(values)
        if self.axis is None:
            return values[0]
        return values.reshape([-1 if i == self.axis else 1 for i in range(rank)])

    def sample(self, shape):
        return random.integers(self.lo, self.hi + 1, shape).astype(STORAGE[self.storage])

    def real(self, q):
        """What the integers stand for, in binary64."""
        return (q.astype(np.int64) - self.per_channel(self.zeros, q.ndim)) * self.per_channel(
            self.scales, q.ndim
        )

    def quantize(self, x, rounding):
        """docs/Numerics.md, section 1."""
        r = rounding(x * self.per_channel((1 / self.scales).astype(F32), x.ndim))
        r = np.where(np.isnan(r), F32(0), r) + self.per_channel(self.zeros, x.ndim)
        return np.clip(r, self.lo, self.hi).astype(STORAGE[self.storage])


def tensor(shape, element="f32"):
    return "tensor<" + "".join(f"{d}x" for d in shape) + f"{element}>"


def ints(values):
    return "array<i64" + (": " + ", ".join(map(str, values)) if len(values) else "") + ">"


def constant(name, value, quant=None):
    storage = "f32" if value.dtype == F32 else "i8"
    # As bits, so that no digit is lost.
    hexes = value.astype(value.dtype.newbyteorder("<")).tobytes().hex().upper()
    text = f'  %{name} = nn.constant dense<"0x{hexes}"> : {tensor(value.shape, storage)}'
    return text + (f" as {tensor(value.shape, quant)}" if quant else "")


class Case:
    def __init__(self, name, inputs, body, result, expected, exact=False):
        self.name, self.inputs, self.body = name, inputs, body
        self.result, self.expected, self.exact = result, expected, exact

        value, element = inputs.get("x", (None, None))
        if element == "f32" and not np.all(np.isfinite(value)):
            self.divide(value)

    def divide(self, x):
        """cim-run takes finite inputs only: makes the others by division."""
        numerator = np.where(np.isnan(x), 0, np.where(np.isinf(x), np.sign(x), x)).astype(F32)
        denominator = np.isfinite(x).astype(F32)
        self.inputs = {"n": (numerator, "f32"), "d": (denominator, "f32")}
        t = tensor(x.shape)
        self.body = f"  %x = nn.div(%n, %d) : ({t}, {t}) -> {t}\n{self.body}"

    def compare(self, actual):
        assert actual.dtype == self.expected.dtype, (actual.dtype, self.expected.dtype)
        if self.exact:
            np.testing.assert_array_equal(actual, self.expected)
        else:
            np.testing.assert_allclose(actual, self.expected, rtol=1e-5, atol=1e-5)


class Network:
    """All cases with one batch as one network: a program start is dear."""

    def __init__(self, batch, cases):
        self.batch, self.cases, self.path = batch, cases, FOLDER / f"batch{batch}"

    def module(self):
        arguments, bodies, values, types, names = [], [], [], [], []
        for case in self.cases:
            for name, (value, element) in case.inputs.items():
                unique = f"{case.name}_{name}"
                arguments.append(f'%{unique}: {tensor(value.shape, element)} {{nn.name = "{unique}"}}')
            bodies.append(re.sub(r"%(\w+)", rf"%{case.name}_\1", case.body))
            values.append(f"%{case.name}_y")
            types.append(case.result)
            names.append(f'{case.result} {{nn.name = "{case.name}"}}')
        newline = "\n"
        return (
            f'module attributes {{nn.model = "ops", nn.batch = {self.batch} : i64}} {{\n'
            f"func.func @main({', '.join(arguments)}) -> ({', '.join(names)}) {{\n"
            f"{newline.join(bodies)}\n  return {', '.join(values)} : {', '.join(types)}\n}}\n}}\n"
        )

    def check(self):
        """Returns the failures."""
        path = self.path
        path.with_suffix(".mlir").write_text(self.module())
        subprocess.run([TRANSLATE, "--cim-to-shared-object", f"{path}.mlir", "-o", f"{path}.so"], check=True)
        command = [RUN, f"{path}.so"]
        for case in self.cases:
            for name, (value, _) in case.inputs.items():
                np.save(f"{path}.{case.name}_{name}.npy", value)
                command += ["--input", f"{case.name}_{name}={path}.{case.name}_{name}.npy"]
            command += ["--output", f"{case.name}={path}.{case.name}.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        failures = []
        for case in self.cases:
            try:
                case.compare(np.load(f"{path}.{case.name}.npy"))
            except AssertionError as error:
                failures.append(f"FAILED {case.name}: {error}")
        return failures


def floats(*shape):
    return random.standard_normal(shape).astype(F32)


# --- references ---------------------------------------------------------------


def windows(shape, kernel, strides, dilations, result):
    """All (output position, tap, input position) of a sliding window."""
    for out in itertools.product(*map(range, result)):
        for tap in itertools.product(*map(range, kernel)):
            yield out, tap, tuple(o * s + t * d for o, s, t, d in zip(out, strides, tap, dilations))


def pad(x, pads, value=0.0):
    half = len(pads) // 2
    widths = [(0, 0)] * (x.ndim - half) + list(zip(pads[:half], pads[half:]))
    return np.pad(x, widths, constant_values=value)


def conv(x, w, strides, dilations, pads, groups, result):
    x = pad(x, pads)
    n, f, c = x.shape[0], w.shape[0], w.shape[1]
    y = np.zeros((n, f, *result))
    for g in range(groups):
        fs, cs = slice(g * f // groups, (g + 1) * f // groups), slice(g * c, (g + 1) * c)
        for out, tap, at in windows(x.shape, w.shape[2:], strides, dilations, result):
            y[(slice(None), fs, *out)] += x[(slice(None), cs, *at)] @ w[(fs, slice(None), *tap)].T
    return y


# --- cases --------------------------------------------------------------------


def conv_case(name, x_shape, w_shape, strides, dilations, pads, groups, quants=None, bias=True):
    spatial = len(strides)
    result = [
        (x_shape[2 + i] + pads[i] + pads[spatial + i] - (w_shape[2 + i] - 1) * dilations[i] - 1) // strides[i] + 1
        for i in range(spatial)
    ]
    xq, wq = quants or (None, None)
    x = xq.sample(x_shape) if xq else floats(*x_shape)
    w = wq.sample(w_shape) if wq else floats(*w_shape)
    b = floats(w_shape[0])
    real_x, real_w = (xq.real(x) if xq else x), (wq.real(w) if wq else w)
    expected = conv(real_x, real_w, strides, dilations, pads, groups, result)
    if bias:
        expected = expected + b.reshape(-1, *[1] * spatial)
    types = [tensor(x_shape, xq or "f32"), tensor(w_shape, wq or "f32")] + [tensor(b.shape)] * bias
    y = tensor(expected.shape)
    body = "\n".join(
        [constant("w", w, wq), constant("b", b)]
        + [
            f"  %y = nn.conv(%x, %w{', %b' * bias}) {{strides = {ints(strides)}, dilations = {ints(dilations)}, "
            f"pads = {ints(pads)}, groups = {groups} : i64}} : ({', '.join(types)}) -> {y}"
        ]
    )
    return Case(name, {"x": (x, xq or "f32")}, body, y, expected.astype(F32))


def matmul_case(name, a_shape, b_shape, transpose, quants=None, constant_b=True, bias=True):
    aq, bq = quants or (None, None)
    a = aq.sample(a_shape) if aq else floats(*a_shape)
    b = bq.sample(b_shape) if bq else floats(*b_shape)
    real_b = bq.real(b) if bq else b.astype(np.float64)
    expected = (aq.real(a) if aq else a.astype(np.float64)) @ (np.swapaxes(real_b, -1, -2) if transpose else real_b)
    c = floats(expected.shape[-1])
    if bias:
        expected = expected + c
    y = tensor(expected.shape)
    types = [tensor(a_shape, aq or "f32"), tensor(b_shape, bq or "f32")] + [tensor(c.shape)] * bias
    inputs = {"a": (a, aq or "f32")}
    lines = [constant("c", c)]
    if constant_b:
        lines.append(constant("b", b, bq))
    else:
        inputs["b"] = (b, bq or "f32")
    flag = " {transpose_b}" if transpose else ""
    lines.append(f"  %y = nn.matmul(%a, %b{', %c' * bias}){flag} : ({', '.join(types)}) -> {y}")
    return Case(name, inputs, "\n".join(lines), y, expected.astype(F32))


def pool_case(name, shape, kernel, strides, dilations, pads, ceil, average=False, include=False, quant=None, element=None):
    spatial = len(kernel)
    result = []
    for i in range(spatial):
        room = shape[2 + i] + pads[i] + pads[spatial + i] - (kernel[i] - 1) * dilations[i] - 1
        size = (-(-room // strides[i]) if ceil else room // strides[i]) + 1
        # ONNX: a window that begins in the padding at the end is left out.
        if ceil and (size - 1) * strides[i] >= shape[2 + i] + pads[i]:
            size -= 1
        result.append(size)
    x = quant.sample(shape) if quant else random.integers(*((-128, 128) if element == "int8" else (0, 256)), shape).astype(element) if element else floats(*shape)
    far = [100] * spatial
    empty = -np.inf if not average else 0.0
    padded = pad(pad(x.astype(np.float64), pads, empty), [0] * spatial + far, empty)
    counts = pad(pad(np.ones(shape), pads, float(include)), [0] * spatial + far, 0.0)
    y = np.full((*shape[:2], *result), -np.inf if not average else 0.0)
    n = np.zeros_like(y)
    for out, _, at in windows(shape, kernel, strides, dilations, result):
        o, i = (slice(None), slice(None), *out), (slice(None), slice(None), *at)
        y[o] = np.maximum(y[o], padded[i]) if not average else y[o] + padded[i]
        n[o] += counts[i]
    if average:
        y = y / n
    element = quant or {"int8": "i8", "uint8": "ui8"}.get(element, "f32")
    op = "avg_pool" if average else "max_pool"
    extra = f", count_include_pad = {str(include).lower()}" if average else ""
    ty = tensor(y.shape, element)
    body = (
        f"  %y = nn.{op}(%x) {{kernel = {ints(kernel)}, strides = {ints(strides)}, dilations = {ints(dilations)}, "
        f"pads = {ints(pads)}, ceil_mode = {str(ceil).lower()}{extra}}} : ({tensor(shape, element)}) -> {ty}"
    )
    return Case(name, {"x": (x, element)}, body, ty, y.astype(x.dtype), exact=not average)


def unary_case(name, op, x, expected, attributes="", exact=True):
    y = tensor(x.shape)
    return Case(name, {"x": (x, "f32")}, f"  %y = nn.{op}(%x){attributes} : {y}", y, expected, exact)


def binary_cases():
    a, b = floats(2, 3, 4, 5), floats(3, 1, 1) + F32(3)
    for op, f in [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide)]:
        ta, tb = tensor(a.shape), tensor(b.shape)
        body = constant("b", b) + f"\n  %y = nn.{op}(%a, %b) : ({ta}, {tb}) -> {ta}"
        yield Case(f"{op}_channel", {"a": (a, "f32")}, body, ta, f(a, b), exact=True)
    # Both operands broadcast.
    a, b = floats(4, 1, 5), floats(4, 3, 1)
    y = tensor((4, 3, 5))
    body = f"  %y = nn.sub(%a, %b) : ({tensor(a.shape)}, {tensor(b.shape)}) -> {y}"
    yield Case("sub_both", {"a": (a, "f32"), "b": (b, "f32")}, body, y, a - b, exact=True)


def quantize_cases():
    special = [np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5, 1.5, 2.5, -0.5, -1.5, -0.0, 0.0]
    x = np.concatenate([np.array(special, F32), floats(52) * F32(30)]).reshape(4, 2, 8)
    roundings = [("nearest_even", np.rint), ("floor", np.floor)]
    quants = [
        ("u8", Quant("u8", 0, 127, 1.0)),
        ("i8", Quant("i8", -63, 63, 0.37)),
        ("zero", Quant("u8", 0, 255, 0.25, 131)),
        ("axis", Quant("i8", -127, 127, [0.3, 0.7], [0, 5], axis=1)),
    ]
    for (rounding, f), (name, q) in itertools.product(roundings, quants):
        y = tensor(x.shape, q)
        body = f"  %y = nn.quantize(%x) {rounding} : ({tensor(x.shape)}) -> {y}"
        with np.errstate(invalid="ignore"):
            expected = q.quantize(x, f)
        yield Case(f"quantize_{name}_{rounding}", {"x": (x, "f32")}, body, y, expected, exact=True)
    for name, q in quants:
        s = q.sample(x.shape)
        difference = (s.astype(F32) - q.per_channel(q.zeros.astype(F32), s.ndim)).astype(F32)
        expected = difference * q.per_channel(q.scales.astype(F32), s.ndim)
        body = f"  %y = nn.dequantize(%x) : ({tensor(x.shape, q)}) -> {tensor(x.shape)}"
        yield Case(f"dequantize_{name}", {"x": (s, q)}, body, tensor(x.shape), expected, exact=True)


def indexing_cases():
    """Indices of both signs, in and out of bounds."""
    t, ti, tu = tensor((2, 5, 3)), tensor((2, 3), "i64"), tensor((2, 2, 3, 3))
    x, u = floats(2, 5, 3), floats(2, 2, 3, 3)
    i = np.array([[4, -1, 2], [0, -5, 1]])
    body = f"  %y = nn.gather(%x, %i) {{axis = 1 : i64}} : ({t}, {ti}) -> {tu}"
    inputs = {"x": (x, "f32"), "i": (i, "i64")}
    yield Case("gather", inputs, body, tu, x.take(i, axis=1), exact=True)
    far = np.array([[5, -6, 2**40], [-(2**63), 2**63 - 1, -5]])
    inputs = {"x": (x, "f32"), "i": (far, "i64")}
    clamped = np.clip(np.where(far < 0, far + 5, far), 0, 4)
    yield Case("gather_far", inputs, body, tu, x.take(clamped, axis=1), exact=True)
    for combine, f in [
        ("set", lambda a, b: b), ("add", np.add), ("mul", np.multiply), ("max", np.maximum), ("min", np.minimum)
    ]:
        for name, indices in [("", i), ("_far", np.where(i == 2, far, i))]:
            y = x.copy()
            for outer, a, b in itertools.product(range(2), range(2), range(3)):
                at = indices[a, b]
                if -5 <= at < 5:
                    y[outer, at] = f(y[outer, at], u[outer, a, b])
            body = f"  %y = nn.scatter {combine}(%x, %i, %u) {{axis = 1 : i64}} : ({t}, {ti}, {tu}) -> {t}"
            inputs = {"x": (x, "f32"), "i": (indices, "i64"), "u": (u, "f32")}
            yield Case(f"scatter_{combine}{name}", inputs, body, t, y, exact=True)
    q = Quant("i8", -63, 63, 0.5)
    s = q.sample((2, 1, 4))
    y = tensor((2, 3, 4), q)
    body = f"  %y = nn.broadcast(%x) : ({tensor(s.shape, q)}) -> {y}"
    yield Case("broadcast", {"x": (s, q)}, body, y, np.repeat(s, 3, axis=1), exact=True)


def movement_cases():
    x = floats(2, 3, 4, 5)
    tx = tensor(x.shape)

    def case(name, op, attributes, expected, value=x, element="f32"):
        y = tensor(expected.shape, element)
        body = f"  %y = nn.{op}(%x){attributes} : ({tensor(value.shape, element)}) -> {y}"
        return Case(name, {"x": (value, element)}, body, y, np.ascontiguousarray(expected), exact=True)

    q = Quant("i8", -63, 63, 0.5)
    s = q.sample((2, 3, 4))
    yield case("reshape", "reshape", "", x.reshape(2, 5, 12))
    yield case("reshape_quantized", "reshape", "", s.reshape(2, 12), s, q)
    yield case("transpose", "transpose", " {permutation = array<i64: 0, 2, 3, 1>}", x.transpose(0, 2, 3, 1))
    yield case("transpose_quantized", "transpose", " {permutation = array<i64: 0, 2, 1>}", s.transpose(0, 2, 1), s, q)
    pads = "array<i64: 0, 1, 0, 2, 0, 0, 3, 1>"
    widths = [(0, 0), (1, 0), (0, 3), (2, 1)]
    yield case("pad", "pad", f" {{pads = {pads}, value = 1.5 : f32}}", np.pad(x, widths, constant_values=1.5))
    yield case(
        "pad_quantized", "pad", " {pads = array<i64: 0, 0, 1, 0, 0, 1>, value = 4.25 : f32}",
        np.pad(s, [(0, 0), (0, 0), (1, 1)], constant_values=8), s, q,
    )
    yield case(
        "slice", "slice", " {starts = array<i64: 0, 2, 1, 4>, sizes = array<i64: 2, 2, 2, 3>, steps = array<i64: 1, -1, 2, -2>}",
        x[:, 2:0:-1, 1:4:2, 4::-2],
    )
    # A strided value reaches a library call and a reshape.
    w = floats(2, 2, 1, 1)
    sliced = x[:, 1:3, ::2, :4]
    y = (sliced.transpose(0, 2, 3, 1) @ w[:, :, 0, 0].T).transpose(0, 3, 1, 2).reshape(2, 16)
    body = "\n".join([
        constant("w", w),
        f"  %s = nn.slice(%x) {{starts = array<i64: 0, 1, 0, 0>, sizes = array<i64: 2, 2, 2, 4>, steps = array<i64: 1, 1, 2, 1>}} : ({tx}) -> tensor<2x2x2x4xf32>",
        "  %c = nn.conv(%s, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64} : (tensor<2x2x2x4xf32>, tensor<2x2x1x1xf32>) -> tensor<2x2x2x4xf32>",
        "  %y = nn.reshape(%c) : (tensor<2x2x2x4xf32>) -> tensor<2x16xf32>",
    ])
    yield Case("slice_conv", {"x": (x, "f32")}, body, "tensor<2x16xf32>", y)
    # Two parts of one tensor, one of them computed, in one output.
    body = "\n".join([
        f"  %r = nn.relu(%x) : {tx}",
        f"  %y = nn.concat(%x, %r, %x) {{axis = 1 : i64}} : ({tx}, {tx}, {tx}) -> tensor<2x9x4x5xf32>",
    ])
    yield Case("concat", {"x": (x, "f32")}, body, "tensor<2x9x4x5xf32>", np.concatenate([x, np.maximum(x, 0), x], 1), True)


def reduction_cases():
    x = floats(2, 3, 4, 5)
    for name, axes, keep in [("spatial", (2, 3), True), ("first", (1,), False), ("outer", (0, 3), True), ("all", (0, 1, 2, 3), True)]:
        expected = x.mean(axes, keepdims=keep, dtype=np.float64).astype(F32)
        if expected.shape[0] != x.shape[0]:
            # cim-run wants the batch in front.
            expected = np.broadcast_to(expected, (2, *expected.shape[1:])).copy()
        m = tensor(x.mean(axes, keepdims=keep).shape)
        y = tensor(expected.shape)
        body = f"  %m = nn.reduce mean(%x) {{axes = {ints(axes)}, keep_dims = {str(keep).lower()}}} : ({tensor(x.shape)}) -> {m}\n"
        zero = np.zeros(expected.shape, F32)
        body += constant("z", zero) + f"\n  %y = nn.add(%m, %z) : ({m}, {y}) -> {y}"
        yield Case(f"reduce_mean_{name}", {"x": (x, "f32")}, body, y, expected)
    for kind, f in [("sum", np.sum), ("max", np.max), ("min", np.min), ("prod", np.prod)]:
        expected = f(x, (1, 3))
        body = f"  %y = nn.reduce {kind}(%x) {{axes = {ints((1, 3))}, keep_dims = false}} : ({tensor(x.shape)}) -> {tensor(expected.shape)}"
        yield Case(f"reduce_{kind}", {"x": (x, "f32")}, body, tensor(expected.shape), expected)
    # Equal numbers, and minus infinity among the largest.
    x = np.where(random.random((2, 3, 20)) < 0.2, -np.inf, random.integers(-3, 4, (2, 3, 20))).astype(F32)
    order = np.argsort(-x, axis=-1, kind="stable")
    for k in (1, 4, 20):
        y, i = tensor((2, 3, k)), tensor((2, 3, k), "i64")
        top = f"nn.top_k(%x) {{k = {k} : i64}} : ({tensor(x.shape)}) -> ({y}, {i})"
        largest = np.take_along_axis(x, order, -1)[..., :k]
        yield Case(f"top_{k}_values", {"x": (x, "f32")}, f"  %y, %i = {top}", y, largest, exact=True)
        yield Case(f"top_{k}_indices", {"x": (x, "f32")}, f"  %v, %y = {top}", i, order[..., :k], exact=True)
    x = floats(2, 3, 4, 5)
    for axis in (1, 3):
        e = np.exp(x - x.max(axis, keepdims=True))
        yield unary_case(f"softmax_{axis}", "softmax", x, e / e.sum(axis, keepdims=True), f" axis {axis}", exact=False)
    large = x * F32(1000)
    e = np.exp(large - large.max(1, keepdims=True))
    yield unary_case("softmax_large", "softmax", large, e / e.sum(1, keepdims=True), " axis 1", exact=False)


def elementwise_cases():
    x = np.concatenate([np.array([np.nan, np.inf, -np.inf, 2.5, -2.5, 0.5], F32), floats(18) * F32(4)]).reshape(2, 12)
    with np.errstate(invalid="ignore"):
        yield unary_case("relu", "relu", x, np.maximum(x, 0))
        yield unary_case("floor", "floor", x, np.floor(x))
        yield unary_case("round", "round", x, np.rint(x))
        yield unary_case("clamp", "clamp", x, np.clip(x, -1, 3), " to [-1.0, 3.0]")
    x = floats(2, 3, 4)
    stats = [floats(3), floats(3), floats(3), np.abs(floats(3))]
    scale, bias, mean, variance = (s.reshape(3, 1) for s in stats)
    t, c = tensor(x.shape), "tensor<3xf32>"
    body = "\n".join(constant(n, v) for n, v in zip("sbmv", stats))
    body += f"\n  %y = nn.batch_norm(%x, %s, %b, %m, %v) {{epsilon = 1.0e-3 : f32}} : ({t}, {c}, {c}, {c}, {c}) -> {t}"
    yield Case("batch_norm", {"x": (x, "f32")}, body, t, (x - mean) / np.sqrt(variance + F32(1e-3)) * scale + bias)


def cases():
    yield from elementwise_cases()
    yield from binary_cases()
    yield from quantize_cases()
    yield from indexing_cases()
    yield from movement_cases()
    yield from reduction_cases()
    yield conv_case("conv", (2, 3, 7, 6), (4, 3, 3, 2), (2, 1), (1, 2), (1, 0, 2, 1), 1)
    yield conv_case("conv_plain", (2, 3, 5, 5), (4, 3, 3, 3), (1, 1), (1, 1), (0, 0, 0, 0), 1, bias=False)
    yield conv_case("conv_groups", (2, 6, 5, 5), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 2)
    yield conv_case("conv_depthwise", (2, 4, 5, 5), (8, 1, 3, 3), (2, 2), (1, 1), (1, 1, 1, 1), 4)
    yield conv_case("conv_1d", (2, 3, 9), (5, 3, 3), (2,), (1,), (1, 2), 1)
    yield conv_case("conv_1d_groups", (2, 4, 9), (4, 2, 3), (1,), (2,), (2, 2), 2)
    s8, u8 = Quant("i8", -63, 63, 0.11), Quant("u8", 0, 127, 0.07)
    zero = Quant("u8", 0, 255, 0.05, 200)
    w8 = Quant("i8", -13, 13, [0.5, 0.25, 0.3, 0.125], [0] * 4, axis=0)
    w8z = Quant("i8", -13, 13, [0.5, 0.25, 0.3, 0.125], [0, 1, -2, 3], axis=0)
    for name, x, w in [("s8", s8, w8), ("u8", u8, w8), ("zero", zero, w8), ("zeros", zero, w8z), ("tensor", u8, Quant("i8", -1, 1, 0.5))]:
        yield conv_case(f"conv_{name}", (2, 3, 6, 7), (4, 3, 3, 3), (2, 1), (1, 1), (1, 1, 1, 1), 1, (x, w))
    yield conv_case("conv_s8_groups", (2, 6, 5, 5), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 2, (s8, w8))
    yield conv_case("conv_s8_1d", (2, 3, 9), (4, 3, 3), (2,), (1,), (1, 1), 1, (u8, w8), bias=False)
    yield conv_case("conv_weights_only", (2, 3, 5, 5), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 1, (None, w8))
    yield matmul_case("matmul", (3, 5), (5, 4), False)
    yield matmul_case("matmul_transposed", (3, 5), (4, 5), True)
    yield matmul_case("matmul_rank3", (2, 3, 5), (5, 4), False, bias=False)
    yield matmul_case("matmul_batch", (2, 3, 5), (2, 5, 4), False, constant_b=False)
    yield matmul_case("matmul_broadcast", (2, 3, 4, 5), (3, 5, 2), False)
    yield matmul_case("matmul_batch_transposed", (2, 3, 5), (2, 4, 5), True, constant_b=False, bias=False)
    n8 = Quant("i8", -13, 13, [0.5, 0.25, 0.3, 0.125], [0] * 4, axis=1)
    yield matmul_case("matmul_s8", (3, 5), (5, 4), False, (s8, n8))
    yield matmul_case("matmul_s8_transposed", (3, 5), (4, 5), True, (zero, w8z))
    yield matmul_case("matmul_u8_batch", (2, 3, 5), (2, 5, 4), False, (u8, s8), constant_b=False, bias=False)
    for name, quant in [("max_pool", None), ("max_pool_i8", s8), ("max_pool_u8", u8)]:
        yield pool_case(name, (2, 3, 7, 8), (3, 2), (2, 2), (1, 1), (1, 0, 1, 1), False, quant=quant)
    for element in ["int8", "uint8"]:
        yield pool_case(f"max_pool_{element}", (2, 3, 7, 8), (3, 2), (2, 2), (1, 1), (1, 0, 1, 1), False, element=element)
    yield pool_case("max_pool_3d", (2, 3, 5, 4, 3), (3, 2, 2), (2, 1, 2), (1, 2, 1), (1, 0, 1, 1, 1, 0), True)
    yield pool_case("max_pool_ceil", (2, 3, 7, 8), (3, 3), (2, 3), (1, 2), (0, 1, 0, 1), True)
    yield pool_case("max_pool_1d", (2, 3, 9), (3,), (2,), (1,), (1, 1), True)
    for name, ceil, include in [("avg_pool", False, False), ("avg_pool_include", False, True), ("avg_pool_ceil", True, False), ("avg_pool_ceil_include", True, True)]:
        yield pool_case(name, (2, 3, 7, 8), (3, 3), (2, 2), (1, 1), (1, 1, 1, 1), ceil, True, include)
    yield pool_case("avg_pool_plain", (2, 3, 6, 6), (2, 2), (2, 2), (1, 1), (0, 0, 0, 0), False, True)


def main():
    FOLDER.mkdir(parents=True)
    networks = {}
    for case in cases():
        networks.setdefault(case.expected.shape[0], []).append(case)
    failures = [f for batch, group in networks.items() for f in Network(batch, group).check()]
    print("\n".join(failures))
    print(f"{sum(map(len, networks.values()))} cases, {len(failures)} failures")


main()
