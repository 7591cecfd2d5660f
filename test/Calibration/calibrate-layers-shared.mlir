// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy as n; n.savez('%t.npz', x=n.array([[62, 0], [-62, 0]], 'f4'), y=n.array([[1, 1], [-1, -1]], 'f4'))"
// RUN: cim-opt %s --cim-calibrate-layers="data=%t.npz" | FileCheck %s

// The first use needs a gain of at most 31 / 62 to fit, the second would take 1:
// codes are even then, and 62 and 2 are. Statistics are those of each use.
// CHECK: gain 5.000000e-01
// CHECK: cim.mvm @fc({{.*}} scale(dense<2.500000e-01> : tensor<1xf64>) bias(dense<1.000000e+00> : tensor<1xf64>)
// CHECK: cim.mvm @fc({{.*}} scale(dense<1.500000e+00> : tensor<1xf64>) bias(dense<-2.000000e+00> : tensor<1xf64>)
!q = !quant.uniform<i8<-63:63>:f32, 1.0>
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  cim.matrix @fc weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
      split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
    cim.block plane 0 rows 0 count 2 columns 0 count 1
  }
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}, %y: tensor<1x2xf32> {nn.name = "y"}) -> (tensor<1x1xf32> {nn.name = "z"}) {
    %q = nn.quantize(%x) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!q>
    %r = nn.reshape(%q) : (tensor<1x2x!q>) -> tensor<1x1x1x2x!q>
    %m = cim.mvm @fc(%r) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
        scale(dense<0.5> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>)
        clamp [0xFF800000, 0x7F800000] nearest_even
        mean(dense<1.0> : tensor<1xf64>) deviation(dense<15.5> : tensor<1xf64>)
        : (tensor<1x1x1x2x!q>) -> tensor<1x1x1x1xf32>
    %p = nn.quantize(%y) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!q>
    %s = nn.reshape(%p) : (tensor<1x2x!q>) -> tensor<1x1x1x2x!q>
    %n = cim.mvm @fc(%s) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
        scale(dense<0.5> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>)
        clamp [0xFF800000, 0x7F800000] nearest_even
        mean(dense<-2.0> : tensor<1xf64>) deviation(dense<3.0> : tensor<1xf64>)
        : (tensor<1x1x1x2x!q>) -> tensor<1x1x1x1xf32>
    %0 = nn.add(%m, %n) : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
    %z = nn.reshape(%0) : (tensor<1x1x1x1xf32>) -> tensor<1x1xf32>
    return %z : tensor<1x1xf32>
  }
}
