// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.ones((4, 2), 'f4'))"
// RUN: not cim-opt %s --nn-compensate-weights="data=%t.npy cells=0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not cim-opt %s --nn-compensate-weights="data=%t.npy cells=6 split=radix" 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not cim-opt %s --nn-compensate-weights="data=%t.npy target=host" 2>&1 | FileCheck %s --check-prefix=HOST
// RUN: not cim-opt %s --nn-compensate-weights="data=%t-none.npy" 2>&1 | FileCheck %s --check-prefix=FILE

// ZERO: error: expected cells per weight as a number from 1 to 127
// MANY: error: {{.*}}6 cells hold weights beyond 127
// HOST: error: target 'host' has no arrays
// FILE: error: calibration data {{[^ ]*}}-none.npy: cannot open
module attributes {nn.model = "net", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x", nn.range = array<f32: -1.0, 1.0>}) -> (tensor<1x2xf32> {nn.name = "y"}) {
    %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %y = nn.matmul(%x, %w) {nn.mean = dense<0.0> : tensor<2xf64>, nn.deviation = dense<1.0> : tensor<2xf64>}
        : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
