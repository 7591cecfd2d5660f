// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-fold-batch-norm --canonicalize | FileCheck %s

// s = 2 / sqrt(3 + 1) = 1 and 6 / sqrt(8 + 1) = 2; t = bias - mean * s.
// CHECK-LABEL: @conv
func.func @conv(%x: tensor<1x1x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = nn.constant dense<[[[[3.0]]], [[[5.0]]]]> : tensor<2x1x1x1xf32>
  %b = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %scale = nn.constant dense<[2.0, 6.0]> : tensor<2xf32>
  %bias = nn.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %mean = nn.constant dense<[4.0, 3.0]> : tensor<2xf32>
  %variance = nn.constant dense<[3.0, 8.0]> : tensor<2xf32>
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[\[\[}}3.000000e+00{{\]\]\]}}, {{\[\[\[}}1.000000e+01{{\]\]\]\]}}>
  // CHECK-DAG: %[[B:.*]] = nn.constant dense<[-2.500000e+00, -1.000000e+00]>
  // CHECK: %[[Y:.*]] = nn.conv(%{{.*}}, %[[W]], %[[B]])
  // CHECK-NEXT: return %[[Y]]
  %y = nn.conv(%x, %w, %b) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
      : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %z = nn.batch_norm(%y, %scale, %bias, %mean, %variance) {epsilon = 1.0 : f32}
      : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  return %z : tensor<1x2x2x2xf32>
}

