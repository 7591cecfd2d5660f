# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gradients that nn-differentiate builds, against central differences of the compiled function and against NumPy."""

import itertools

import numpy as np
import pytest

import tools

STEP = 1e-2  # of central differences; values of kinked functions are further apart


def f32(*shape):
    return "tensor<" + "".join(f"{n}x" for n in shape) + "f32>"


def values(shape, low, high, seed):
    """As many numbers from `low` to `high`, equally far apart, in random order."""
    count = int(np.prod(shape))
    spread = low + (high - low) * (np.arange(count) + 0.3) / count
    return np.random.default_rng(seed).permutation(spread).astype(np.float32)


def translate(text, folder, name, *passes):
    """Compiles a module to a shared object, after `passes`."""
    source, program, out = (folder / f"{name}{suffix}" for suffix in (".mlir", ".program.mlir", ".so"))
    source.write_text(text)
    for args in (
        ("cim-opt", source, *passes, "--canonicalize", "--symbol-dce", "-o", program),
        ("cim-translate", "--cim-to-shared-object", "--target=host", "--cpu=baseline", program, "-o", out),
    ):
        result = tools.invoke(*args)
        if result.returncode != 0:
            raise tools.ToolError(result)
    return out


class Case:
    """`body` computes %y of shape `result` from operands {name: shape}; all are flat in front of and behind it."""

    def __init__(self, name, operands, result, body, low=-1.0, high=1.0):
        self.name, self.operands, self.result, self.low, self.high = name, operands, result, low, high
        self.body = body.replace("%", f"%{name}_")

    def arguments(self):
        """{name: number of elements}: the operands, and a factor for every element of the result."""
        sizes = {**self.operands, "weight": self.result}
        return {f"{self.name}_{name}": int(np.prod(shape)) for name, shape in sizes.items()}

    def inputs(self):
        seeds = itertools.count(1)
        return {
            name: values(size, *((0.5, 1.5) if name.endswith("weight") else (self.low, self.high)), next(seeds))
            for name, size in self.arguments().items()
        }

    def text(self):
        reshapes = [
            f"%{self.name}_{name} = nn.reshape(%{self.name}_{name}_flat) : ({f32(1, int(np.prod(shape)))}) -> {f32(*shape)}"
            for name, shape in self.operands.items()
        ]
        flat = f32(1, int(np.prod(self.result)))
        weighed = [
            f"%{self.name}_r = nn.reshape(%{self.name}_y) : ({f32(*self.result)}) -> {flat}",
            f"%{self.name}_z = nn.mul(%{self.name}_r, %{self.name}_weight_flat) : ({flat}, {flat}) -> {flat}",
        ]
        return "\n".join([*reshapes, self.body, *weighed])


def module_of(cases):
    arguments = ", ".join(
        f'%{name}_flat: {f32(1, size)} {{nn.name = "{name}"}}' for c in cases for name, size in c.arguments().items()
    )
    types = [f32(1, int(np.prod(c.result))) for c in cases]
    results = ", ".join(f'{t} {{nn.name = "{c.name}"}}' for c, t in zip(cases, types))
    body = "\n".join(c.text() for c in cases)
    returned = ", ".join(f"%{c.name}_z" for c in cases)
    return f"""module attributes {{nn.model = "gradients", nn.batch = 1 : i64}} {{
func.func @main({arguments}) -> ({results}) {{
{body}
return {returned} : {", ".join(types)}
}}
}}"""


