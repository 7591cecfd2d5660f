# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The choice of ADC gains of docs/Accuracy.md, "ADC gains", in NumPy, written from that page alone."""

import math
from dataclasses import dataclass

import numpy as np

import numerics

CANDIDATES = 64
_PLACES = np.linspace(-6, 6, 1 << 17)
_VALUES = np.array([math.erfc(x) for x in _PLACES])


def _erfc(x):
    """Off by 2e-9 at most: a line between two places."""
    return np.interp(x, _PLACES, _VALUES)


@dataclass
class Plane:
    """All conversions of one plane: sums and weights (the same shape), mean of V, codes of the converter."""

    sums: np.ndarray
    weights: np.ndarray
    power: float
    lo: int
    hi: int
    rounding: str  # mid-rise rounds down and is half a code higher

    @property
    def half(self):
        return 0.5 if self.rounding == numerics.NEAREST_EVEN else 0.0

    @property
    def fits(self):
        return self.sums.min() >= self.lo and self.sums.max() <= self.hi

    def codes(self, gain):
        x = self.sums.astype(np.float32) * np.float32(gain)
        rounded = np.rint(x) if self.half else np.floor(x)
        return np.clip(rounded, self.lo, self.hi).astype(float)

    def loss(self, gain):
        """Variance of s - v / g without noise."""
        return self._variance(self.codes(gain), self.codes(gain) ** 2, gain, np.ones_like(self.weights))

    def noisy_loss(self, gain, cells, gains, conversion):
        """The same with x normal: a code is j or above when x reaches its threshold."""
        sums, inverse = np.unique(self.sums, return_inverse=True)
        weights = np.bincount(inverse.ravel(), self.weights.ravel())
        deviation = np.sqrt(conversion + gain**2 * (cells * self.power + gains * sums.astype(float) ** 2))
        j = np.arange(self.lo + 1, self.hi + 1)
        reached = _erfc((j[None] - self.half - sums[:, None] * gain) / (deviation[:, None] * math.sqrt(2))) / 2
        mean = self.lo + reached.sum(1)
        square = self.lo**2 + (reached * (2 * j - 1)).sum(1)
        return Plane(sums, weights, self.power, self.lo, self.hi, self.rounding)._variance(mean, square, gain, weights)

    def _variance(self, mean, square, gain, weights):
        error = self.sums - mean / gain
        squares = self.sums.astype(float) ** 2 - 2 * self.sums * mean / gain + square / gain**2
        return (weights * squares).sum() - (weights * error).sum() ** 2 / weights.sum()

    def candidates(self, most):
        clips = np.abs(self.sums).max() * 2.0 ** (-4 * np.arange(CANDIDATES) / (CANDIDATES - 1))
        return np.minimum(self.hi / clips, most).astype(np.float32)

    def largest(self):
        return np.float32(1 if self.fits else min(self.hi / np.abs(self.sums).max(), 1))

    def percentile(self, percent):
        magnitudes = np.sort(np.abs(self.sums).ravel())
        index = math.ceil(len(magnitudes) * percent / 100 - 1e-12) - 1
        return np.float32(1 if self.fits else min(self.hi / max(magnitudes[index], 1), 1))


@dataclass
class Converters:
    """Those of a layer, with gains by the least loss: without noise, or with its variances (cells, gains, conversion)."""

    lo: int
    hi: int
    rounding: str
    noise: tuple | None = None

    @property
    def conversion(self):
        return self.noise[2] if self.noise else 0

    def convert(self, sums, gain):
        return Plane(sums, None, 0, self.lo, self.hi, self.rounding).codes(gain)

    def choose_gain(self, q, cells, scales):
        """For windows q [..., K] and cells [K][N] whose sums count scales [N] each in the result."""
        sums = q.astype(np.int64) @ cells.astype(np.int64)
        if self.noise is None:
            plane = Plane(sums, np.ones_like(sums), 0, self.lo, self.hi, self.rounding)
            return np.float32(1) if plane.fits else min(plane.candidates(1), key=plane.loss)
        if not sums.any():
            return np.float32(1)
        weights = scales.astype(float) ** 2
        powers = (q.astype(float) ** 2).reshape(-1, q.shape[-1]).mean(0)
        power = weights @ (powers @ cells.astype(float) ** 2) / weights.sum()
        found, inverse = np.unique(sums, return_inverse=True)
        counts = np.bincount(inverse.ravel(), np.broadcast_to(weights, sums.shape).ravel())
        plane = Plane(found, counts, power, self.lo, self.hi, self.rounding)
        return min(plane.candidates(self.hi), key=lambda gain: plane.noisy_loss(float(gain), *self.noise))
