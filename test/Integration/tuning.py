# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tuning of a chain of dense layers once more in NumPy, written from docs/Accuracy.md, "Tuning"."""

import re

import numpy as np

MAX_STEPS, MAX_ROUNDS, BATCH, REVIEWS, HELD_EVERY = 400, 40, 32, 16, 4
SCALE_RATE, BIAS_RATE = 0.002, 0.008


def mix(x):
    """SplitMix64."""
    mask = (1 << 64) - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


def dense(text, kind, dtype):
    """The values of `kind(dense<..>`."""
    values = re.search(rf'\b{kind}\(dense<(.*?)> : tensor<([\dx]+)x', text)
    shape = [int(n) for n in values[2].split("x")]
    if values[1].startswith('"'):
        return np.frombuffer(bytes.fromhex(values[1][3:-1]), dtype).reshape(shape)
    numbers = [float(n) for n in re.findall(r"[-+.\de]+", values[1])]
    return np.full(shape, numbers[0], dtype) if len(numbers) == 1 else np.array(numbers, dtype).reshape(shape)


class Layer:
    """A layer of `--emit=cim` with one block."""

    def __init__(self, matrix, mvm):
        self.weights = dense(matrix, "weights", np.int8).astype(float)
        self.gain = float(re.search(r"gain (\S+)", matrix)[1])
        self.scale, self.bias = dense(mvm, "scale", float), dense(mvm, "bias", float)
        self.deviation = dense(mvm, "deviation", float)
        self.is_relu = "clamp[0.0" in mvm
        bounds = [(int(lo), int(hi), float(s)) for lo, hi, s in re.findall(r"uniform<\w+<(-?\d+):(\d+)>:f32, ([^>]+)>", mvm)]
        self.input, self.output = bounds[0], bounds[1] if len(bounds) > 1 else None


def read_layers(path):
    text = path.read_text()
    matrices = {m[1]: m[0] for m in re.finditer(r"cim\.matrix @(\S+) .*?\n  }", text, re.S)}
    return [Layer(matrices[m[1]], m[0]) for m in re.finditer(r"cim\.mvm @([^\s(]+)\(.*", text)]


def log_softmax(y):
    shifted = y - y.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


class Network:
    """What layers make of inputs, and the gradients of its loss."""

    def __init__(self, layers, classes, energy):
        self.layers, self.classes, self.energy = layers, classes, energy

    def loss(self, x, target, parameters):
        """Of each sample; fills in what `gradient` needs."""
        lo, hi, scale = self.layers[0].input
        x = np.clip(np.rint(x.astype(np.float32) * np.float32(1 / np.float32(scale))), lo, hi).astype(float)
        self.steps = []
        for layer, (factors, shifts) in zip(self.layers, parameters):
            sums = x @ layer.weights
            found = np.clip(np.rint(sums * layer.gain), -32, 31) / layer.gain
            unit = layer.output[2] if layer.output else 1
            y = found * layer.scale * unit * np.exp(factors) + (layer.bias + shifts * layer.deviation) * unit
            passes = np.ones_like(y)
            if layer.is_relu:
                passes, y = y >= 0, np.maximum(y, 0)
            self.steps.append((layer, found, factors, unit, passes))
            if layer.output:
                lo, hi, scale = layer.output
                passes &= (y >= lo * scale) & (y <= hi * scale)
                x = np.clip(np.rint(y / scale), lo, hi)
        self.y, self.target = y, target
        loss = ((y - target) ** 2).mean(1) / self.energy
        if self.classes:
            wanted = log_softmax(target)
            loss += (np.exp(wanted) * (wanted - log_softmax(y))).sum(1)
        return loss

    def gradient(self):
        """The mean over samples, per layer of factors and of shifts."""
        g = 2 * (self.y - self.target) / self.y.shape[1] / self.energy
        if self.classes:
            g += np.exp(log_softmax(self.y)) - np.exp(log_softmax(self.target))
        gradients = []
        for layer, found, factors, unit, passes in reversed(self.steps):
            g = g * passes
            scale = layer.scale * unit * np.exp(factors)
            gradients.insert(0, ((g * found * scale).mean(0), (g * layer.deviation * unit).mean(0)))
            g = (g * scale) @ layer.weights.T / layer.input[2]
        return gradients


def tune(network, x, target):
    """Parameters, and the losses of the samples held back before and after."""
    layers = network.layers
    parameters = [(np.zeros_like(l.scale), np.zeros_like(l.bias)) for l in layers]
    flat = lambda pairs: np.concatenate([a for pair in pairs for a in pair])
    rates = flat([(np.full_like(l.scale, SCALE_RATE), np.full_like(l.bias, BIAS_RATE)) for l in layers])
    mean, square = np.zeros_like(rates), np.zeros_like(rates)

    def split(values):
        ends = np.cumsum([n for l in layers for n in (l.scale.size, l.bias.size)])
        parts = np.split(values, ends[:-1])
        return list(zip(parts[::2], parts[1::2]))

    held = np.arange(HELD_EVERY - 1, len(x), HELD_EVERY)
    seen = [i for i in range(len(x)) if i % HELD_EVERY != HELD_EVERY - 1]
    size, order = min(BATCH, len(seen)), []
    steps = min(MAX_STEPS, MAX_ROUNDS * len(seen) // size)
    theta = flat(parameters)
    review = lambda: network.loss(x[held], target[held], split(theta))
    first = best = review()
    chosen = theta.copy()
    for step in range(steps):
        if len(order) < size:
            order = list(seen)
            for i in range(len(order) - 1, 0, -1):
                j = mix(step << 32 | i) % (i + 1)
                order[i], order[j] = order[j], order[i]
        batch, order = order[-size:], order[:-size]
        network.loss(x[batch], target[batch], split(theta))
        g = flat(network.gradient())
        mean += 0.1 * (g - mean)
        square += 0.001 * (g * g - square)
        rate = (1 + np.cos(np.pi * step / steps)) / 2
        deviation = np.sqrt(square / (1 - 0.999 ** (step + 1)))
        theta = theta - rate * rates * mean / (1 - 0.9 ** (step + 1)) / (deviation + 1e-8)
        if (step + 1) * REVIEWS // steps > step * REVIEWS // steps and (loss := review()).mean() < best.mean():
            best, chosen = loss, theta.copy()
    gains = first - best
    if not gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)):
        chosen = flat(parameters)
    return split(chosen), first.mean(), best.mean()