// A chain of constants per column, on both sides.
// CHECK-LABEL: @matmul
func.func @matmul(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %m = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %a = nn.constant dense<[[1.0, 3.0]]> : tensor<1x2xf32>
  %d = nn.constant dense<2.0> : tensor<f32>
  %s = nn.constant dense<10.0> : tensor<1xf32>
  // y = 10 - ((x w) m + a) / 2
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[}}-1.000000e+00, -4.000000e+00], [-3.000000e+00, -8.000000e+00]]>
  // CHECK-DAG: %[[B:.*]] = nn.constant dense<[9.500000e+00, 8.500000e+00]>
  // CHECK: %[[Y:.*]] = nn.matmul(%{{.*}}, %[[W]], %[[B]])
  // CHECK-NEXT: return %[[Y]]
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = nn.mul(%m, %0) : (tensor<2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %2 = nn.add(%1, %a) : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %3 = nn.div(%2, %d) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %4 = nn.sub(%s, %3) : (tensor<1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %4 : tensor<1x2xf32>
}

// Nothing to fold into: the input of the network.
// CHECK-LABEL: @leftover
func.func @leftover(%x: tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
  %scale = nn.constant dense<[2.0, 6.0]> : tensor<2xf32>
  %bias = nn.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %mean = nn.constant dense<[4.0, 3.0]> : tensor<2xf32>
  %variance = nn.constant dense<[3.0, 8.0]> : tensor<2xf32>
  // CHECK-DAG: %[[S:.*]] = nn.constant dense<{{\[\[}}1.000000e+00], [2.000000e+00]]>
  // CHECK-DAG: %[[T:.*]] = nn.constant dense<{{\[\[}}-3.500000e+00], [-5.000000e+00]]>
  // CHECK: %[[P:.*]] = nn.mul(%{{.*}}, %[[S]])
  // CHECK: nn.add(%[[P]], %[[T]])
  %z = nn.batch_norm(%x, %scale, %bias, %mean, %variance) {epsilon = 1.0 : f32}
      : (tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  return %z : tensor<1x2x3xf32>
}

// The convolution has a second reader, which wants it unscaled.
// CHECK-LABEL: @second_reader
func.func @second_reader(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %m = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  // CHECK: %[[Y:.*]] = nn.matmul
  // CHECK: %[[Z:.*]] = nn.mul(%[[Y]],
  // CHECK: return %[[Y]], %[[Z]]
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = nn.mul(%0, %m) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<1x2xf32>, tensor<1x2xf32>
}

// The product belongs to a quantiser.
// CHECK-LABEL: @quantiser
func.func @quantiser(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %m = nn.constant dense<16.0> : tensor<f32>
  // CHECK: nn.matmul
  // CHECK: nn.mul
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = nn.mul(%0, %m) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %2 = nn.clamp(%1) to [0.0, 127.0] : tensor<1x2xf32>
  %3 = nn.floor(%2) : tensor<1x2xf32>
  return %3 : tensor<1x2xf32>
}

// One value per row is not one value per column; weights that are not constant.
// CHECK-LABEL: @not_channels
func.func @not_channels(%x: tensor<2x2xf32>, %v: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %m = nn.constant dense<[[2.0], [4.0]]> : tensor<2x1xf32>
  // CHECK-COUNT-2: nn.mul
  %0 = nn.matmul(%x, %w) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = nn.mul(%0, %m) : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %n = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %2 = nn.matmul(%x, %v) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = nn.mul(%2, %n) : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %1, %3 : tensor<2x2xf32>, tensor<2x2xf32>
}

// Weights that are no floats take a shift, as bias, but no scale.
!w = !quant.uniform<i8<-1:1>:f32, 0.5>
// CHECK-LABEL: @quantised_weights
func.func @quantised_weights(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %q = nn.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi8> as tensor<2x2x!w>
  %b = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %w = nn.dequantize(%q) : (tensor<2x2x!w>) -> tensor<2x2xf32>
  // CHECK: %[[W:.*]] = nn.dequantize
  // CHECK: %[[A:.*]] = nn.matmul(%{{.*}}, %[[W]], %{{.*}})
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = nn.add(%0, %b) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  // CHECK: %[[P:.*]] = nn.matmul(%{{.*}}, %[[W]])
  // CHECK: %[[B:.*]] = nn.mul(%[[P]]
  // CHECK: return %[[A]], %[[B]]
  %2 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %3 = nn.mul(%2, %b) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1, %3 : tensor<1x2xf32>, tensor<1x2xf32>
}

// Scaled weights of its own would cost cells of its own; a shift is only bias.
// CHECK-LABEL: @shared_weights
func.func @shared_weights(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %c = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
  // CHECK: %[[W:.*]] = nn.constant dense<{{\[\[}}1.0
  // CHECK: %[[A:.*]] = nn.matmul(%{{.*}}, %[[W]])
  // CHECK: %[[P:.*]] = nn.mul(%[[A]]
  // CHECK: %[[B:.*]] = nn.matmul(%{{.*}}, %[[W]], %{{.*}})
  // CHECK: return %[[P]], %[[B]]
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = nn.mul(%0, %c) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %2 = nn.matmul(%y, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %3 = nn.add(%2, %c) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %1, %3 : tensor<1x2xf32>, tensor<1x2xf32>
}

// Two results of each channel, side by side in an image that is cut: what a
// transposed convolution with stride 2 is imported as.
// CHECK-LABEL: @blocks
func.func @blocks(%x: tensor<1x1x3xf32>) -> tensor<1x2x5xf32> {
  %w = nn.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %scale = nn.constant dense<[2.0, 10.0]> : tensor<2xf32>
  %zero = nn.constant dense<0.0> : tensor<2xf32>
  %one = nn.constant dense<1.0> : tensor<2xf32>
  %shift = nn.constant dense<[[5.0], [7.0]]> : tensor<2x1xf32>
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]], {{\[\[}}3.000000e+01]], {{\[\[}}4.000000e+01]]]>
  // CHECK-DAG: %[[B:.*]] = nn.constant dense<[5.000000e+00, 5.000000e+00, 7.000000e+00, 7.000000e+00]>
  // CHECK: nn.conv(%arg0, %[[W]], %[[B]])
  // CHECK-NOT: nn.mul
  // CHECK-NOT: nn.add
  // CHECK: %[[S:.*]] = nn.slice
  // CHECK-NEXT: return %[[S]]
  %y = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x3xf32>
  %r = nn.reshape(%y) : (tensor<1x4x3xf32>) -> tensor<1x2x2x3xf32>
  %t = nn.transpose(%r) {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x2x2x3xf32>) -> tensor<1x2x3x2xf32>
  %i = nn.reshape(%t) : (tensor<1x2x3x2xf32>) -> tensor<1x2x6xf32>
  %s = nn.slice(%i) {starts = array<i64: 0, 0, 1>, sizes = array<i64: 1, 2, 5>, steps = array<i64: 1, 1, 1>} : (tensor<1x2x6xf32>) -> tensor<1x2x5xf32>
  %n = nn.batch_norm(%s, %scale, %zero, %zero, %one) {epsilon = 0.0 : f32} : (tensor<1x2x5xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x5xf32>
  %a = nn.add(%n, %shift) : (tensor<1x2x5xf32>, tensor<2x1xf32>) -> tensor<1x2x5xf32>
  return %a : tensor<1x2x5xf32>
}

// The channels are not those of the convolution, or part of them only.
// CHECK-LABEL: @other_channels
func.func @other_channels(%x: tensor<1x1x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x1x2xf32>) {
  %w = nn.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %c = nn.constant dense<[[2.0], [10.0]]> : tensor<2x1xf32>
  // CHECK-COUNT-2: nn.mul
  %y = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %t = nn.transpose(%y) {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %a = nn.mul(%t, %c) : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x2xf32>
  %z = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %s = nn.slice(%z) {starts = array<i64: 0, 1, 0>, sizes = array<i64: 1, 1, 2>, steps = array<i64: 1, 1, 1>} : (tensor<1x2x2xf32>) -> tensor<1x1x2xf32>
  %d = nn.constant dense<3.0> : tensor<f32>
  %b = nn.mul(%s, %d) : (tensor<1x1x2xf32>, tensor<f32>) -> tensor<1x1x2xf32>
  return %a, %b : tensor<1x2x2xf32>, tensor<1x1x2xf32>
}
