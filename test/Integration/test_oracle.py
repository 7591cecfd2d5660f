# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The oracle itself: hand-computed values, and onnxruntime for its geometry."""

import numpy as np
import pytest

import float_reference
import layercases
import numerics


def test_quantize_rounds_ties_to_even_and_saturates():
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 99, -99, np.nan, np.inf], np.float32)
    assert numerics.quantize(x, 1, -63, 63).tolist() == [0, 2, 2, 0, -2, 63, -63, 0, 63]
    assert numerics.quantize(x, 1, -63, 63, "floor").tolist() == [0, 1, 2, -1, -2, 63, -63, 0, 63]


def test_quantize_multiplies_by_the_rounded_reciprocal():
    scale = np.float32(0.0472440906)
    x = np.arange(128, dtype=np.float32) * scale  # on the grid, where a division gives other integers
    product = np.floor(x * (np.float32(1) / scale))
    assert (product != np.floor(x / scale)).any()
    assert (numerics.quantize(x, scale, 0, 127, "floor") == np.clip(product, 0, 127)).all()


def test_radix_digits():
    cells, significance = numerics.planes_of(np.array([[4, -4, 2, -13, 13, 5]]), "radix", 3)
    assert cells[:, 0, 0].T.tolist() == [[1, 1, 0], [-1, -1, 0], [-1, 1, 0], [-1, -1, -1], [1, 1, 1], [-1, -1, 1]]
    assert significance[:, 0].tolist() == [1, 3, 9]
    with pytest.raises(ValueError):
        numerics.planes_of(np.array([[14]]), "radix", 3)


def test_magnitude_digits():
    cells, significance = numerics.planes_of(np.array([[5, -6, 0, 7]]), "magnitude", 3)
    assert cells[:, 0, 0].T.tolist() == [[1, 0, 1], [0, -1, -1], [0, 0, 0], [1, 1, 1]]
    assert significance[:, 0].tolist() == [1, 2, 4]