def differences(forward, case_list, folder):
    """{argument: central differences of the sum of its case}: cases are independent, so that all move at once."""
    inputs = {name: x for case in case_list for name, x in case.inputs().items()}
    most = max(len(x) for x in inputs.values())
    found = {name: np.zeros(len(x)) for name, x in inputs.items()}
    operands = max(len(case.operands) for case in case_list)
    for number in range(operands):
        moved = {name: np.tile(x, (2 * most, 1)) for name, x in inputs.items()}
        names = {}
        for case in case_list:
            if number < len(case.operands):
                name = names[case.name] = list(case.arguments())[number]
                for i in range(len(inputs[name])):
                    moved[name][2 * i, i] += STEP
                    moved[name][2 * i + 1, i] -= STEP
        sums = tools.run_model(forward, moved, folder, outputs=[case.name for case in case_list])
        for case, name in names.items():
            total = sums[case].astype(np.float64).sum(axis=1)
            for i in range(len(inputs[name])):
                apart = float(moved[name][2 * i, i]) - float(moved[name][2 * i + 1, i])
                found[name][i] = (total[2 * i] - total[2 * i + 1]) / apart
    return found


def check(case_list, folder, tolerance):
    text = module_of(case_list)
    forward = translate(text, folder, "forward")
    backward = translate(text, folder, "backward", "--nn-differentiate")
    inputs = {name: x[None] for case in case_list for name, x in case.inputs().items()}
    gradients = tools.run_model(backward, inputs, folder, outputs=list(inputs))
    expected = differences(forward, case_list, folder)
    problems = []
    for case in case_list:
        for name in list(case.arguments())[: len(case.operands)]:
            largest = np.abs(expected[name]).max()
            error = np.abs(gradients[name][0] - expected[name]).max()
            if not (error <= tolerance * largest and largest > 0):
                problems.append(f"{name}: {error} off, of {largest}\n{gradients[name][0]}\n{expected[name]}")
    assert not problems, "\n".join(problems)


UNARY = {
    "exp": (-1, 1), "log": (0.5, 2), "sqrt": (0.5, 2), "erf": (-2, 2), "sin": (-3, 3), "cos": (-3, 3), "tan": (-1, 1),
    "asin": (-0.8, 0.8), "acos": (-0.8, 0.8), "atan": (-2, 2), "sinh": (-2, 2), "cosh": (-2, 2), "tanh": (-2, 2),
    "asinh": (-2, 2), "acosh": (1.5, 3), "atanh": (-0.8, 0.8), "neg": (-1, 1), "abs": (-1, 1), "relu": (-1, 1),
}  # fmt: skip


def elementwise_cases():
    for op, (low, high) in UNARY.items():
        yield Case(op, {"x": (12,)}, (12,), f"%y = nn.{op}(%x) : {f32(12)}", low, high)
    binary = f"({f32(2, 3, 2)}, {f32(3, 1)}) -> {f32(2, 3, 2)}"
    for op in ("add", "sub", "mul", "div", "max", "min"):
        yield Case(op, {"a": (2, 3, 2), "b": (3, 1)}, (2, 3, 2), f"%y = nn.{op}(%a, %b) : {binary}", 0.4, 2)
    yield Case("widen", {"a": (1,), "b": (1, 3)}, (1, 3), f"%y = nn.mul(%a, %b) : ({f32(1)}, {f32(1, 3)}) -> {f32(1, 3)}")
    yield Case("square", {"a": (4,)}, (4,), f"%y = nn.mul(%a, %a) : ({f32(4)}, {f32(4)}) -> {f32(4)}")
    yield Case(
        "pow", {"a": (4,)}, (4,),
        f"""%c = nn.constant dense<[2.0, 3.0, -1.0, 0.5]> : {f32(4)}
        %y = nn.pow(%a, %c) : ({f32(4)}, {f32(4)}) -> {f32(4)}""", 0.5, 2,
    )  # fmt: skip
    yield Case("clamp", {"a": (12,)}, (12,), f"%y = nn.clamp(%a) to [-0.3, 0.6] : {f32(12)}")
    yield Case(
        "select", {"a": (2, 4), "b": (4,)}, (2, 4),
        f"""%c = nn.compare less(%a, %b) : ({f32(2, 4)}, {f32(4)}) -> tensor<2x4xi1>
        %n = nn.neg(%b) : {f32(4)}
        %y = nn.select(%c, %a, %n) : (tensor<2x4xi1>, {f32(2, 4)}, {f32(4)}) -> {f32(2, 4)}""",
    )  # fmt: skip
    four = f32(3)
    yield Case(
        "norm", {"a": (2, 3, 4)}, (2, 3, 4),
        f"""%s = nn.constant dense<[1.0, 2.0, -3.0]> : {four}
        %v = nn.constant dense<[0.5, 1.0, 4.0]> : {four}
        %y = nn.batch_norm(%a, %s, %s, %s, %v) {{epsilon = 1.0e-3 : f32}}
            : ({f32(2, 3, 4)}, {four}, {four}, {four}, {four}) -> {f32(2, 3, 4)}""",
    )  # fmt: skip


