# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/Numerics.md in NumPy, written from that page alone.

This is the oracle that the compiler, the simulator and every driver are
compared with, bit by bit. It must stay ignorant of them: whoever changes a line
here justifies it with a line of docs/Numerics.md.
"""

from dataclasses import dataclass, field

import numpy as np

f32 = np.float32
NEAREST_EVEN, FLOOR, MID_RISE = "nearest-even", "floor", "mid-rise"


def round_to(x, rounding):
    """`round` of the page; NumPy's rint is nearest, ties to even."""
    if rounding not in (NEAREST_EVEN, FLOOR):
        raise ValueError(f"unknown rounding '{rounding}'")
    return np.rint(x) if rounding == NEAREST_EVEN else np.floor(x)


# --- 1. Activations ---------------------------------------------------------


def quantize(x, scale, lo, hi, rounding=NEAREST_EVEN):
    """Float tensor to the integers of a quantised activation."""
    with np.errstate(over="ignore"):
        reciprocal = f32(1) / f32(scale)
        q = round_to(np.asarray(x, f32) * reciprocal, rounding)
    q = np.where(np.isnan(q), f32(0), q)
    return np.clip(q, lo, hi).astype(np.int32)


# --- 2. Matrices and planes -------------------------------------------------


def matrix_of_conv(weights, groups=1):
    """[F][C/groups][kh][kw] integers as the K x N matrix, block diagonal."""
    weights = np.asarray(weights)
    f, cg, kh, kw = weights.shape
    fg, rows = f // groups, kh * kw * cg
    matrix = np.zeros((groups * rows, f), np.int32)
    for g in range(groups):
        part = weights[g * fg : (g + 1) * fg]  # fg x cg x kh x kw
        matrix[g * rows : (g + 1) * rows, g * fg : (g + 1) * fg] = part.transpose(
            2, 3, 1, 0
        ).reshape(rows, fg)
    return matrix


