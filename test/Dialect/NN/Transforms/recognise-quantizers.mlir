// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-recognise-quantizers --canonicalize | FileCheck %s

// The order of resnet20_w2a7_ternary_odimo: clip, scale, floor, scale back; and
// ternary weights written as floats.
// CHECK-LABEL: @floor_chain
// CHECK-SAME: %[[X:.*]]: tensor<1x2xf32>
func.func @floor_chain(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %up = nn.constant dense<16.0> : tensor<f32>
  %down = nn.constant dense<0.0625> : tensor<f32>
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[}}-1, 1], [1, 0]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:1, {2.500000e-01,0.30000001192092896}
  // CHECK: %[[Q:.*]] = nn.quantize(%[[X]]) floor : {{.*}}!quant.uniform<u8<0:127>:f32, 6.250000e-02>
  // CHECK: nn.matmul(%[[Q]], %[[W]])
  %w = nn.constant dense<[[-0.25, 0.3], [0.25, 0.0]]> : tensor<2x2xf32>
  %0 = nn.clamp(%x) to [0.0, 7.9375] : tensor<1x2xf32>
  %1 = nn.mul(%0, %up) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %2 = nn.floor(%1) : tensor<1x2xf32>
  %3 = nn.mul(%2, %down) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = nn.matmul(%3, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %4 : tensor<1x2xf32>
}

// Divide, round, clip in integers, multiply; signed.
// CHECK-LABEL: @round_chain
// CHECK: nn.quantize(%{{.*}}) nearest_even : {{.*}}!quant.uniform<i8<-63:63>:f32, 5.000000e-01>
// CHECK: nn.dequantize
func.func @round_chain(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %1 = nn.div(%x, %s) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %2 = nn.round(%1) : tensor<1x2xf32>
  %3 = nn.clamp(%2) to [-63.0, 63.0] : tensor<1x2xf32>
  %4 = nn.mul(%3, %s) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  return %4 : tensor<1x2xf32>
}

// Quantising what lies on the same grid already changes nothing.
// CHECK-LABEL: @twice
// CHECK-COUNT-1: nn.quantize
// CHECK-NOT: nn.quantize
func.func @twice(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %up = nn.constant dense<16.0> : tensor<f32>
  %down = nn.constant dense<0.0625> : tensor<f32>
  %0 = nn.clamp(%x) to [0.0, 7.9375] : tensor<1x2xf32>
  %1 = nn.mul(%0, %up) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %2 = nn.floor(%1) : tensor<1x2xf32>
  %3 = nn.mul(%2, %down) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = nn.clamp(%3) to [0.0, 7.9375] : tensor<1x2xf32>
  %5 = nn.mul(%4, %up) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %6 = nn.floor(%5) : tensor<1x2xf32>
  %7 = nn.mul(%6, %down) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  return %7 : tensor<1x2xf32>
}

// No clip, no range; a scale that is not undone; a range beyond 8 bits.
// CHECK-LABEL: @no_quantiser
// CHECK-NOT: nn.quantize
func.func @no_quantiser(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %up = nn.constant dense<16.0> : tensor<f32>
  %down = nn.constant dense<0.0625> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %1 = nn.mul(%x, %up) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %2 = nn.floor(%1) : tensor<1x2xf32>
  %3 = nn.mul(%2, %down) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = nn.clamp(%x) to [0.0, 4.0] : tensor<1x2xf32>
  %5 = nn.mul(%4, %up) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %6 = nn.floor(%5) : tensor<1x2xf32>
  %7 = nn.mul(%6, %half) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %8 = nn.clamp(%x) to [0.0, 100.0] : tensor<1x2xf32>
  %9 = nn.mul(%8, %up) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %10 = nn.floor(%9) : tensor<1x2xf32>
  %11 = nn.mul(%10, %down) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  return %3, %7, %11 : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}