def reduction_cases():
    for kind, keep in itertools.product(("sum", "mean", "max", "min"), ("true", "false")):
        shape = (2, 1, 4) if keep == "true" else (2, 4)
        yield Case(
            f"{kind}_{keep}", {"x": (2, 3, 4)}, shape,
            f"%y = nn.reduce {kind}(%x) {{axes = array<i64: 1>, keep_dims = {keep}}} : ({f32(2, 3, 4)}) -> {f32(*shape)}",
        )  # fmt: skip
    yield Case("softmax", {"x": (2, 4, 2)}, (2, 4, 2), f"%y = nn.softmax(%x) axis 1 : {f32(2, 4, 2)}", -2, 2)


def movement_cases():
    yield Case(
        "transpose", {"x": (2, 3, 4)}, (4, 2, 3),
        f"%y = nn.transpose(%x) {{permutation = array<i64: 2, 0, 1>}} : ({f32(2, 3, 4)}) -> {f32(4, 2, 3)}",
    )  # fmt: skip
    yield Case(
        "concat", {"a": (2, 3), "b": (2, 1)}, (2, 7),
        f"%y = nn.concat(%a, %b, %a) {{axis = 1 : i64}} : ({f32(2, 3)}, {f32(2, 1)}, {f32(2, 3)}) -> {f32(2, 7)}",
    )  # fmt: skip
    yield Case(
        "pad", {"x": (2, 3)}, (4, 4),
        f"%y = nn.pad(%x) {{pads = array<i64: 2, 0, 0, 1>, value = 3.0 : f32}} : ({f32(2, 3)}) -> {f32(4, 4)}",
    )  # fmt: skip
    yield Case(
        "slice", {"x": (5, 8, 7)}, (2, 3, 3),
        f"""%y = nn.slice(%x) {{starts = array<i64: 1, 1, 6>, sizes = array<i64: 2, 3, 3>, steps = array<i64: 1, 3, -2>}}
            : ({f32(5, 8, 7)}) -> {f32(2, 3, 3)}""",
    )  # fmt: skip
    yield Case(
        "slices", {"x": (6, 5, 3)}, (3, 2, 1),
        f"""%y = nn.slice(%x) {{starts = array<i64: 0, 3, 2>, sizes = array<i64: 3, 2, 1>, steps = array<i64: 2, -3, 3>}}
            : ({f32(6, 5, 3)}) -> {f32(3, 2, 1)}""",
    )  # fmt: skip
    yield Case("broadcast", {"x": (3, 1)}, (2, 3, 4), f"%y = nn.broadcast(%x) : ({f32(3, 1)}) -> {f32(2, 3, 4)}")
    yield Case(
        "gather", {"x": (2, 4)}, (2, 2, 3),
        f"""%i = nn.constant dense<[[0, -1, 9], [1, 0, -9]]> : tensor<2x3xi64>
        %y = nn.gather(%x, %i) {{axis = 1 : i64}} : ({f32(2, 4)}, tensor<2x3xi64>) -> {f32(2, 2, 3)}""",
    )  # fmt: skip


def array(numbers):
    return f"array<i64: {', '.join(map(str, numbers))}>"


