# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole networks and their data: models/ of this project and CIM_DATA_DIR."""

import gzip
import pathlib
import subprocess
import sys

import numpy as np
import onnx

import tools

FASHION = tools.ROOT / "models" / "fashion-resnet.onnx"
FASHION_DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")


def path_of(name, data_dir):
    return FASHION if name == "fashion-resnet" else data_dir / "models" / f"{name}.onnx"


def _fashion_folder():
    """Where Debian's dataset-fashion-mnist put its files."""
    listed = subprocess.run(["dpkg", "-L", "dataset-fashion-mnist"], capture_output=True, text=True).stdout
    return next((pathlib.Path(l).parent for l in listed.splitlines() if l.endswith("t10k-images-idx3-ubyte.gz")), None)


def fashion_data(split, limit):
    """(x, labels) of Debian's Fashion-MNIST, or None when it is not installed."""
    folder = _fashion_folder()
    if folder is None:
        return None
    prefix = "t10k" if split == "test" else "train"
    images = gzip.decompress((folder / f"{prefix}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:limit].astype(np.float32) / 255
    return x, np.frombuffer(labels, np.uint8, offset=8)[:limit].astype(np.int64)


def real_data(name, data_dir, folder, split="test", limit=1000):
    """(x, labels or None) through the data folder's own load.py."""
    prefix = folder / f"{name}-{split}-{limit}"
    subprocess.run(
        [sys.executable, data_dir / "load.py", name, "--split", split, "--limit", str(limit), "-o", prefix],
        check=True,
        capture_output=True,
    )
    labels = pathlib.Path(f"{prefix}.y.npy")
    return np.load(f"{prefix}.x.npy"), np.load(labels) if labels.exists() else None


FREE = 48  # extent of a dimension that a file leaves open, unless it is the batch


def input_of(model):
    """(name, element type, [dims], free dimensions) of the only input that is no initializer; a free batch is 1."""
    stored = {t.name for t in model.graph.initializer}
    (info,) = [i for i in model.graph.input if i.name not in stored]
    kind = info.type.tensor_type
    dims = [d.dim_value or (FREE if i else 1) for i, d in enumerate(kind.shape.dim)]
    free = {i for i, d in enumerate(kind.shape.dim) if not d.HasField("dim_value")}
    return info.name, kind.elem_type, dims, free


def shape_option(model, batch):
    """--shape that binds free dimensions, the batch to `batch`; nothing for a file that leaves none open."""
    name, _, dims, free = input_of(model)
    dims[0] = batch if 0 in free else dims[0]
    return ["--shape", f"{name}={'x'.join(map(str, dims))}"] if free else []


def random_data(model, samples, seed=0):
    _, _, dims, _ = input_of(model)
    return np.random.default_rng(seed).normal(0, 1, (samples, *dims[1:])).astype(np.float32)


PIXELS = {"yunet_n_320_320"}  # networks of numbers from 0 to 255


def samples_of(name, model, data_dir, folder, count, split="test"):
    """Samples of the network's data set where there is one, else normal random numbers."""
    try:
        x = real_data(name, data_dir, folder, split, count)[0]
    except (subprocess.CalledProcessError, ValueError):  # networks.json says that there is none, or sizes differ
        x = None
    fits = x is not None and list(x.shape[1:]) == input_of(model)[2][1:]
    if fits:
        return x
    x = random_data(model, count)
    return np.clip(128 + 64 * x, 0, 255) if name in PIXELS else x


def load(path):
    return onnx.load(path)
