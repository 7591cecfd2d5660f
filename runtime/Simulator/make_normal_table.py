#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes NormalTable.inc: the inverse normal distribution, octave by octave.

A 31-bit odd integer x stands for the probability p = x / 2^32 in (0, 1/2). Per
octave 2^e <= x < 2^(e+1) the table holds a polynomial of degree 3 in
s = x / 2^e - 1.5 for -inverse_cdf(p): interpolation at Chebyshev nodes, i.e.
within a small factor of the best uniform approximation. The largest error is
2.3e-4 (in the tail), the variance is off by 2.3e-5, the kurtosis by 9e-5.

Octave e stands at index (e + 127) mod 32: the low five bits of the exponent
field of x as binary32.

usage: make_normal_table.py > NormalTable.inc
"""
from math import cos, pi
from statistics import NormalDist

DEGREE = 3


def solve(a, b):
    """Gaussian elimination; the systems are small and well conditioned."""
    n = len(b)
    rows = [r[:] + [v] for r, v in zip(a, b)]
    for i in range(n):
        p = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[p] = rows[p], rows[i]
        for r in range(i + 1, n):
            f = rows[r][i] / rows[i][i]
            rows[r] = [x - f * y for x, y in zip(rows[r], rows[i])]
    out = [0.0] * n
    for i in reversed(range(n)):
        s = sum(rows[i][j] * out[j] for j in range(i + 1, n))
        out[i] = (rows[i][n] - s) / rows[i][i]
    return out


def octave(e):
    if e == 31:  # x rounded up to 2^31: p = 1/2 and no deviation
        return [0.0] * (DEGREE + 1)
    nodes = [0.5 * cos(pi * (2 * i + 1) / (2 * DEGREE + 2)) for i in range(DEGREE + 1)]
    values = [-NormalDist().inv_cdf((1.5 + s) * 2.0**e / 2.0**32) for s in nodes]
    return solve([[s**d for d in range(DEGREE + 1)] for s in nodes], values)


table = [octave((i - 127) % 32) for i in range(32)]
print("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception")
print("// Written by make_normal_table.py.")
for d in range(DEGREE + 1):
    print("{" + ",\n ".join(
        ", ".join(f"{row[d]:.9e}f" for row in table[i:i + 4]) for i in range(0, 32, 4)) + "},")