# name: op, input, result, kernel, strides, dilations, pads, what else there is to say
POOLS = {
    "max": ("max_pool", (2, 2, 4, 4), (2, 2, 2, 2), (2, 2), (2, 2), (1, 1), (0, 0, 0, 0), ""),
    "max_overlap": ("max_pool", (1, 2, 5, 6), (1, 2, 3, 3), (3, 3), (2, 2), (1, 1), (1, 1, 1, 0), ""),
    "max_ceil": ("max_pool", (1, 1, 6, 7), (1, 1, 3, 3), (3, 2), (2, 3), (1, 1), (0, 0, 0, 0), ", ceil_mode = true"),
    "max_dilated": ("max_pool", (1, 1, 7, 4), (1, 1, 5, 4), (3, 1), (1, 1), (2, 1), (1, 0, 1, 0), ""),
    "max_sparse": ("max_pool", (1, 1, 8), (1, 1, 2), (2,), (5,), (1,), (0, 0), ""),
    "max_space": ("max_pool", (1, 1, 2, 3, 4), (1, 1, 1, 2, 2), (2, 2, 2), (1, 1, 2), (1, 1, 1), (0,) * 6, ""),
    "avg": ("avg_pool", (2, 2, 4, 4), (2, 2, 2, 2), (2, 2), (2, 2), (1, 1), (0, 0, 0, 0), ""),
    "avg_pad": ("avg_pool", (1, 2, 5, 6), (1, 2, 3, 3), (3, 3), (2, 2), (1, 1), (1, 1, 1, 0), ""),
    "avg_all": ("avg_pool", (1, 2, 5, 6), (1, 2, 3, 3), (3, 3), (2, 2), (1, 1), (1, 1, 1, 0), ", count_include_pad = true"),
    "avg_ceil": (
        "avg_pool", (1, 1, 6, 7), (1, 1, 3, 3), (3, 2), (2, 3), (1, 1), (0, 0, 0, 0),
        ", ceil_mode = true, count_include_pad = true",
    ),
    "avg_dilated": ("avg_pool", (1, 1, 7, 4), (1, 1, 5, 4), (3, 1), (1, 1), (2, 1), (1, 0, 1, 0), ""),
    "avg_sparse": ("avg_pool", (1, 1, 8), (1, 1, 2), (2,), (5,), (1,), (0, 0), ""),
}  # fmt: skip


def pool_cases():
    for name, (op, given, result, kernel, strides, dilations, pads, more) in POOLS.items():
        attributes = (
            f"kernel = {array(kernel)}, strides = {array(strides)}, dilations = {array(dilations)}, pads = {array(pads)}"
        )
        body = f"%y = nn.{op}(%x) {{{attributes}{more}}} : ({f32(*given)}) -> {f32(*result)}"
        yield Case(name, {"x": given}, result, body, -3, 3)


