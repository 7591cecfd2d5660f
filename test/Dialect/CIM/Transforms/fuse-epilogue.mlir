// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-fuse-epilogue --split-input-file | FileCheck %s

!i = !quant.uniform<i8<-63:63>:f32, 0.5>
!u = !quant.uniform<u8<0:127>:f32, 0.25>

cim.matrix @w weights(dense<1> : tensor<1x2xi8>) levels 1 groups 1 {
}

// CHECK-LABEL: func.func @relu
// CHECK-NEXT: %[[Y:.*]] = cim.mvm {{.*}} clamp{{ *}}[0.000000e+00, 0x7F800000]
// CHECK-NEXT: return %[[Y]] : tensor<1x1x1x2xf32>
func.func @relu(%x: tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32> {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32>
  %1 = nn.relu(%0) : tensor<1x1x1x2xf32>
  return %1 : tensor<1x1x1x2xf32>
}

// The second clamp acts on the ends of the first.
// CHECK-LABEL: func.func @clamps
// CHECK-NEXT: %[[Y:.*]] = cim.mvm {{.*}} clamp{{ *}}[5.000000e-01, 1.000000e+00]
// CHECK-NEXT: return %[[Y]]
func.func @clamps(%x: tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32> {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32>
  %1 = nn.clamp(%0) to [0.5, 6.0] : tensor<1x1x1x2xf32>
  %2 = nn.clamp(%1) to [0.0, 1.0] : tensor<1x1x1x2xf32>
  return %2 : tensor<1x1x1x2xf32>
}

// Everything is divided by 0.25, 6 becomes 24, the end of the range stays out
// of reach; the rounding is that of the quantisation.
// CHECK-LABEL: func.func @quantize
// CHECK-NEXT: %[[Y:.*]] = cim.mvm @w(%{{.*}}) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
// CHECK-SAME: scale(dense<[4.000000e+00, 8.000000e+00]> : tensor<2xf64>) bias(dense<[2.000000e+00, -2.000000e+00]> : tensor<2xf64>)
// CHECK-SAME: clamp{{ *}}[0.000000e+00, 2.400000e+01] floor
// CHECK-SAME: mean(dense<4.000000e+00> : tensor<2xf64>) deviation(dense<8.000000e+00> : tensor<2xf64>)
// CHECK-SAME: -> tensor<1x1x1x2x!quant.uniform<u8<0:127>:f32, 2.500000e-01>>
// CHECK-NEXT: return %[[Y]]
func.func @quantize(%x: tensor<1x1x1x1x!i>) -> tensor<1x1x1x2x!u> {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<[1.0, 2.0]> : tensor<2xf64>) bias(dense<[0.5, -0.5]> : tensor<2xf64>) clamp [-1.0, 6.0] nearest_even
      mean(dense<1.0> : tensor<2xf64>) deviation(dense<2.0> : tensor<2xf64>)
      : (tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32>
  %1 = nn.quantize(%0) floor : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!u>
  return %1 : tensor<1x1x1x2x!u>
}

// Without a clamp the range of the integers is the only bound.
// CHECK-LABEL: func.func @range
// CHECK-NEXT: cim.mvm {{.*}} clamp{{ *}}[-6.300000e+01, 6.300000e+01] nearest_even
// CHECK-NEXT: return
func.func @range(%x: tensor<1x1x1x1x!i>) -> tensor<1x1x1x2x!i> {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32>
  %1 = nn.quantize(%0) nearest_even : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!i>
  return %1 : tensor<1x1x1x2x!i>
}

// Activation and quantisation pass layouts and maxima on their way.
// CHECK-LABEL: func.func @max_pool
// CHECK-NEXT: %[[Y:.*]] = cim.mvm {{.*}} clamp{{ *}}[0.000000e+00, 1.270000e+02] {{.*}} -> tensor<1x2x2x2x!quant.uniform<u8<0:127>:f32, 2.500000e-01>>
// CHECK-NEXT: %[[T:.*]] = nn.transpose(%[[Y]])
// CHECK-NEXT: %[[P:.*]] = nn.max_pool(%[[T]]) {{.*}} -> tensor<1x2x1x1x!quant.uniform<u8<0:127>:f32, 2.500000e-01>>
// CHECK-NEXT: %[[R:.*]] = nn.reshape(%[[P]])
// CHECK-NEXT: return %[[R]]
func.func @max_pool(%x: tensor<1x2x2x1x!i>) -> tensor<1x2x!u> {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x2x2x1x!i>) -> tensor<1x2x2x2xf32>
  %1 = nn.transpose(%0) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %2 = nn.max_pool(%1) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x2x2x2xf32>) -> tensor<1x2x1x1xf32>
  %3 = nn.relu(%2) : tensor<1x2x1x1xf32>
  %4 = nn.reshape(%3) : (tensor<1x2x1x1xf32>) -> tensor<1x2xf32>
  %5 = nn.quantize(%4) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!u>
  return %5 : tensor<1x2x!u>
}

// The float value is needed elsewhere.
// CHECK-LABEL: func.func @two_uses
// CHECK-NEXT: cim.mvm {{.*}} clamp{{ *}}[0xFF800000, 0x7F800000]
// CHECK-NEXT: nn.relu
func.func @two_uses(%x: tensor<1x1x1x1x!i>) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32>
  %1 = nn.relu(%0) : tensor<1x1x1x2xf32>
  return %0, %1 : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

// The epilogue knows no zero point.
// CHECK-LABEL: func.func @zero_point
// CHECK: cim.mvm
// CHECK-NEXT: nn.quantize
func.func @zero_point(%x: tensor<1x1x1x1x!i>) -> tensor<1x1x1x2x!quant.uniform<i8:f32, 0.5:3>> {
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x1x!i>) -> tensor<1x1x1x2xf32>
  %1 = nn.quantize(%0) nearest_even : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!quant.uniform<i8:f32, 0.5:3>>
  return %1 : tensor<1x1x1x2x!quant.uniform<i8:f32, 0.5:3>>
}

// A maximum of a digital value gains nothing.
// CHECK-LABEL: func.func @digital
// CHECK-NEXT: nn.max_pool
// CHECK-NEXT: nn.relu
func.func @digital(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x1x1xf32> {
  %0 = nn.max_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x2x2x2xf32>) -> tensor<1x2x1x1xf32>
  %1 = nn.relu(%0) : tensor<1x2x1x1xf32>
  return %1 : tensor<1x2x1x1xf32>
}
