// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A layer behind a transpose would see samples interleaved when many run at
// once: they run one by one.
// RUN: %python -c "import numpy as n; x = n.array(list(n.ndindex(2, 2, 2, 2)), 'f4') * 2 - 1; n.save('%t.npy', x[:, [[0, 1, 1], [2, 3, 3]]])"
// RUN: cim-opt %s --nn-compensate-weights="data=%t.npy cells=1" | FileCheck %s

// The last two inputs are the same: one weight does for both.
// CHECK: nn.constant dense<{{\[\[}}1], [1], [0]]>
module attributes {nn.model = "apart", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2x3xf32> {nn.name = "x", nn.range = array<f32: -1.0, 1.0>}) -> (tensor<1x2x1xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[1.0], [0.45], [0.45]]> : tensor<3x1xf32>
    %0 = nn.transpose(%x) {permutation = array<i64: 1, 0, 2>} : (tensor<1x2x3xf32>) -> tensor<2x1x3xf32>
    %1 = nn.matmul(%0, %w) {nn.mean = dense<0.0> : tensor<1xf64>, nn.deviation = dense<1.35> : tensor<1xf64>}
        : (tensor<2x1x3xf32>, tensor<3x1xf32>) -> tensor<2x1x1xf32>
    %2 = nn.transpose(%1) {permutation = array<i64: 1, 0, 2>} : (tensor<2x1x1xf32>) -> tensor<1x2x1xf32>
    return %2 : tensor<1x2x1xf32>
  }
}
