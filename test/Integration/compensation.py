# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The choice of weights of docs/Accuracy.md in NumPy, written from that page alone."""

import numpy as np

import numerics

SCALES = 20


# --- Channels of like range ---------------------------------------------------


def equalization_factors(activations, weights):
    """What channels are divided by that one layer reads: activations [..., channels], weights [channels, ...]."""
    rms = lambda x: np.sqrt((x.astype(float) ** 2).reshape(len(x), -1).mean(1))
    a, w = rms(np.moveaxis(activations, -1, 0)), rms(weights)
    carries, factors = (a > 0) & (w > 0), np.ones(len(a))
    if carries.any():
        wishes = np.log2(a[carries] / w[carries]) / 2
        factors[carries] = 2 ** (wishes - wishes.mean())
    return factors


# --- Windows ------------------------------------------------------------------


def _splitmix64(x):
    mask = (1 << 64) - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


def sampled_windows(samples, windows, rows):
    """Numbers of the windows of every sample that count: [samples][m]."""
    wanted = max(16384, 16 * rows)
    m = min(windows, max(1, -(-wanted // samples)))
    place = lambda t, i: ((i << 24) + (_splitmix64(t * m + i) >> 40)) * windows // m >> 24
    return np.array([[place(t, i) for i in range(m)] for t in range(samples)])


# --- Integers next to the weights ---------------------------------------------


def ternary_scale(w):
    magnitudes = np.sort(np.abs(w))[::-1]
    sums, m = np.cumsum(magnitudes), np.arange(1, len(w) + 1)
    best = np.argmax(sums**2 / m)
    return sums[best] / m[best]


def nearest(w, levels):
    """What rounding alone takes for one channel; the weights are float32."""
    integers = lambda s: np.clip(np.rint(w.astype(np.float32) * np.float32(1 / s)), -levels, levels).astype(float)
    w = w.astype(float)
    if not w.any():
        return np.zeros(len(w))
    if levels == 1:
        return integers(ternary_scale(w))
    steps = 8 if levels > 40 else 40
    found = []
    for step in range(steps):
        q = integers(np.abs(w).max() * (1 - 0.75 * step / steps) / levels)
        scale = q @ w / (q @ q)
        found.append((w @ w - (q @ w) ** 2 / (q @ q), step, scale))
    return integers(min(found)[2])


def explained_behind_converters(q, images, planes, significance, scales, converters, places, targets):
    """Variance of the targets that the layer's results follow, less that of noise of converters: q [samples][windows][K],
    planes [P][K][1][N], scales [N] of sums; `images` choose the gains; the targets belong to the windows `places`."""
    results, noise = np.zeros((*q.shape[:2], planes.shape[3]), np.float32), 0.0
    for cells, factor in zip(planes[:, :, 0], significance):
        gain = converters.choose_gain(q[images], cells, scales * factor)
        sums = q.astype(np.int64) @ cells.astype(np.int64)
        results += converters.convert(sums, gain).astype(np.float32) * (factor / gain)
        noise += converters.conversion * ((scales * factor / gain) ** 2).sum()
    s = results[np.arange(len(q))[:, None], places].reshape(-1, results.shape[2]).astype(float)
    y = targets.reshape(s.shape).astype(float)
    s, y = s - s.mean(0), y - y.mean(0)
    varies = (s * s).sum(0) > 0
    slope = np.maximum((s * y).sum(0), 0)[varies]
    return (slope**2 / (s * s).sum(0)[varies]).sum() / len(s) - noise


def parts_of(rows):
    """Number of the part of every row."""
    count = -(-rows // 1152)
    return np.arange(rows) // -(-rows // count)


# --- The method -----------------------------------------------------------------


class Cells:
    """What is lost of integers in [-levels, levels]; read and static are the target's deviations, conversion is the
    variance of a code that counts (--adc-range=noise)."""

    def __init__(self, split, cells, adc_bits, read, static, conversion=0):
        self.levels = {"radix": (3**cells - 1) // 2, "magnitude": 2**cells - 1}.get(split, cells)
        codes = np.arange(-self.levels, self.levels + 1)
        self.turns = cells if split == "equal" else 1  # of the planes, by row
        planes, significance = numerics.planes_of(np.tile(codes, (self.turns, 1)), split, cells)
        planes, self.significance = planes.astype(float), significance[:, 0].astype(float)
        self.digits = planes.sum(2)  # [planes][turn][code]
        self.energy = ((planes[:, 0] * self.significance[:, None, None]) ** 2).sum((0, 1))  # [code]
        self.converter = 4 / 3 * np.log(2**adc_bits) / 4**adc_bits * (1 + 12 * conversion)
        self.cell = read**2 + static**2


class Group:
    """A, B and R of one group: of every layer windows x [S][K] and targets y [S][N]; weights w [K][N]."""

    def __init__(self, layers, w, cells):
        layers = [(x.astype(float), y.astype(float)) for x, y in layers]
        count, rows = sum(len(x) for x, _ in layers), len(w)
        self.cells, self.powers = cells, sum(x.T @ x for x, _ in layers) / count
        part = parts_of(rows)
        together = part[:, None] == part
        self.powers = self.powers * together
        layers = [(x - x.mean(0), y - y.mean(0)) for x, y in layers]
        moments = sum(x.T @ x for x, _ in layers) / count * together
        damping, cross = np.zeros(rows), np.zeros(w.shape)
        for p in range(part[-1] + 1):
            own = part == p
            damping[own] = (0.01 + 0.1 * own.sum() / count) * np.diag(moments)[own].mean()
            for x, y in layers:
                wanted = x[:, own] @ w[own] + (y - x @ w) / (part[-1] + 1) if part[-1] else y
                cross[own] += x[:, own].T @ wanted / count
        self.pure = self.a = moments + np.diag(damping)
        if cells.levels == 1:
            self.a = self.a + cells.converter * self.powers + cells.cell * np.diag(np.diag(self.powers))
        self.b = cross + damping[:, None] * w
        self.damping = damping.min()
        self.weights = w
        if self.damping:
            self.order = np.lexsort((-np.diag(self.a), part))
            self.upper = np.linalg.cholesky(np.linalg.inv(self.a[np.ix_(self.order, self.order)])).T
            self.corrected = np.linalg.solve(self.a, self.b)

    def square(self, q):
        """q'Aq and the losses."""
        square = q @ self.pure @ q
        index = q.astype(int) + self.cells.levels
        for significance, digits in zip(self.cells.significance, self.cells.digits):
            d = digits[np.arange(len(q)) % self.cells.turns, index]
            square += self.cells.converter * significance**2 * (d @ self.powers @ d)
        return square + self._cell_square(q)

    def _cell_square(self, q):
        return self.cells.cell * (np.diag(self.powers) @ self.cells.energy[q.astype(int) + self.cells.levels])

    def scale(self, q, n):
        """The best of column n."""
        return q @ self.b[:, n] / self.square(q) if q.any() else 0

    def lost_in_cells(self, q, n):
        """Of column n, in units of the targets' variance."""
        return self.scale(q, n) ** 2 * self._cell_square(q)

    def gain(self, q, n):
        """e(q) of column n, 0 where the scale would not be positive."""
        cross = q @ self.b[:, n]
        return cross**2 / self.square(q) if cross > 0 else 0.0

    def pure_gain(self, q, n):
        """The same without losses."""
        cross = q @ self.b[:, n]
        return cross**2 / (q @ self.pure @ q) if cross > 0 else 0.0

    def round(self, n, scale, levels):
        order, upper, rest = self.order, self.upper, self.corrected[self.order, n]
        q = np.zeros(len(rest))
        for k in range(len(rest)):
            q[k] = np.clip(np.rint(rest[k] / scale), -levels, levels)
            rest[k + 1 :] -= upper[k, k + 1 :] * (rest[k] - scale * q[k]) / upper[k, k]
        result = np.empty_like(q)
        result[order] = q
        return result

    def descend(self, q, n, levels):
        q = q.copy()
        for _ in range(8):
            scale = self.scale(q, n)
            before = q.copy()
            for k in range(len(q)):
                q[k] = self.best_integer(q, k, n, scale, levels)
            if not q.any() or (q == before).all() or q @ self.b[:, n] <= 0:
                break
        return q

    def best_integer(self, q, k, n, scale, levels):
        if levels == 1:
            own = self.a[k, k]
            return np.clip(np.rint((self.b[k, n] / scale - self.a[k] @ q + own * q[k]) / own), -1, 1)
        own, codes = self.pure[k, k], np.arange(-levels, levels + 1)
        loss = own * codes**2 - 2 * codes * (self.b[k, n] / scale - self.pure[k] @ q + own * q[k])
        loss = loss + self.cells.cell * self.powers[k, k] * self.cells.energy
        for significance, digits in zip(self.cells.significance, self.cells.digits):
            d = digits[np.arange(len(q)) % self.cells.turns, q.astype(int) + levels]
            rest = self.powers[k] @ d - self.powers[k, k] * d[k]
            own_digits = digits[k % self.cells.turns]
            loss = loss + self.cells.converter * significance**2 * (self.powers[k, k] * own_digits**2 + 2 * own_digits * rest)
        return codes[np.argmin(loss)]

    def choose(self, n, plain=None):
        """The integers of column n; `plain`: those to begin with."""
        levels = self.cells.levels
        plain = nearest(self.weights[:, n], levels) if plain is None else plain
        if self.damping == 0:
            return plain
        corrected = self.corrected[:, n]
        if levels == 1:
            base, lo, hi = ternary_scale(corrected), 0.6, 1.6
        else:
            base, lo, hi = np.abs(corrected).max() / levels, 0.35, 1.05
        best = plain
        for i in range(SCALES if base > 0 else 0):
            q = self.round(n, base * lo * (hi / lo) ** (i / (SCALES - 1)), levels)
            if self.gain(q, n) > self.gain(best, n):
                best = q
        if self.gain(best, n) > 0:
            refined = self.descend(best, n, levels)
            best = refined if self.gain(refined, n) > self.gain(best, n) else best
        return best if self.pure_gain(best, n) >= self.pure_gain(plain, n) else plain
