# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The choice of weights of docs/Accuracy.md in NumPy, written from that page alone."""

import numpy as np

SCALES = 20


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


# --- The method -----------------------------------------------------------------


class Group:
    """A and B of one group: windows x [S][K], targets y [S][N], weights w [K][N]."""

    def __init__(self, x, y, w):
        x, y = x.astype(float), y.astype(float)
        count, rows = x.shape
        x, y = x - x.mean(0), y - y.mean(0)
        moments = x.T @ x / count
        damping = (0.01 + 0.1 * rows / count) * np.trace(moments) / rows
        self.a = moments + damping * np.eye(rows)
        self.b = x.T @ y / count + damping * w
        self.damping = damping
        self.weights = w
        if damping:
            self.order = np.argsort(-np.diag(self.a), kind="stable")
            self.upper = np.linalg.cholesky(np.linalg.inv(self.a[np.ix_(self.order, self.order)])).T
            self.corrected = np.linalg.solve(self.a, self.b)

    def gain(self, q, n):
        """e(q) of column n, 0 where the scale would not be positive."""
        cross = q @ self.b[:, n]
        return cross**2 / (q @ self.a @ q) if cross > 0 else 0.0

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
            scale = q @ self.b[:, n] / (q @ self.a @ q)
            before = q.copy()
            for k in range(len(q)):
                own = self.a[k, k]
                rest = (self.b[k, n] / scale - self.a[k] @ q + own * q[k]) / own
                q[k] = np.clip(np.rint(rest), -levels, levels)
            if not q.any() or (q == before).all() or q @ self.b[:, n] <= 0:
                break
        return q

    def choose(self, n, levels):
        """The integers of column n."""
        plain = nearest(self.weights[:, n], levels)
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
        if self.gain(best, n) == 0:
            return best
        refined = self.descend(best, n, levels)
        return refined if self.gain(refined, n) > self.gain(best, n) else best
