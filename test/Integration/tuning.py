# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tuning of a chain of dense layers once more in NumPy, written from docs/Accuracy.md, "Tuning". Inputs are samples x
rows, or samples x windows x rows."""

import copy
import re

import numpy as np

MAX_STEPS, MAX_ROUNDS, REVIEWS, HELD_EVERY = 400, 40, 16, 4
CALLS_PER_STEP, MOST_PER_STEP, WINDOWS_PER_STEP = 4, 32, 1024
SCALE_RATE, BIAS_RATE = 0.002, 0.008
FEWEST_CELL_STEPS, MOST_CELL_STEPS, WANTED_PRODUCTS = 2000, 12000, 2**37
STEPS_PER_ROUNDING, MIXTURES_PER_SAMPLE = 5, 16
CELL_RATE, RATE_WHILE_ROUNDING = 0.012, 0.5
ALL_REAL, ROUNDING_POWER = 0.1, 3
CELL_LIMIT = 1
CODES = -32, 31


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
    """A layer of `--emit=cim` with one block of one cell per weight."""

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
    shifted = y - y.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def distance(y, target, energy, classes):
    """Of outputs from those of the float network, by sample."""
    loss = ((y - target) ** 2).mean(-1) / energy
    if classes:
        wanted = log_softmax(target)
        loss += (np.exp(wanted) * (wanted - log_softmax(y))).sum(-1)
    return loss.mean(tuple(range(1, loss.ndim)))


class Network:
    """What layers make of inputs, and the gradients of its loss."""

    def __init__(self, layers, classes, energy):
        self.layers, self.classes, self.energy = layers, classes, energy

    def loss(self, x, target, parameters, cells=None):
        """Of each sample; fills in what `gradient` needs. `parameters` are factors and shifts of each layer."""
        lo, hi, scale = self.layers[0].input
        x = np.clip(np.rint(x.astype(np.float32) * np.float32(1 / np.float32(scale))), lo, hi).astype(float)
        self.steps = []
        for layer, (factors, shifts), real in zip(self.layers, parameters, cells or [None] * len(self.layers)):
            weights = layer.weights if real is None else real
            codes = x @ weights * layer.gain
            converts = True if real is None else (codes >= CODES[0]) & (codes <= CODES[1])
            found = np.clip(np.rint(codes), *CODES) / layer.gain
            unit = layer.output[2] if layer.output else 1
            y = found * layer.scale * unit * np.exp(factors) + (layer.bias + shifts * layer.deviation) * unit
            passes = np.ones_like(y)
            if layer.is_relu:
                passes, y = y >= 0, np.maximum(y, 0)
            self.steps.append((layer, x, weights, converts, found, factors, unit, passes))
            if layer.output:
                lo, hi, scale = layer.output
                passes &= (y >= lo * scale) & (y <= hi * scale)
                x = np.clip(np.rint(y / scale), lo, hi)
        self.y, self.target = y, target
        return distance(y, target, self.energy, self.classes)

    def gradient(self):
        """The mean over samples, per layer of factors, of shifts and of cells."""
        flat = lambda values: values.reshape(-1, values.shape[-1])
        g = 2 * (self.y - self.target) / self.y.shape[-1] / self.energy
        if self.classes:
            g += np.exp(log_softmax(self.y)) - np.exp(log_softmax(self.target))
        gradients = []
        for layer, x, weights, converts, found, factors, unit, passes in reversed(self.steps):
            g = g * passes
            scale = layer.scale * unit * np.exp(factors)
            products = g * scale * converts
            tables = [flat(g * found * scale).mean(0), flat(g * layer.deviation * unit).mean(0)]
            gradients.insert(0, (*tables, flat(x).T @ flat(products) / len(flat(x))))
            g = products @ weights.T / layer.input[2]
        return gradients


def flatten(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


class Parameters:
    """Factors, shifts and perhaps cells of all layers as one vector, and Adam on it."""

    def __init__(self, layers, with_cells):
        zeros = [np.zeros_like(table) for layer in layers for table in (layer.scale, layer.bias)]
        self.arrays = zeros + ([layer.weights.copy() for layer in layers] if with_cells else [])
        rates = [SCALE_RATE, BIAS_RATE] * len(layers) + [CELL_RATE] * len(layers)
        self.rates = flatten(np.full_like(a, rate) for a, rate in zip(self.arrays, rates))
        self.mean, self.square, self.steps = np.zeros_like(self.rates), np.zeros_like(self.rates), 0
        self.count = len(layers)

    def tables(self):
        return list(zip(self.arrays[0 : 2 * self.count : 2], self.arrays[1 : 2 * self.count : 2]))

    def cells(self):
        return self.arrays[2 * self.count :]

    def step(self, gradients, factor):
        tables = [table for layer in gradients for table in layer[:2]]
        g = flatten((tables + [layer[2] for layer in gradients])[: len(self.arrays)])
        self.steps += 1
        self.mean += 0.1 * (g - self.mean)
        self.square += 0.001 * (g * g - self.square)
        deviation = np.sqrt(self.square / (1 - 0.999**self.steps))
        change = factor * self.rates * self.mean / (1 - 0.9**self.steps) / (deviation + 1e-8)
        ends = np.cumsum([a.size for a in self.arrays])[:-1]
        self.arrays = [a - part.reshape(a.shape) for a, part in zip(self.arrays, np.split(change, ends))]


def batches(samples, x):
    """The samples of every step."""
    size, order, step = count_per_step(samples, x), [], 0
    while True:
        if len(order) < size:
            order = list(samples)
            for i in range(len(order) - 1, 0, -1):
                j = mix(step << 32 | i) % (i + 1)
                order[i], order[j] = order[j], order[i]
        yield order[-size:]
        order, step = order[:-size], step + 1


def count_per_step(samples, x):
    windows = x[0].size // x.shape[-1]
    wanted = WINDOWS_PER_STEP // windows // CALLS_PER_STEP * CALLS_PER_STEP
    return min(max(wanted, CALLS_PER_STEP), MOST_PER_STEP, len(samples))


def is_held(i):
    return i % HELD_EVERY == HELD_EVERY - 1


def divide(x, count):
    """Numbers of samples and of mixtures (behind `count` samples) to learn from, and of those held back, of mixtures as
    many as of samples."""
    return [i for i in range(len(x)) if not is_held(i)], [i for i in range(min(2 * count, len(x))) if is_held(i)]


def changed(layers, tables, cells=None):
    layers = copy.deepcopy(layers)
    for layer, (factors, shifts), own in zip(layers, tables, cells or [l.weights for l in layers]):
        layer.scale, layer.bias, layer.weights = layer.scale * np.exp(factors), layer.bias + shifts * layer.deviation, own
    return layers


def descend(network, x, target, seen, judges):
    """Tables, and the losses of `judges` before and after."""
    parameters = Parameters(network.layers, with_cells=False)
    review = lambda: network.loss(x[judges], target[judges], parameters.tables())
    first = best = review()
    chosen = parameters.tables()
    steps = min(MAX_STEPS, MAX_ROUNDS * len(seen) // count_per_step(seen, x))
    for step, batch in zip(range(steps), batches(seen, x)):
        network.loss(x[batch], target[batch], parameters.tables())
        parameters.step(network.gradient(), (1 + np.cos(np.pi * step / steps)) / 2)
        if (step + 1) * REVIEWS // steps > step * REVIEWS // steps and (loss := review()).mean() < best.mean():
            best, chosen = loss, parameters.tables()
    return chosen, first, best


def is_gain(before, after):
    gains = before - after
    return gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains))


def tune(network, x, target):
    """Layers, and the losses of the samples held back before and after."""
    tables, first, best = descend(network, x, target, *divide(x, len(x)))
    return changed(network.layers, tables) if is_gain(first, best) else network.layers, first, best


def with_mixtures(x):
    """Behind the samples some between any two: of those held back if the mixture is."""
    draw = lambda i: (mix(i) >> 11) * 2.0**-53

    numbers = np.arange(len(x))
    held = np.array([is_held(i) for i in numbers])

    def draw_sample(i, seed):
        among = numbers[held == is_held(i)]
        return among[int(draw(seed) * len(among))]

    found = list(x)
    for i in range(len(x), (1 + MIXTURES_PER_SAMPLE) * len(x)):
        t = np.float32(np.sin(np.pi / 2 * draw(3 * i + 2)) ** 2)
        found.append(t * x[draw_sample(i, 3 * i)] + (np.float32(1) - t) * x[draw_sample(i, 3 * i + 1)])
    return np.array(found)


def round_some(cells, is_round, done):
    """Of every matrix, the cells next to an integer."""
    part = 1 - min(1, (1 - done) / (1 - ALL_REAL)) ** ROUNDING_POWER
    for own, fixed in zip(cells, is_round):
        missing = int(part * own.size) - fixed.sum()
        distance = np.where(fixed, np.inf, abs(own - np.rint(own)))
        chosen = np.unravel_index(np.argsort(distance, axis=None, kind="stable")[: max(missing, 0)], own.shape)
        fixed[chosen], own[chosen] = True, np.rint(own[chosen])


def round_cells(network, x, target, seen):
    """The network with other cells."""
    parameters = Parameters(network.layers, with_cells=True)
    is_round = [np.zeros(cells.shape, bool) for cells in parameters.cells()]
    products = count_per_step(x, x) * x[0].size // x.shape[-1] * sum(cells.size for cells in parameters.cells())
    steps = int(min(max(WANTED_PRODUCTS / products, FEWEST_CELL_STEPS), MOST_CELL_STEPS))
    for step, batch in zip(range(steps), batches(seen, x)):
        if step % STEPS_PER_ROUNDING == 0:
            round_some(parameters.cells(), is_round, step / steps)
        network.loss(x[batch], target[batch], parameters.tables(), parameters.cells())
        parameters.step(network.gradient(), RATE_WHILE_ROUNDING)
        for cells, fixed in zip(parameters.cells(), is_round):
            cells[:] = np.where(fixed, np.rint(cells), np.clip(cells, -CELL_LIMIT, CELL_LIMIT))
    layers = changed(network.layers, parameters.tables(), [np.rint(cells) for cells in parameters.cells()])
    return Network(layers, network.classes, network.energy)


def tune_cells(network, x, target, count):
    """`network` is tuned. Layers, and, of what is held back, whether there is a gain, the losses before and after; if
    there is, the same once more for layers that learn from all."""
    layers, found = network.layers, []
    most, judges = divide(x, count)
    for seen in most, list(range(len(x))):
        rival = Network(layers, network.classes, network.energy)
        before = rival.loss(x[judges], target[judges], Parameters(layers, with_cells=False).tables())
        rounded = round_cells(network, x, target, seen)
        tables, _, after = descend(rounded, x, target, seen, judges)
        found.append((is_gain(before, after), before.mean(), after.mean()))
        if not is_gain(before, after):
            break
        layers = changed(rounded.layers, tables)
    return layers, found
