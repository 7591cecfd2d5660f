// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.array([[1, 2], [-3, 0]], 'f4'))"
// RUN: cim-opt %s --nn-calibrate="data=%t.npy range=minmax" | FileCheck %s
// RUN: cim-opt %s --nn-calibrate | FileCheck %s --check-prefix=NODATA

// The samples give (7, 10) and (-3, -6).
// CHECK: @main(%{{.*}}: tensor<1x2xf32> {nn.name = "x", nn.range = array<f32: -3.000000e+00, 2.000000e+00>})
// CHECK: nn.matmul
// CHECK-SAME: nn.deviation = dense<[5.000000e+00, 8.000000e+00]> : tensor<2xf64>
// CHECK-SAME: nn.mean = dense<2.000000e+00> : tensor<2xf64>

// NODATA-NOT: nn.range
// NODATA-NOT: nn.mean
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