def constant(shape, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(1, 9, shape) * rng.choice([-1, 1], shape) / 4
    return f"nn.constant dense<{numbers.tolist()}> : {f32(*shape)}"


# name: input, weights, result, strides, dilations, pads, groups
CONVOLUTIONS = {
    "conv": ((2, 3, 4, 5), (4, 3, 3, 3), (2, 4, 4, 5), (1, 1), (1, 1), (1, 1, 1, 1), 1),
    "conv_point": ((1, 3, 2, 2), (4, 3, 1, 1), (1, 4, 2, 2), (1, 1), (1, 1), (0, 0, 0, 0), 1),
    "conv_groups": ((1, 4, 4, 4), (6, 2, 3, 2), (1, 6, 2, 2), (2, 2), (1, 1), (1, 0, 0, 1), 2),
    "conv_depthwise": ((1, 3, 5, 5), (3, 1, 3, 3), (1, 3, 3, 3), (2, 2), (1, 1), (1, 1, 1, 1), 3),
    "conv_dilated": ((1, 2, 7, 6), (2, 2, 3, 2), (1, 2, 2, 2), (2, 3), (2, 1), (0, 0, 0, 0), 1),
    "conv_padded": ((1, 1, 3, 3), (1, 1, 1, 2), (1, 1, 4, 3), (2, 3), (1, 1), (3, 3, 1, 2), 1),
    "conv_line": ((2, 2, 8), (3, 2, 3), (2, 3, 3), (3,), (1,), (1, 0), 1),
}


def product_cases():
    for name, (given, weights, result, strides, dilations, pads, groups) in CONVOLUTIONS.items():
        body = f"""%w = {constant(weights, 1)}
            %y = nn.conv(%x, %w, %b) {{strides = {array(strides)}, dilations = {array(dilations)}, pads = {array(pads)},
                groups = {groups} : i64}} : ({f32(*given)}, {f32(*weights)}, {f32(weights[0])}) -> {f32(*result)}"""
        yield Case(name, {"x": given, "b": (weights[0],)}, result, body)
    for name, a, b, result, how in [
        ("matmul", (2, 3), (3, 4), (2, 4), ""),
        ("matmul_transposed", (2, 3), (4, 3), (2, 4), " {transpose_b}"),
        ("matmul_weights", (2, 2, 3), (3, 4), (2, 2, 4), ""),
        ("matmul_batched", (3, 1, 2, 3), (2, 4, 3), (3, 2, 2, 4), " {transpose_b}"),
    ]:
        columns = result[-1]
        body = f"%y = nn.matmul(%a, %b, %c){how} : ({f32(*a)}, {f32(*b)}, {f32(columns)}) -> {f32(*result)}"
        yield Case(name, {"a": a, "b": b, "c": (columns,)}, result, body)


GROUPS = {
    "elementwise": elementwise_cases,
    "reductions": reduction_cases,
    "movement": movement_cases,
    "pools": pool_cases,
    "products": product_cases,
}


@pytest.mark.parametrize("group", GROUPS)
def test_central_differences(group, tmp_path):
    check(list(GROUPS[group]()), tmp_path, tolerance=1e-3)


def test_ties(tmp_path):
    """Elements that are the maximum together share its gradient; of two operands the first has it."""
    row = f32(1, 4)
    text = f"""module attributes {{nn.model = "ties", nn.batch = 1 : i64}} {{
        func.func @main(%a: {row} {{nn.name = "a"}}, %b: {row} {{nn.name = "b"}}, %c: {row} {{nn.name = "c"}},
                        %d: {row} {{nn.name = "d"}}) -> ({f32(1, 1)}, {f32(1, 1, 1)}, {row}) {{
          %m = nn.reduce max(%a) {{axes = array<i64: 1>, keep_dims = true}} : ({row}) -> {f32(1, 1)}
          %r = nn.reshape(%b) : ({row}) -> {f32(1, 1, 4)}
          %p = nn.max_pool(%r) {{kernel = array<i64: 4>, strides = array<i64: 1>, dilations = array<i64: 1>,
              pads = array<i64: 0, 0>}} : ({f32(1, 1, 4)}) -> {f32(1, 1, 1)}
          %l = nn.max(%c, %d) : ({row}, {row}) -> {row}
          %s = nn.min(%c, %d) : ({row}, {row}) -> {row}
          %y = nn.add(%l, %s) : ({row}, {row}) -> {row}
          %z = nn.add(%y, %s) : ({row}, {row}) -> {row}
          return %m, %p, %z : {f32(1, 1)}, {f32(1, 1, 1)}, {row}
        }}
        }}"""
    so = translate(text, tmp_path, "ties", "--nn-differentiate")
    x = np.float32([[1, 0, 1, -1]])
    inputs = {"a": x, "b": x, "c": x, "d": np.float32([[1, 1, 0, -1]])}
    found = tools.run_model(so, inputs, tmp_path, outputs=list(inputs))
    assert found["a"].tolist() == found["b"].tolist() == [[0.5, 0, 0.5, 0]]
    assert found["c"].tolist() == [[3, 2, 1, 3]]
    assert found["d"].tolist() == [[0, 1, 2, 0]]


def test_quantize(tmp_path):
    """The gradient passes within the range of the type, limits included, and a scale does not change it."""
    x = np.float32([[-7.0, -6.3, -0.11, 6.3, 6.31], [-0.7, -0.6, 0.0, 1.9, 3.3]])
    text = f"""!q = !quant.uniform<i8<-63:63>:f32, 0.1>
        !a = !quant.uniform<u8<0:9>:f32:0, {{0.5:1, 0.25:2}}>
        module attributes {{nn.model = "quantize", nn.batch = 2 : i64}} {{
        func.func @main(%x: {f32(2, 5)} {{nn.name = "x"}}, %z: {f32(2, 5)} {{nn.name = "z"}}) -> {f32(2, 5)} {{
          %q = nn.quantize(%x) nearest_even : ({f32(2, 5)}) -> tensor<2x5x!q>
          %t = nn.transpose(%q) {{permutation = array<i64: 1, 0>}} : (tensor<2x5x!q>) -> tensor<5x2x!q>
          %p = nn.pad(%t) {{pads = array<i64: 1, 0, 0, 0>, value = 1.0 : f32}} : (tensor<5x2x!q>) -> tensor<6x2x!q>
          %s = nn.slice(%p) {{starts = array<i64: 1, 0>, sizes = array<i64: 5, 2>, steps = array<i64: 1, 1>}}
              : (tensor<6x2x!q>) -> tensor<5x2x!q>
          %d = nn.dequantize(%s) : (tensor<5x2x!q>) -> {f32(5, 2)}
          %c = nn.constant dense<[[2.0], [3.0], [4.0], [5.0], [6.0]]> : {f32(5, 1)}
          %y = nn.mul(%d, %c) : ({f32(5, 2)}, {f32(5, 1)}) -> {f32(5, 2)}
          %a = nn.quantize(%z) floor : ({f32(2, 5)}) -> tensor<2x5x!a>
          %b = nn.dequantize(%a) : (tensor<2x5x!a>) -> {f32(2, 5)}
          %r = nn.transpose(%y) {{permutation = array<i64: 1, 0>}} : ({f32(5, 2)}) -> {f32(2, 5)}
          %e = nn.add(%r, %b) : ({f32(2, 5)}, {f32(2, 5)}) -> {f32(2, 5)}
          return %e : {f32(2, 5)}
        }}
        }}"""
    so = translate(text, tmp_path, "quantize", "--nn-differentiate")
    found = tools.run_model(so, {"x": x, "z": x}, tmp_path, outputs=["x", "z"])
    assert found["x"].tolist() == [[0, 3, 4, 5, 0], [2, 3, 4, 5, 6]]
    # 0.5 * [-1, 8] and 0.25 * [-2, 7]
    assert found["z"].tolist() == [[0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]


# name: input (NHWC), columns, kernel, strides, dilations, pads, result extents, groups, split into two cells
LAYERS = {
    "point": ((2, 3, 2, 4), 5, (1, 1), (1, 1), (1, 1), (0, 0), (3, 2), 1, ""),
    "same": ((1, 4, 5, 2), 3, (3, 3), (1, 1), (1, 1), (1, 1), (4, 5), 1, "radix"),
    "strided": ((2, 5, 6, 4), 6, (3, 2), (2, 2), (1, 1), (1, 0), (3, 3), 2, "unary"),
    "depthwise": ((1, 5, 5, 3), 3, (3, 3), (2, 1), (1, 1), (0, 1), (2, 5), 3, "residual"),
    "dilated": ((1, 7, 6, 2), 2, (2, 2), (1, 3), (3, 2), (1, 0), (2, 1), 1, ""),
}


def draw_matrix(name, rng):
    """What a matrix consists of as text, and the numbers that it stands for."""
    given, columns, kernel, _, _, _, _, groups, split = LAYERS[name]
    rows = given[3] * kernel[0] * kernel[1]
    inside = np.kron(np.eye(groups, dtype=int), np.ones((rows // groups, columns // groups), int))
    planes = rng.integers(-1, 2, (2 if split else 1, rows, columns)) * inside
    significance = {
        "": [[1.0] * columns],
        "radix": [[1.0] * columns, [3.0] * columns],
        "unary": [[1.0] * columns],
        "residual": rng.integers(1, 64, (2, columns)) / 8,
    }[split]
    significance = np.asarray(significance)
    meant = (planes * significance[:, None]).sum(0)
    # The weights of a residual split are not what its cells stand for.
    text = f"weights(dense<{np.rint(meant).astype(int).tolist()}> : tensor<{rows}x{columns}xi8>) levels 16 groups {groups}"
    if split:
        text += f""" split {split} planes(dense<{planes.tolist()}> : tensor<2x{rows}x{columns}xi8>)
            significance(dense<{significance.tolist()}> : tensor<{len(significance)}x{columns}xf32>)"""
    return text, meant


def write_layer(name, rng):
    """A module, the numbers of its matrix, and the gradient of what its windows sum up."""
    given, columns, kernel, strides, dilations, pads, extents, _, _ = LAYERS[name]
    matrix, weights = draw_matrix(name, rng)
    scale = rng.uniform(0.5, 2, columns).round(3)
    result = (given[0], *extents, columns)
    factors = rng.uniform(-1, 1, result).round(3)
    quantized = f"tensor<{'x'.join(map(str, given))}x!q>"
    text = f"""!q = !quant.uniform<i8<-63:63>:f32, 0.05>
        module attributes {{nn.model = "{name}", nn.batch = {given[0]} : i64}} {{
        cim.matrix @{name} {matrix} attributes {{sym_visibility = "private"}} {{}}
        func.func @main(%x: {f32(*given)} {{nn.name = "x"}}) -> {f32(*result)} {{
          %q = nn.quantize(%x) nearest_even : ({f32(*given)}) -> {quantized}
          %s = cim.mvm @{name}(%q) kernel {list(kernel)} strides {list(strides)} dilations {list(dilations)} pads {list(pads)}
              scale(dense<{scale.tolist()}> : tensor<{columns}xf64>) bias(dense<0.5> : tensor<{columns}xf64>)
              clamp [0xFF800000, 0x7F800000] nearest_even : ({quantized}) -> {f32(*result)}
          %c = nn.constant dense<{factors.tolist()}> : {f32(*result)}
          %y = nn.mul(%s, %c) : ({f32(*result)}, {f32(*result)}) -> {f32(*result)}
          return %y : {f32(*result)}
        }}
        }}"""
    return text, weights, factors * scale


def transpose_layer(name, weights, gradient):
    """What every window has read, times its gradient, is added to what it has read (docs/Numerics.md, section 2)."""
    given, _, kernel, strides, dilations, pads, extents, groups, _ = LAYERS[name]
    depth, total = given[3] // groups, np.zeros(given)
    for row, (group, y, x, channel) in enumerate(np.ndindex(groups, *kernel, depth)):
        for h, w in np.ndindex(extents):
            at = (h * strides[0] + y * dilations[0] - pads[0], w * strides[1] + x * dilations[1] - pads[1])
            if 0 <= at[0] < given[1] and 0 <= at[1] < given[2]:
                total[:, at[0], at[1], group * depth + channel] += gradient[:, h, w] @ weights[row]
    return total


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, tmp_path):
    rng = np.random.default_rng(1)
    text, weights, gradient = write_layer(name, rng)
    so = translate(text, tmp_path, name, "--nn-differentiate")
    x = rng.uniform(-2, 2, LAYERS[name][0]).astype(np.float32)
    found = tools.run_model(so, {"x": x}, tmp_path, outputs=["x"])["x"]
    expected = transpose_layer(name, weights, gradient) / 0.05
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
