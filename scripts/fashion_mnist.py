#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write Fashion-MNIST (Debian package dataset-fashion-mnist) as NumPy files.

  fashion_mnist.py --split test|train [--limit N] -o PREFIX
writes PREFIX.x.npy, float32 [N, 1, 28, 28] from 0 to 1, and PREFIX.y.npy, int64 [N].
"""
import argparse
import gzip
import pathlib

import numpy as np

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")


def read_idx(path):
    """The array of an IDX file (gzip), as the MNIST home page describes it."""
    with gzip.open(path) as file:
        data = file.read()
    rank = data[3]
    shape = np.frombuffer(data, ">u4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(split, limit=None):
    """Images scaled to 0..1 and labels of a split."""
    stem = "t10k" if split == "test" else "train"
    images = read_idx(FOLDER / f"{stem}-images-idx3-ubyte.gz")
    labels = read_idx(FOLDER / f"{stem}-labels-idx1-ubyte.gz")
    x = images[:limit, None].astype(np.float32) / np.float32(255)
    return x, labels[:limit].astype(np.int64)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["train", "test"], default="test")
    parser.add_argument("--limit", type=int)
    parser.add_argument("-o", dest="prefix", required=True)
    options = parser.parse_args()
    x, y = load(options.split, options.limit)
    np.save(options.prefix + ".x.npy", x)
    np.save(options.prefix + ".y.npy", y)


if __name__ == "__main__":
    main()
