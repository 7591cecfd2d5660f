// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.array([[1, 2], [3e10, 0]], 'f4'))"
// RUN: not cim-opt %s --nn-calibrate="data=%t.npy" 2>&1 | FileCheck %s

// What overflows first is named, not what follows from it.
// CHECK: [[@LINE+5]]:{{.*}}error: expected finite values on the calibration data, but got infinite ones or NaN
// CHECK-NOT: error:
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[1.0e30, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    %1 = nn.relu(%0) : tensor<1x2xf32>
    %y = nn.matmul(%1, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
