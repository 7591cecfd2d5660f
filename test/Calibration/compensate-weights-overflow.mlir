// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs too small for a scale of their own get 1; with large weights, and a
// result that is small like the inputs, no scale fits into binary32.
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.full((4, 2), 1e-38, 'f4'))"
// RUN: not cim-opt %s --nn-compensate-weights="data=%t.npy cells=2" 2>&1 | FileCheck %s

// CHECK: error: loc({{.*}}"fc"{{.*}}): expected a scale that binary32 holds, but that of channel 0 is 9.{{.*}}e+45; the weights are too large for the activations
module attributes {nn.model = "net", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x", nn.range = array<f32: 0.0, 1.0e-38>}) -> (tensor<1x2xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[3.0e38, 2.0e38], [3.0, 4.0]]> : tensor<2x2xf32>
    %v = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %0 = nn.matmul(%x, %w) {nn.mean = dense<0.0> : tensor<2xf64>, nn.deviation = dense<1.0> : tensor<2xf64>}
        : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc")
    %1 = nn.relu(%0) {nn.range = array<f32: 0.0, 1.0e-6>} : tensor<1x2xf32>
    %y = nn.matmul(%1, %v) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
