// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a call of the network itself interleaves samples, weights are only
// rounded, later.
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.ones((4, 2, 3), 'f4'))"
// RUN: cim-opt %s --nn-compensate-weights="data=%t.npy cells=1" -verify-diagnostics | FileCheck %s

// CHECK: nn.matmul({{.*}}, tensor<3x1xf32>)
// expected-remark @below {{layers see samples interleaved: the integers nearest to the weights stay; import with one sample per call}}
module attributes {nn.model = "interleaved", nn.batch = 2 : i64} {
  func.func @main(%x: tensor<2x2x3xf32> {nn.name = "x", nn.range = array<f32: -1.0, 1.0>}) -> (tensor<2x2x1xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[1.0], [0.45], [0.45]]> : tensor<3x1xf32>
    %0 = nn.transpose(%x) {permutation = array<i64: 1, 0, 2>} : (tensor<2x2x3xf32>) -> tensor<2x2x3xf32>
    %1 = nn.matmul(%0, %w) {nn.mean = dense<0.0> : tensor<1xf64>, nn.deviation = dense<1.35> : tensor<1xf64>}
        : (tensor<2x2x3xf32>, tensor<3x1xf32>) -> tensor<2x2x1xf32>
    %2 = nn.transpose(%1) {permutation = array<i64: 1, 0, 2>} : (tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
    return %2 : tensor<2x2x1xf32>
  }
}
