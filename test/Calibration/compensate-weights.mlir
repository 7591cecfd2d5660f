// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy as n; x = n.array(list(n.ndindex(2, 2, 2)), 'f4') * 2 - 1; n.savez('%t.npz', x=x, y=n.stack([x[:, 0], x[:, 1], x[:, 1]], 1) * 2)"
// RUN: cim-opt %s --nn-compensate-weights="data=%t.npz cells=1" -verify-diagnostics | FileCheck %s --enable-var-scope
// RUN: cim-opt %s --nn-compensate-weights="data=%t.npz cells=1 split=residual" | FileCheck %s --check-prefix=NONE --implicit-check-not=!quant
// RUN: cim-opt %s --nn-compensate-weights | FileCheck %s --check-prefix=NONE --implicit-check-not=!quant

// Alone, 1.0, 0.45 and 0.45 are nearest to 1 times one scale. But the last two
// inputs of %y are the same: one weight does for both, and the first of them
// comes first. Column 1 is nothing but its bias.
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[}}1, 0], [1, 0], [0, 0]]> {{.*}}tensor<3x2x!quant.uniform<i8<-1:1>:f32:1, {0.9{{[0-9]*}},1.0{{[0-9e+]*}}}>>
// CHECK-DAG: nn.matmul(%arg1, %[[W]]) {nn.deviation = dense<[2.6{{[0-9]*}}, 0.000000e+00]>

// What both layers read decides where they share weights, though %x does not
// vary like that; %y is twice as large.
// CHECK-DAG: %[[V:.*]] = nn.constant dense<{{\[\[}}1], [1], [0]]> {{.*}}tensor<3x1x!quant.uniform<i8<-1:1>:f32:1, {0.{{[89][0-9]*}}}>>
// CHECK-DAG: nn.matmul(%arg0, %[[V]])
// CHECK-DAG: nn.matmul(%arg1, %[[V]])

// NONE: nn.matmul
module attributes {nn.model = "net", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x3xf32> {nn.name = "x", nn.range = array<f32: -1.0, 1.0>},
                  %y: tensor<1x3xf32> {nn.name = "y", nn.range = array<f32: -2.0, 2.0>})
      -> (tensor<1x2xf32> {nn.name = "a"}, tensor<1x1xf32> {nn.name = "b"}) {
    %w = nn.constant dense<[[1.0, 0.0], [0.45, 0.0], [0.45, 0.0]]> : tensor<3x2xf32>
    %v = nn.constant dense<[[1.0], [0.45], [0.45]]> : tensor<3x1xf32>
    // expected-remark @below {{1 of 2 channels never vary on the calibration data}}
    %0 = nn.matmul(%y, %w) {nn.mean = dense<0.0> : tensor<2xf64>, nn.deviation = dense<[2.69, 0.0]> : tensor<2xf64>}
        : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
    %1 = nn.matmul(%x, %v) {nn.mean = dense<0.0> : tensor<1xf64>, nn.deviation = dense<1.19> : tensor<1xf64>}
        : (tensor<1x3xf32>, tensor<3x1xf32>) -> tensor<1x1xf32>
    %2 = nn.matmul(%y, %v) {nn.mean = dense<0.0> : tensor<1xf64>, nn.deviation = dense<2.69> : tensor<1xf64>}
        : (tensor<1x3xf32>, tensor<3x1xf32>) -> tensor<1x1xf32>
    %3 = nn.add(%1, %2) : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    return %0, %3 : tensor<1x2xf32>, tensor<1x1xf32>
  }
}
