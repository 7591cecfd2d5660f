// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-set-adc-gain | FileCheck %s
// RUN: cim-opt %s --cim-set-adc-gain=sigmas=8 | FileCheck %s --check-prefix=WIDE
// RUN: cim-opt %s --cim-set-adc-gain --cim-verify-phase=phase=calibrated
// RUN: not cim-opt %s --cim-set-adc-gain=sigmas=0 2>&1 | FileCheck %s --check-prefix=ZERO

// ZERO: error: expected a positive number of deviations as 'sigmas', but got 0

module attributes {nn.batch = 1 : i64} {

// Inputs to 64, 4 rows of 1, adc_hi 31: 31 / (4 * 64 / 4 * sqrt(4)) = 31 / 128.
// CHECK-LABEL: cim.matrix @used
// CHECK-NEXT: gain 0.2421875
// WIDE-LABEL: cim.matrix @used
// WIDE-NEXT: gain 0.12109375
cim.matrix @used weights(dense<1> : tensor<4x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x4x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 4 columns 0 count 1
}

// Cells that share an input add up before they are squared: 31 / (64 * 2).
// CHECK-LABEL: cim.matrix @unary
// CHECK-NEXT: gain 0.2421875
cim.matrix @unary weights(dense<2> : tensor<1x1xi8>) levels 2 groups 1
    split unary planes(dense<1> : tensor<2x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 1
}

// Small sums are digitised one to one, empty blocks too; a gain that is there
// stays.
// CHECK-LABEL: cim.matrix @small
// CHECK-NEXT: gain 1.000000e+00
// CHECK-NEXT: gain 1.000000e+00
// CHECK-NEXT: gain 3.000000e+00
cim.matrix @small weights(dense<[[1, 0, 1]]> : tensor<1x3xi8>) levels 1 groups 1
    split radix planes(dense<[[[1, 0, 1]]]> : tensor<1x1x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 1
  cim.block plane 0 rows 0 count 1 columns 1 count 1
  cim.block plane 0 rows 0 count 1 columns 2 count 1 gain 3.0
}

// Nothing says what streams through: the largest input of the target, 127.
// CHECK-LABEL: cim.matrix @unused
// CHECK-NEXT: gain 0.122047246
cim.matrix @unused weights(dense<1> : tensor<4x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x4x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 4 columns 0 count 1
}

func.func @main(%x: tensor<1x1x1x4x!quant.uniform<u8<0:64>:f32, 0.1>>, %y: tensor<1x1x1x1x!quant.uniform<u8<0:64>:f32, 0.1>>,
                %z: tensor<1x1x1x1x!quant.uniform<u8<0:7>:f32, 0.1>>) {
  %0 = cim.mvm @used(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x4x!quant.uniform<u8<0:64>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  %1 = cim.mvm @unary(%y) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:64>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  %2 = cim.mvm @small(%z) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<3xf64>) bias(dense<0.0> : tensor<3xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:7>:f32, 0.1>>) -> tensor<1x1x1x3xf32>
  return
}

}