// QuantizeLinear and DequantizeLinear: integers reach the convolution through
// a pool; weights get one scale per channel, without their common factor.
!act = !quant.uniform<u8<0:127>:f32, 0.5>
!wt = !quant.uniform<i8:f32, 0.25>
// CHECK-LABEL: @qdq
func.func @qdq(%x: tensor<1x1x2x2xf32>) -> tensor<1x2x1x1xf32> {
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[\[\[}}1]]], {{\[\[\[}}-1]]]]> {{.*}} as tensor<2x1x1x1x!quant.uniform<i8<-1:1>:f32:0, {1.000000e+00,2.000000e+00}>>
  // CHECK: %[[Q:.*]] = nn.quantize
  // CHECK: %[[P:.*]] = nn.max_pool(%[[Q]])
  // CHECK: nn.conv(%[[P]], %[[W]])
  %w = nn.constant dense<[[[[4]]], [[[-8]]]]> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!wt>
  %q = nn.quantize(%x) nearest_even : (tensor<1x1x2x2xf32>) -> tensor<1x1x2x2x!act>
  %d = nn.dequantize(%q) : (tensor<1x1x2x2x!act>) -> tensor<1x1x2x2xf32>
  %p = nn.max_pool(%d) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32>
  %wd = nn.dequantize(%w) : (tensor<2x1x1x1x!wt>) -> tensor<2x1x1x1xf32>
  %y = nn.conv(%p, %wd) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
      : (tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  return %y : tensor<1x2x1x1xf32>
}

// They are repeated and picked as integers; what is picked from more is
// quantised behind it.
// CHECK-LABEL: @resized
func.func @resized(%x: tensor<1x1x2xf32>) -> (tensor<1x1x8xf32>, tensor<1x1x1x!act>) {
  // CHECK: %[[Q:.*]] = nn.quantize(%arg0)
  // CHECK: %[[R:.*]] = nn.reshape(%[[Q]])
  // CHECK: %[[B:.*]] = nn.broadcast(%[[R]]) : {{.*}} -> tensor<1x1x2x4x!quant
  // CHECK: %[[F:.*]] = nn.reshape(%[[B]])
  // CHECK: %[[G:.*]] = nn.gather(%[[F]], %{{.*}}) {axis = 2 : i64} : {{.*}} -> tensor<1x1x8x!quant
  // CHECK: nn.dequantize(%[[G]])
  %q = nn.quantize(%x) nearest_even : (tensor<1x1x2xf32>) -> tensor<1x1x2x!act>
  %d = nn.dequantize(%q) : (tensor<1x1x2x!act>) -> tensor<1x1x2xf32>
  %r = nn.reshape(%d) : (tensor<1x1x2xf32>) -> tensor<1x1x2x1xf32>
  %b = nn.broadcast(%r) : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x4xf32>
  %f = nn.reshape(%b) : (tensor<1x1x2x4xf32>) -> tensor<1x1x8xf32>
  %p = nn.constant dense<[7, 6, 5, 4, 3, 2, 1, 0]> : tensor<8xi64>
  %g = nn.gather(%f, %p) {axis = 2 : i64} : (tensor<1x1x8xf32>, tensor<8xi64>) -> tensor<1x1x8xf32>
  // CHECK: %[[P:.*]] = nn.gather(%arg0, %{{.*}}) {axis = 2 : i64} : {{.*}} -> tensor<1x1x1xf32>
  // CHECK: nn.quantize(%[[P]])
  %n = nn.constant dense<[1]> : tensor<1xi64>
  %o = nn.gather(%x, %n) {axis = 2 : i64} : (tensor<1x1x2xf32>, tensor<1xi64>) -> tensor<1x1x1xf32>
  %z = nn.quantize(%o) nearest_even : (tensor<1x1x1xf32>) -> tensor<1x1x1x!act>
  return %g, %z : tensor<1x1x8xf32>, tensor<1x1x1x!act>
}

