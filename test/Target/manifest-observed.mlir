// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-translate --cim-to-manifest %s | FileCheck %s

// In the order of their numbers, named after nodes.
// CHECK:      "observed": [
// CHECK:          "name": "first"
// CHECK:          "name": "second"
// CHECK:      "outputs"
module attributes {nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %a = nn.relu(%x) : tensor<1x4xf32> loc("first")
    %b = nn.floor(%a) : tensor<1x4xf32> loc("second")
    nn.observe(%b) value 1 : tensor<1x4xf32>
    nn.observe(%a) value 0 : tensor<1x4xf32>
    return %b : tensor<1x4xf32>
  }
}