def planes_of(matrix, split, cells, groups=1):
    """The planes of cells of an integer matrix.

    Returns (cells, significance): cells is [planes][K][repeat][N], significance
    is float32 [planes][N].
    """
    matrix = np.asarray(matrix, np.int64)
    n = matrix.shape[1]
    if split == "radix":
        limit = (3**cells - 1) // 2
        _check_range(matrix, limit, split, cells)
        planes, rest = [], matrix.copy()
        for _ in range(cells):
            digit = (rest + 1) % 3 - 1  # balanced: -1, 0 or 1
            planes.append(digit[:, None, :])
            rest = (rest - digit) // 3
        significance = [[f32(3**p)] * n for p in range(cells)]
        return np.stack(planes).astype(np.int8), np.array(significance, f32)
    if split == "magnitude":
        _check_range(matrix, 2**cells - 1, split, cells)
        planes = [np.sign(matrix) * (np.abs(matrix) >> p & 1) for p in range(cells)]
        significance = [[f32(2**p)] * n for p in range(cells)]
        return np.stack(planes)[:, :, None, :].astype(np.int8), np.array(significance, f32)
    if split == "equal":
        _check_range(matrix, cells, split, cells)
        row = (np.arange(len(matrix)) % (len(matrix) // groups))[:, None]
        # How many planes come before plane p when row k begins with plane k mod P.
        planes = [np.sign(matrix) * ((p - row) % cells < np.abs(matrix)) for p in range(cells)]
        return np.stack(planes)[:, :, None, :].astype(np.int8), np.ones((cells, n), f32)
    if split == "unary":
        _check_range(matrix, cells, split, cells)
        r = np.arange(cells)[None, :, None]
        t = np.where(r < np.abs(matrix)[:, None, :], np.sign(matrix)[:, None, :], 0)
        return t[None].astype(np.int8), np.ones((1, n), f32)
    if split == "residual":
        return _residual_planes(matrix, cells)
    raise ValueError(f"unknown split '{split}'")


def _check_range(matrix, limit, split, cells):
    worst = int(np.abs(matrix).max(initial=0))
    if worst > limit:
        raise ValueError(f"{split} with {cells} cells reaches {limit}, weight is {worst}")


def _residual_planes(matrix, cells):
    e = matrix.astype(np.float64)
    k, n = e.shape
    planes = np.zeros((cells, k, 1, n), np.int8)
    significance = np.zeros((cells, n), f32)
    columns = np.arange(n)
    support = np.arange(1, k + 1)[:, None]
    for p in range(cells):
        # With support m the best scale is the mean of the m largest |e|, which
        # removes (their sum)^2 / m of the error; argmax takes the first tie.
        order = np.argsort(-np.abs(e), axis=0, kind="stable")
        sums = np.cumsum(np.take_along_axis(np.abs(e), order, 0), axis=0)
        best = np.argmax(sums * sums / support, axis=0)
        scale = (sums[best, columns] / (best + 1)).astype(f32)
        chosen = np.zeros((k, n), bool)
        np.put_along_axis(chosen, order, np.arange(k)[:, None] <= best, 0)
        t = np.where(chosen, np.sign(e), 0)
        planes[p, :, 0, :] = t
        significance[p] = scale
        e = e - scale.astype(np.float64) * t
    return planes, significance


def row_cuts(rows, fit):
    """Cuts `rows` matrix rows into blocks of at most `fit`: [(first, count)]."""
    blocks = -(-rows // fit)
    h = -(-rows // blocks)
    return [(k, min(h, rows - k)) for k in range(0, rows, h)]


def block_rectangles(k_total, n_total, groups, array_rows, array_columns, repeat):
    """Row blocks of one plane: [(k, k_count, n, n_count)], columns uncut."""
    fit = array_rows // repeat
    if fit < 1:
        raise ValueError(f"an array of {array_rows} rows cannot hold {repeat} cells per weight")
    k_group, n_group = k_total // groups, n_total // groups
    if groups == 1:
        return [(k, count, 0, n_total) for k, count in row_cuts(k_total, fit)]
    together = min(fit // k_group, array_columns // n_group)
    if together >= 1:
        return [
            (g * k_group, count * k_group, g * n_group, count * n_group)
            for g in range(0, groups, together)
            for count in [min(together, groups - g)]
        ]
    return [
        (g * k_group + k, count, g * n_group, n_group)
        for g in range(groups)
        for k, count in row_cuts(k_group, fit)
    ]


# --- 3. and 4. Products and epilogue ----------------------------------------


@dataclass
class Block:
    """A rectangle of one plane; cells is [k_count][repeat][n_count]."""

    plane: int
    k: int
    n: int
    cells: np.ndarray
    gain: float = 1.0


@dataclass
class Layer:
    """A crossbar layer. Maps are NHWC; lists are [height, width]."""

    in_shape: tuple  # (h, w, c)
    out_shape: tuple  # (h, w, c)
    kernel: tuple = (1, 1)
    strides: tuple = (1, 1)
    dilations: tuple = (1, 1)
    pads: tuple = (0, 0)  # top, left
    groups: int = 1
    blocks: list = field(default_factory=list)
    significance: np.ndarray = None  # [planes][N]
    adc_lo: int = -32
    adc_hi: int = 31
    adc_rounding: str = NEAREST_EVEN
    scale: np.ndarray = None  # [N]
    bias: np.ndarray = None  # [N]
    lo: float = -np.inf
    hi: float = np.inf
    out_type: type = np.float32
    out_rounding: str = NEAREST_EVEN


def windows(q, layer):
    """NHWC integers to [images][oh][ow][K] in the row order of the page."""
    images, _, _, c = q.shape
    h, w, channels = layer.in_shape
    if q.shape[1:] != (h, w, channels):
        raise ValueError(f"map is {q.shape[1:]}, layer takes {layer.in_shape}")
    oh, ow, _ = layer.out_shape
    kh, kw = layer.kernel
    (sh, sw), (dh, dw), (top, left) = layer.strides, layer.dilations, layer.pads
    need_h = (oh - 1) * sh + (kh - 1) * dh + 1
    need_w = (ow - 1) * sw + (kw - 1) * dw + 1
    padded = np.zeros((images, max(need_h, top + h), max(need_w, left + w), c), q.dtype)
    padded[:, top : top + h, left : left + w] = q
    g, cg = layer.groups, c // layer.groups
    out = np.empty((images, oh, ow, g, kh, kw, cg), q.dtype)
    for i in range(kh):
        for j in range(kw):
            part = padded[
                :,
                i * dh : i * dh + (oh - 1) * sh + 1 : sh,
                j * dw : j * dw + (ow - 1) * sw + 1 : sw,
            ]
            out[:, :, :, :, i, j] = part.reshape(images, oh, ow, g, cg)
    return out.reshape(images, oh, ow, g * kh * kw * cg)


def ordered(blocks):
    return sorted(blocks, key=lambda b: (b.k, b.plane, b.n))


def convert(x, layer):
    """v of section 3."""
    rounding = FLOOR if layer.adc_rounding == MID_RISE else layer.adc_rounding
    v = np.clip(round_to(x, rounding), layer.adc_lo, layer.adc_hi)
    return v + f32(0.5) if layer.adc_rounding == MID_RISE else v


def accumulate(q, layer, mode):
    """S of section 3 for an NHWC integer map: float32 [images][oh][ow][N]."""
    if mode not in ("ideal", "exact"):
        raise ValueError(f"unknown mode '{mode}'")
    q = np.asarray(q)
    largest = int(np.abs(q).max(initial=0))
    rows = windows(q.astype(f32), layer)
    total = np.zeros(rows.shape[:3] + (layer.out_shape[2],), f32)
    for block in ordered(layer.blocks):
        k_count, _, n_count = block.cells.shape
        level = block.cells.astype(f32).sum(axis=1)  # cells of a weight add up
        # Every partial sum is then an integer that binary32 holds exactly.
        assert largest * np.abs(level).sum(axis=0).max(initial=0) < 2**24
        v = rows[..., block.k : block.k + k_count] @ level
        at = slice(block.n, block.n + n_count)
        coefficient = layer.significance[block.plane, at].astype(f32)
        if mode == "exact":
            gain = f32(block.gain)
            v = convert(v * gain, layer)
            coefficient = coefficient / gain
        total[..., at] = total[..., at] + v * coefficient
    return total


def epilogue(total, layer):
    y = total * layer.scale.astype(f32) + layer.bias.astype(f32)
    if layer.out_type is np.float32:
        return np.clip(y, f32(layer.lo), f32(layer.hi))
    y = np.clip(round_to(y, layer.out_rounding), f32(layer.lo), f32(layer.hi))
    return y.astype(layer.out_type)


def run_layer(q, layer, mode):
    """One layer on an NHWC integer map, as the device interface runs it."""
    out = epilogue(accumulate(q, layer, mode), layer)
    assert out.dtype == layer.out_type
    return out
