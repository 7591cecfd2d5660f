#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Train the small residual network in fashion-resnet.onnx on Fashion-MNIST.

Dependencies (Debian 12, CPU only, nothing outside the distribution):

    apt-get install --no-install-recommends python3-torch python3-numpy dataset-fashion-mnist

Run (with Debian's interpreter, which is the one that sees python3-torch):

    /usr/bin/python3 models/train_fashion_resnet.py --output models/fashion-resnet.onnx

The defaults (20 epochs, seed 1) take about 11.5 minutes on two CPU cores and
reach 93.72 % top-1 on the 10,000 test images.  On one machine a seed
repeats bit for bit (checked on a short trial); another CPU may round otherwise.

The exported file takes `image` (N x 1 x 28 x 28, float32, pixel / 255) and
returns `logits` (N x 10).  Its BatchNormalization nodes are deliberately kept
apart from the convolutions, so that the compiler has them to fold.
"""

import argparse
import copy
import gzip
import pathlib
import struct
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def read_idx(path):
    """Returns the uint8 array in a gzipped IDX file."""
    with gzip.open(path) as f:
        data = f.read()
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    array = np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)
    return torch.from_numpy(array.copy())


def load(folder, split):
    """Returns (images in [0, 1], labels) of the split 'train' or 't10k'."""
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
    return images.float().div(255).unsqueeze(1), labels.long()


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut (1x1 where the shape changes)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.shortcut = None
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )
            # It would always equal bn2's bias, to which it is added; and the
            # exporter would merge the two with an Identity node.
            self.shortcut[1].bias.requires_grad_(False)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    def __init__(self, widths=(16, 32, 64), blocks=(1, 1, 2)):
        super().__init__()
        self.conv = nn.Conv2d(1, widths[0], 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(widths[0])
        layers, c_in = [], widths[0]
        for stage, (c_out, count) in enumerate(zip(widths, blocks)):
            for i in range(count):
                layers.append(Block(c_in, c_out, 2 if stage and i == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c_in, 10)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x)))
        return self.fc(torch.flatten(self.pool(self.blocks(x)), 1))


def augment(x, pad=2):
    """Shifts each image by up to `pad` pixels and mirrors half of them."""
    n, _, h, w = x.shape
    rows = torch.arange(h) + torch.randint(2 * pad + 1, (n, 1))
    cols = torch.arange(w) + torch.randint(2 * pad + 1, (n, 1))
    cols = torch.where(torch.rand(n, 1) < 0.5, cols.flip(1), cols)
    padded = F.pad(x, (pad,) * 4).squeeze(1)
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], cols[:, None]].unsqueeze(1)


@torch.no_grad()
def update_average(average, model, decay):
    """Moves the exponential moving average of the weights towards `model`."""
    for a, m in zip(average.state_dict().values(), model.state_dict().values()):
        a.lerp_(m, 1 - decay) if a.is_floating_point() else a.copy_(m)


@torch.no_grad()
def accuracy(model, images, labels):
    model.eval()
    hits = sum(
        (model(x).argmax(1) == y).sum().item()
        for x, y in zip(images.split(500), labels.split(500))
    )
    return 100.0 * hits / len(labels)


def export(model, path):
    torch.onnx.export(
        copy.deepcopy(model).to(memory_format=torch.contiguous_format).eval(),
        torch.zeros(2, 1, 28, 28),
        path,
        opset_version=17,
        # Both are needed to keep the BatchNormalization nodes in the file.
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
    )


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--data", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist")
    p.add_argument("--output", default="fashion-resnet.onnx")
    p.add_argument("--checkpoint", help="file to save the state to after each epoch")
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--lr", type=float, default=0.2, help="peak learning rate")
    p.add_argument("--weight-decay", type=float, default=5e-4)
    p.add_argument("--blocks", type=int, nargs=3, default=(1, 1, 2),
                   help="residual blocks per stage")
    p.add_argument("--limit", type=int, help="train on the first LIMIT images only (for a trial)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    images, labels = (t[: args.limit] for t in load(args.data, "train"))
    test_images, test_labels = load(args.data, "t10k")

    model = ResNet(blocks=args.blocks).to(memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    print(sum(q.numel() for q in model.parameters()), "parameters", flush=True)

    # Weight decay is for the weights, not for the biases and the BatchNorms.
    weights = [q for q in model.parameters() if q.ndim > 1]
    others = [q for q in model.parameters() if q.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": weights, "weight_decay": args.weight_decay}, {"params": others}],
        lr=args.lr, momentum=0.9, nesterov=True,
    )
    steps = len(images) // args.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, args.lr, epochs=args.epochs, steps_per_epoch=steps, pct_start=0.2,
        cycle_momentum=False,
    )

    start, step = time.time(), 0
    for epoch in range(args.epochs):
        model.train()
        order, total = torch.randperm(len(images)), 0.0
        for i in range(steps):
            index = order[i * args.batch : (i + 1) * args.batch]
            x = augment(images[index]).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(x), labels[index], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            update_average(average, model, min(0.998, step / (step + 10)))
            total += loss.item()
        # The test accuracy is only reported: nothing is chosen by it.
        print(
            f"epoch {epoch + 1:2d}  loss {total / steps:.4f}"
            f"  test {accuracy(average, test_images, test_labels):.2f} %"
            f"  {time.time() - start:.0f} s",
            flush=True,
        )
        if args.checkpoint:
            state = {"epoch": epoch, "model": model.state_dict(), "average": average.state_dict()}
            torch.save(state, args.checkpoint)

    export(average, args.output)


if __name__ == "__main__":
    main()
