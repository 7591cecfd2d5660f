// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy as n; x = n.zeros((4, 1, 2, 2), 'f4'); x[1] = 1; x[2, 0, 0, 0] = -5; x[3] = [[1, 2], [3, 4]]; n.savez('%t.npz', x=x, other=n.zeros((4, 1, 2, 2), 'f4')); n.save('%t-long.npy', n.arange(40000).reshape(10000, 1, 2, 2).astype('f4') / 4e4)"
// RUN: cim-opt %s --nn-calibrate="data=%t.npz range=minmax" | FileCheck %s
// RUN: cim-opt %s --nn-calibrate="data=%t.npz range=minmax samples=2" | FileCheck %s --check-prefix=TWO
// RUN: cim-opt %s --nn-calibrate="data=%t-long.npy range=percentile samples=10000" | FileCheck %s --check-prefix=PERCENTILE
// RUN: cim-opt %s --nn-calibrate="data=%t-long.npy samples=10000" | FileCheck %s --check-prefix=MSE

// The pool moves data: the range belongs to the ReLU.
// CHECK: nn.range = array<f32: -5.000000e+00, 4.000000e+00>
// CHECK: nn.conv
// CHECK-SAME: nn.deviation = dense<[3.05930{{[0-9]*}}, 0.000000e+00, 0.60000{{[0-9]*}}]> : tensor<3xf64>
// CHECK-SAME: nn.mean = dense<[1.125000e+00, 0.000000e+00, -0.07499{{[0-9]*}}]> : tensor<3xf64>
// CHECK: nn.relu{{.*}}nn.range = array<f32: 0.000000e+00, 6.000000e+00>
// CHECK: nn.max_pool
// CHECK-NOT: nn.range
// CHECK: nn.conv{{.*}}nn.mean = dense<

// TWO: nn.range = array<f32: 0.000000e+00, 1.000000e+00>
// TWO: nn.relu{{.*}}nn.range = array<f32: 0.000000e+00, 2.000000e+00>

// Evenly spread values: the 99.99 % quantile, and no gain from clipping.
// PERCENTILE: nn.range = array<f32: 0.000000e+00, 0.999899{{[0-9]*}}>
// MSE: nn.range = array<f32: 0.000000e+00, 9.999750e-01>
module attributes {nn.model = "net", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x1x2x2xf32> {nn.name = "x"}) -> (tensor<1x1x1x1xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[[[1.0], [1.0]]], [[[0.0], [0.0]]], [[[0.3], [0.0]]]]> : tensor<3x1x2x1xf32>
    %b = nn.constant dense<[0.0, 0.0, -0.075]> : tensor<3xf32>
    %v = nn.constant dense<[[[[0.3]], [[0.7]], [[0.45]]]]> : tensor<1x3x1x1xf32>
    %0 = nn.conv(%x, %w, %b) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
        : (tensor<1x1x2x2xf32>, tensor<3x1x2x1xf32>, tensor<3xf32>) -> tensor<1x3x1x2xf32>
    %1 = nn.relu(%0) : tensor<1x3x1x2xf32>
    %2 = nn.max_pool(%1) {kernel = array<i64: 1, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
        : (tensor<1x3x1x2xf32>) -> tensor<1x3x1x1xf32>
    %3 = nn.conv(%2, %v) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
        : (tensor<1x3x1x1xf32>, tensor<1x3x1x1xf32>) -> tensor<1x1x1x1xf32>
    return %3 : tensor<1x1x1x1xf32>
  }
}