def test_equal_planes_take_turns():
    cells, significance = numerics.planes_of(np.array([[1, -2], [1, 3], [2, 0], [1, 1]]), "equal", 3, groups=2)
    assert cells[:, :, 0, 0].T.tolist() == [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]]  # rows of two groups
    assert cells[:, :, 0, 1].T.tolist() == [[-1, -1, 0], [1, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert significance[:, 0].tolist() == [1, 1, 1]


def test_unary_cells():
    cells, significance = numerics.planes_of(np.array([[2, -1, 0, 3]]), "unary", 3)
    assert cells[0, 0].T.tolist() == [[1, 1, 0], [-1, 0, 0], [0, 0, 0], [1, 1, 1]]
    assert significance.tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize("seed", range(20))
def test_every_residual_plane_is_the_best_ternary_one(seed):
    rng = np.random.default_rng(seed)
    column = rng.integers(-127, 128, 7)
    cells, significance = numerics.planes_of(column[:, None], "residual", 2)
    e = column.astype(float)
    every = np.array(np.meshgrid(*[[-1, 0, 1]] * 7)).reshape(7, -1)[:, 1:]  # not all 0 first
    every = every[:, np.abs(every).sum(0) > 0]
    for p in range(2):
        t = cells[p, :, 0, 0].astype(float)
        best = min(((e - (e @ v) / (v @ v) * v) ** 2).sum() for v in every.T.astype(float))
        found = ((e - (e @ t) / (t @ t) * t) ** 2).sum()
        assert found <= best * (1 + 1e-12)
        e = e - np.float64(significance[p, 0]) * t


def test_row_blocks():
    assert numerics.block_rectangles(1000, 8, 1, 400, 512, 1) == [(0, 334, 0, 8), (334, 334, 0, 8), (668, 332, 0, 8)]
    assert numerics.block_rectangles(100, 8, 1, 64, 512, 3) == [(0, 20, 0, 8), (20, 20, 0, 8), (40, 20, 0, 8), (60, 20, 0, 8), (80, 20, 0, 8)]
    # Depthwise 3x3: 7 groups fit into 64 rows.
    assert numerics.block_rectangles(90, 10, 10, 64, 512, 1) == [(0, 63, 0, 7), (63, 27, 7, 3)]
    # ... and 4 into 4 columns.
    assert numerics.block_rectangles(90, 10, 10, 64, 4, 1) == [(0, 36, 0, 4), (36, 36, 4, 4), (72, 18, 8, 2)]
    # A group of 20 rows does not fit into 16.
    assert numerics.block_rectangles(40, 6, 2, 16, 512, 1) == [(0, 10, 0, 3), (10, 10, 0, 3), (20, 10, 3, 3), (30, 10, 3, 3)]


def test_exact_product_by_hand():
    layer = numerics.Layer(
        in_shape=(1, 1, 2),
        out_shape=(1, 1, 1),
        blocks=[numerics.Block(0, 0, 0, np.array([[[1]], [[-1]]]), gain=0.25)],
        significance=np.array([[3]], np.float32),
        scale=np.array([0.5], np.float32),
        bias=np.array([1], np.float32),
    )
    q = np.array([[[[10, -4]]], [[[100, -100]]]])
    # 14 * 0.25 = 3.5 -> 4 codes of 3 / 0.25 each; 200 saturates at 31.
    assert numerics.run_layer(q, layer, "exact").ravel().tolist() == [4 * 12 * 0.5 + 1, 31 * 12 * 0.5 + 1]
    assert numerics.run_layer(q, layer, "ideal").ravel().tolist() == [14 * 3 * 0.5 + 1, 200 * 3 * 0.5 + 1]


# Residual planes approximate the weights; the other splits hold them.
EXACT = [c for c in map(layercases.draw, range(60)) if c.split != "residual"]


@pytest.mark.parametrize("case", EXACT, ids=lambda c: c.name)
def test_ideal_is_the_network(case):
    """Geometry, matrix order and splits against onnxruntime on the case's file."""
    network = layercases.Network(case)
    expected = float_reference.run(network.model(), network.x)
    planes, significance = numerics.planes_of(network.matrix, case.split, case.cells, case.groups)
    rank, one = len(case.size), (1,) * (2 - len(case.size))
    n = network.matrix.shape[1]
    layer = numerics.Layer(
        in_shape=one + case.size + (case.channels,),
        out_shape=one + case.out_size + (case.filters,),
        kernel=one + case.kernel,
        strides=one + case.strides,
        dilations=one + case.dilations,
        pads=(0,) * (2 - rank) + case.pads[:rank],
        groups=case.groups,
        blocks=[
            numerics.Block(p, k, first, planes[p, k : k + kc, :, first : first + nc])
            for p in range(len(planes))
            for k, kc, first, nc in numerics.block_rectangles(
                *network.matrix.shape, case.groups, case.rows, case.columns, planes.shape[2]
            )
        ],
        significance=significance,
        scale=network.nominal_scale().astype(np.float32),
        bias=network.nominal_bias().astype(np.float32),
        lo=0 if case.relu else -np.inf,
    )
    if case.output == "quantised":
        layer.lo, layer.hi = network.out_range
        layer.out_type, layer.out_rounding = np.int8, network.rounding
    found = network.finish(numerics.run_layer(network.quantised_input(), layer, "ideal"))
    step = float(network.out_scale) if case.output == "quantised" else 0
    # One step of the input where a division and the reciprocal disagree on a tie.
    slack = float(network.in_scale * network.weight_scale.max()) * case.levels
    wrong = np.abs(found - expected) > np.maximum(1e-4, 1e-5 * np.abs(expected))
    assert wrong.mean() < 0.01
    assert np.abs(found - expected).max() <= max(step, slack) * 1.01 + 1e-4
    assert n == case.filters
