// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.array([[1, 2], [-3, 0]], 'f4'))"
// RUN: cim-opt %s --cim-calibrate-layers="data=%t.npy" | FileCheck %s

// The sums (3, -1) and (-3, 3) fit into 6 bits as they are. Channel 0 has mean 0
// and deviation 1.5 where the float network has 1 and 3: twice the scale, bias 1.
// Channel 1 has 0.5 and 1, as it should.
// CHECK: gain 1.000000e+00
// CHECK: cim.mvm
// CHECK-SAME: scale(dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf64>) bias(dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf64>)
!q = !quant.uniform<i8<-63:63>:f32, 1.0>
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  cim.matrix @fc weights(dense<[[1, -1], [1, 0]]> : tensor<2x2xi8>) levels 1 groups 1
      split radix planes(dense<[[[1, -1], [1, 0]]]> : tensor<1x2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
    cim.block plane 0 rows 0 count 2 columns 0 count 2
  }
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
    %q = nn.quantize(%x) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!q>
    %r = nn.reshape(%q) : (tensor<1x2x!q>) -> tensor<1x1x1x2x!q>
    %m = cim.mvm @fc(%r) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
        scale(dense<0.5> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
        clamp [0xFF800000, 0x7F800000] nearest_even
        mean(dense<[1.0, 0.5]> : tensor<2xf64>) deviation(dense<[3.0, 1.0]> : tensor<2xf64>)
        : (tensor<1x1x1x2x!q>) -> tensor<1x1x1x2xf32>
    %y = nn.reshape(%m) : (tensor<1x1x1x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
}