// Integers with a zero point that 8 bits do not hold without it, and fine
// integers under float activations: only a way to store floats.
!wz = !quant.uniform<u8:f32, 0.25:3>
!wf = !quant.uniform<i8:f32:1, {0.5, 0.25}>
// CHECK-LABEL: @stored_floats
func.func @stored_floats(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  // CHECK-DAG: nn.constant dense<{{\[\[}}6.300000e+01, 0.000000e+00], [-7.500000e-01, 2.500000e-01]]>
  // CHECK-DAG: nn.constant dense<{{\[\[}}5.000000e+01, 2.525000e+01], [1.500000e+00, 1.750000e+00]]>
  %z = nn.constant dense<[[255, 3], [0, 4]]> : tensor<2x2xui8> as tensor<2x2x!wz>
  %zd = nn.dequantize(%z) : (tensor<2x2x!wz>) -> tensor<2x2xf32>
  %y = nn.matmul(%x, %zd) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %f = nn.constant dense<[[100, 101], [3, 7]]> : tensor<2x2xi8> as tensor<2x2x!wf>
  %fd = nn.dequantize(%f) : (tensor<2x2x!wf>) -> tensor<2x2xf32>
  %u = nn.matmul(%x, %fd) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y, %u : tensor<1x2xf32>, tensor<1x2xf32>
}

// Floats whose ratios are not those of small integers.
// CHECK-LABEL: @float_weights
// CHECK-NOT: quant.uniform
func.func @float_weights(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[0.51, 0.3], [0.37, 0.1]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// A clip or ReLU in front of QuantizeLinear leaves 7 of its 8 bits.
!i8 = !quant.uniform<i8:f32, 0.5>
// CHECK-LABEL: @clipped_qdq
// CHECK-SAME: %[[X:.*]]: tensor<1x2xf32>
func.func @clipped_qdq(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  // CHECK: nn.quantize(%[[X]]) nearest_even : {{.*}}!quant.uniform<i8<-63:63>:f32, 5.000000e-01>
  %0 = nn.clamp(%x) to [-31.5, 31.5] : tensor<1x2xf32>
  %1 = nn.quantize(%0) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!i8>
  %2 = nn.dequantize(%1) : (tensor<1x2x!i8>) -> tensor<1x2xf32>
  // CHECK: nn.quantize(%[[X]]) nearest_even : {{.*}}!quant.uniform<u8<0:127>:f32, 5.000000e-01>
  %3 = nn.relu(%x) : tensor<1x2xf32>
  %4 = nn.quantize(%3) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!i8>
  %5 = nn.dequantize(%4) : (tensor<1x2x!i8>) -> tensor<1x2xf32>
  return %2, %5 : tensor<1x2xf32>, tensor<1x2xf32>
}

// With a zero point, or with nothing left of the range, the clip stays.
!zp = !quant.uniform<i8:f32, 0.5:3>
// CHECK-LABEL: @not_narrowed
// CHECK-COUNT-2: nn.clamp
func.func @not_narrowed(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %0 = nn.clamp(%x) to [-31.5, 31.5] : tensor<1x2xf32>
  %1 = nn.quantize(%0) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!zp>
  %2 = nn.dequantize(%1) : (tensor<1x2x!zp>) -> tensor<1x2xf32>
  %3 = nn.clamp(%x) to [0.0, 0.125] : tensor<1x2xf32>
  %4 = nn.quantize(%3) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!i8>
  %5 = nn.dequantize(%4) : (tensor<1x2x!i8>) -> tensor<1x2xf32>
  return %2, %5 : tensor<1x2xf32>, tensor<1x2xf32>
}

// Layers that share weights go on to share them.
// CHECK-LABEL: @shared_weights
// CHECK: %[[W:.*]] = nn.constant {{.*}}!quant.uniform<i8<-1:1>
// CHECK-NOT: nn.constant
// CHECK: nn.matmul(%{{.*}}, %[[W]])
// CHECK: nn.matmul(%{{.*}}, %[[W]])
func.func @shared_weights(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = nn.constant dense<[[-0.25, 0.3], [0.25, 0.0]]> : tensor<2x2xf32>
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = nn.matmul(%y, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<1x2xf32>, tensor<1x2xf32>
}
