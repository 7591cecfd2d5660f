// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-sink-transposes | FileCheck %s

!q = !quant.uniform<u8<0:127>:f32, 0.5>

// A residual block: from NHWC to NHWC nothing moves.
// CHECK-LABEL: func.func @residual
// CHECK-NOT: nn.transpose
// CHECK: nn.constant dense<{{.*}}> : tensor<1x1x1x4xf32>
// CHECK-NEXT: nn.dequantize(%{{.*}}) : (tensor<1x2x3x4x{{.*}}) -> tensor<1x2x3x4xf32>
// CHECK-NEXT: nn.mul{{.*}} -> tensor<1x2x3x4xf32>
// CHECK-NEXT: nn.add{{.*}} -> tensor<1x2x3x4xf32>
// CHECK-NEXT: nn.relu
// CHECK-NEXT: nn.clamp
// CHECK-NEXT: nn.quantize{{.*}} -> tensor<1x2x3x4x!quant
// CHECK-NEXT: return
func.func @residual(%x: tensor<1x2x3x4xf32>, %skip: tensor<1x2x3x4x!q>) -> tensor<1x2x3x4x!q> {
  %b = nn.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.transpose(%skip) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4x!q>) -> tensor<1x4x2x3x!q>
  %2 = nn.dequantize(%1) : (tensor<1x4x2x3x!q>) -> tensor<1x4x2x3xf32>
  %3 = nn.mul(%0, %b) : (tensor<1x4x2x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x2x3xf32>
  %4 = nn.add(%3, %2) : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  %5 = nn.relu(%4) : tensor<1x4x2x3xf32>
  %6 = nn.clamp(%5) to [0.0, 6.0] : tensor<1x4x2x3xf32>
  %7 = nn.quantize(%6) nearest_even : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x3x!q>
  %8 = nn.transpose(%7) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x2x3x!q>) -> tensor<1x2x3x4x!q>
  return %8 : tensor<1x2x3x4x!q>
}

// A constant of full size changes its layout: [h][w][c] = 10 c + h.
// CHECK-LABEL: func.func @constant
// CHECK: nn.constant dense<{{\[\[\[\[}}0.000000e+00, 1.000000e+01]], {{\[\[}}1.000000e+00, 1.100000e+01]]]]> : tensor<1x2x1x2xf32>
// CHECK-NEXT: nn.sub
// CHECK-NEXT: return
func.func @constant(%x: tensor<1x2x1x2xf32>) -> tensor<1x2x1x2xf32> {
  %c = nn.constant dense<[[[[0.0], [1.0]], [[10.0], [11.0]]]]> : tensor<1x2x2x1xf32>
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x1x2xf32>) -> tensor<1x2x2x1xf32>
  %1 = nn.sub(%0, %c) : (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %2 = nn.transpose(%1) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x2x2x1xf32>) -> tensor<1x2x1x2xf32>
  return %2 : tensor<1x2x1x2xf32>
}

// The other operand comes in the layout of its pool: it is transposed, so that
// what follows stays NHWC.
// CHECK-LABEL: func.func @pool
// CHECK: %[[P:.*]] = nn.max_pool
// CHECK: %[[T:.*]] = nn.transpose(%[[P]]) {permutation = array<i64: 0, 2, 3, 1>}
// CHECK: nn.add(%{{.*}}, %[[T]])
// CHECK-NEXT: return
func.func @pool(%x: tensor<1x2x3x4xf32>, %y: tensor<1x4x4x6xf32>) -> tensor<1x2x3x4xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.max_pool(%y) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x4x4x6xf32>) -> tensor<1x4x2x3xf32>
  %2 = nn.add(%0, %1) : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  %3 = nn.transpose(%2) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x2x3xf32>) -> tensor<1x2x3x4xf32>
  return %3 : tensor<1x2x3x4xf32>
}

// A small operand that is computed: squeeze and excite.
// CHECK-LABEL: func.func @excite
// CHECK: %[[S:.*]] = nn.reshape(%{{.*}}) : (tensor<1x4x1x1xf32>) -> tensor<1x1x1x4xf32>
// CHECK-NEXT: nn.mul(%{{.*}}, %[[S]])
// CHECK-NEXT: return
func.func @excite(%x: tensor<1x2x3x4xf32>, %s: tensor<1x4x1x1xf32>) -> tensor<1x2x3x4xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.mul(%0, %s) : (tensor<1x4x2x3xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x2x3xf32>
  %2 = nn.transpose(%1) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x2x3xf32>) -> tensor<1x2x3x4xf32>
  return %2 : tensor<1x2x3x4xf32>
}

// The head of a classifier: axes are renamed and the flatten costs nothing.
// CHECK-LABEL: func.func @head
// CHECK-NEXT: %[[M:.*]] = nn.reduce mean(%{{.*}}) {axes = array<i64: 1, 2>, keep_dims = true}
// CHECK-NEXT: %[[F:.*]] = nn.reshape(%[[M]]) : (tensor<1x1x1x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT: return %[[F]]
func.func @head(%x: tensor<1x2x3x4xf32>) -> tensor<1x4xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.reduce mean(%0) {axes = array<i64: 2, 3>, keep_dims = true} : (tensor<1x4x2x3xf32>) -> tensor<1x4x1x1xf32>
  %2 = nn.reshape(%1) : (tensor<1x4x1x1xf32>) -> tensor<1x4xf32>
  return %2 : tensor<1x4xf32>
}

// Without the kept dimensions the rest may still change its order.
// CHECK-LABEL: func.func @reduce
// CHECK-NEXT: %[[M:.*]] = nn.reduce mean(%{{.*}}) {axes = array<i64: 1>, keep_dims = false} : (tensor<5x2x3x4xf32>) -> tensor<5x3x4xf32>
// CHECK-NEXT: %[[T:.*]] = nn.transpose(%[[M]]) {permutation = array<i64: 0, 2, 1>}
// CHECK-NEXT: return %[[T]]
func.func @reduce(%x: tensor<5x2x3x4xf32>) -> tensor<5x4x3xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<5x2x3x4xf32>) -> tensor<5x4x2x3xf32>
  %1 = nn.reduce mean(%0) {axes = array<i64: 2>, keep_dims = false} : (tensor<5x4x2x3xf32>) -> tensor<5x4x3xf32>
  return %1 : tensor<5x4x3xf32>
}

// CHECK-LABEL: func.func @attributes
// CHECK-NEXT: nn.pad(%{{.*}}) {pads = array<i64: 0, 1, 2, 5, 0, 3, 4, 6>, value = 0.000000e+00 : f32}
// CHECK-NEXT: nn.slice(%{{.*}}) {sizes = array<i64: 1, 4, 5, 3>, starts = array<i64: 0, 1, 2, 3>, steps = array<i64: 1, 1, 1, -1>}
// CHECK-NEXT: nn.concat({{.*}}) {axis = 3 : i64}
// CHECK-NEXT: nn.softmax(%{{.*}}) axis 3
// CHECK-NEXT: return
func.func @attributes(%x: tensor<1x2x3x4xf32>, %y: tensor<1x4x5x1xf32>) -> tensor<1x4x5x4xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.pad(%0) {pads = array<i64: 0, 5, 1, 2, 0, 6, 3, 4>, value = 0.0 : f32} : (tensor<1x4x2x3xf32>) -> tensor<1x15x6x9xf32>
  %2 = nn.slice(%1) {starts = array<i64: 0, 3, 1, 2>, sizes = array<i64: 1, 3, 4, 5>, steps = array<i64: 1, -1, 1, 1>} : (tensor<1x15x6x9xf32>) -> tensor<1x3x4x5xf32>
  %3 = nn.transpose(%y) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x5x1xf32>) -> tensor<1x1x4x5xf32>
  %4 = nn.concat(%2, %3) {axis = 1 : i64} : (tensor<1x3x4x5xf32>, tensor<1x1x4x5xf32>) -> tensor<1x4x4x5xf32>
  %5 = nn.softmax(%4) axis 1 : tensor<1x4x4x5xf32>
  %6 = nn.transpose(%5) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x4x5xf32>) -> tensor<1x4x5x4xf32>
  return %6 : tensor<1x4x5x4xf32>
}

// One dimension in space: the permutation is its own inverse, and a transpose
// must not wander from operand to operand for ever.
// CHECK-LABEL: func.func @one_dimension
// CHECK-NEXT: nn.transpose
// CHECK-NEXT: nn.add
// CHECK-NEXT: return
func.func @one_dimension(%x: tensor<1x3x4xf32>, %y: tensor<1x4x3xf32>) -> tensor<1x4x3xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 2, 1>} : (tensor<1x3x4xf32>) -> tensor<1x4x3xf32>
  %1 = nn.add(%0, %y) : (tensor<1x4x3xf32>, tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  return %1 : tensor<1x4x3xf32>
}

// Two readers, one transpose.
// CHECK-LABEL: func.func @shared
// CHECK-COUNT-1: nn.transpose
// CHECK-NOT: nn.transpose
// CHECK: return
func.func @shared(%x: tensor<1x4x2x3xf32>) -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x2x3xf32>) -> tensor<1x2x3x4xf32>
  %1 = nn.transpose(%x) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x2x3xf32>) -> tensor<1x2x3x4xf32>
  return %0, %1 : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>
}

// A flatten of more than one position needs the order of NCHW.
// CHECK-LABEL: func.func @flatten
// CHECK-NEXT: nn.relu
// CHECK-NEXT: nn.transpose
// CHECK-NEXT: nn.reshape
func.func @flatten(%x: tensor<1x2x3x4xf32>) -> tensor<1x24xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.reshape(%0) : (tensor<1x4x2x3xf32>) -> tensor<1x24xf32>
  %2 = nn.relu(%1) : tensor<1x24xf32>
  return %2 : tensor<1x24xf32>
}

// A list of indices finds its dimension in another place.
// CHECK-LABEL: func.func @gather
// CHECK: %[[G:.*]] = nn.gather(%{{.*}}, %{{.*}}) {axis = 2 : i64} : (tensor<1x2x3x4xf32>, tensor<5xi64>) -> tensor<1x2x5x4xf32>
// CHECK: nn.transpose(%[[G]])
func.func @gather(%x: tensor<1x2x3x4xf32>, %i: tensor<5xi64>) -> tensor<1x4x2x5xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32>
  %1 = nn.gather(%0, %i) {axis = 3 : i64} : (tensor<1x4x2x3xf32>, tensor<5xi64>) -> tensor<1x4x2x5xf32>
  return %1 : tensor<1x4x2x5xf32>
}

// The blocks of a transposed convolution become an image behind the activation.
// CHECK-LABEL: func.func @blocks
// CHECK: nn.relu(%arg0)
// CHECK-NEXT: nn.quantize{{.*}} -> tensor<1x3x4x!quant
// CHECK: %[[S:.*]] = nn.slice{{.*}} -> tensor<1x1x5x!quant
// CHECK-NEXT: return %[[S]]
func.func @blocks(%x: tensor<1x3x4xf32>) -> tensor<1x1x5x!q> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 2, 1>} : (tensor<1x3x4xf32>) -> tensor<1x4x3xf32>
  %1 = nn.reshape(%0) : (tensor<1x4x3xf32>) -> tensor<1x1x12xf32>
  %2 = nn.slice(%1) {starts = array<i64: 0, 0, 1>, sizes = array<i64: 1, 1, 10>, steps = array<i64: 1, 1, 1>} : (tensor<1x1x12xf32>) -> tensor<1x1x10xf32>
  %3 = nn.slice(%2) {starts = array<i64: 0, 0, 0>, sizes = array<i64: 1, 1, 5>, steps = array<i64: 1, 1, 2>} : (tensor<1x1x10xf32>) -> tensor<1x1x5xf32>
  %4 = nn.relu(%3) : tensor<1x1x5xf32>
  %5 = nn.quantize(%4) nearest_even : (tensor<1x1x5xf32>) -> tensor<1x1x5x!q>
  return %5 : tensor<1x1x5x!q>
}

// A slice that cuts more than half away, or that others read, stays in front.
// CHECK-LABEL: func.func @cut
// CHECK: nn.slice(%arg0){{.*}} -> tensor<1x5xf32>
// CHECK: nn.relu
// CHECK: %[[B:.*]] = nn.slice(%arg0){{.*}} -> tensor<1x8xf32>
// CHECK: nn.relu(%[[B]])
func.func @cut(%x: tensor<1x12xf32>) -> (tensor<1x5xf32>, tensor<1x8xf32>, tensor<1x8xf32>) {
  %0 = nn.slice(%x) {starts = array<i64: 0, 1>, sizes = array<i64: 1, 5>, steps = array<i64: 1, 1>} : (tensor<1x12xf32>) -> tensor<1x5xf32>
  %1 = nn.relu(%0) : tensor<1x5xf32>
  %2 = nn.slice(%x) {starts = array<i64: 0, 1>, sizes = array<i64: 1, 8>, steps = array<i64: 1, 1>} : (tensor<1x12xf32>) -> tensor<1x8xf32>
  %3 = nn.relu(%2) : tensor<1x8xf32>
  return %1, %2, %3 : tensor<1x5xf32>, tensor<1x8xf32>, tensor<1x8xf32>
}

// Resizing by a whole factor, from NHWC to NHWC.
// CHECK-LABEL: func.func @repeat
// CHECK-NOT: nn.transpose
// CHECK: nn.reshape(%arg0) : (tensor<1x3x4x2xf32>) -> tensor<1x3x1x4x1x2xf32>
// CHECK-NEXT: nn.broadcast{{.*}} -> tensor<1x3x2x4x2x2xf32>
// CHECK-NEXT: nn.reshape{{.*}} -> tensor<1x6x8x2xf32>
// CHECK-NEXT: return
func.func @repeat(%x: tensor<1x3x4x2xf32>) -> tensor<1x6x8x2xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x3x4x2xf32>) -> tensor<1x2x3x4xf32>
  %1 = nn.reshape(%0) : (tensor<1x2x3x4xf32>) -> tensor<1x2x3x1x4x1xf32>
  %2 = nn.broadcast(%1) : (tensor<1x2x3x1x4x1xf32>) -> tensor<1x2x3x2x4x2xf32>
  %3 = nn.reshape(%2) : (tensor<1x2x3x2x4x2xf32>) -> tensor<1x2x6x8xf32>
  %4 = nn.transpose(%3) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x2x6x8xf32>) -> tensor<1x6x8x2xf32>
  return %4 : tensor<1x6x8x2xf32>
}

// A transposed convolution, from NHWC to NHWC: one transpose.
// CHECK-LABEL: func.func @upsampled
// CHECK: nn.reshape(%arg0) : (tensor<1x3x4x20xf32>) -> tensor<1x3x4x5x2x2xf32>
// CHECK-NEXT: nn.transpose{{.*}}permutation = array<i64: 0, 1, 4, 2, 5, 3>
// CHECK-NEXT: nn.reshape{{.*}} -> tensor<1x6x8x5xf32>
// CHECK-NEXT: nn.slice{{.*}}sizes = array<i64: 1, 5, 7, 5>, starts = array<i64: 0, 1, 0, 0>
// CHECK-NEXT: return
func.func @upsampled(%x: tensor<1x3x4x20xf32>) -> tensor<1x5x7x5xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x3x4x20xf32>) -> tensor<1x20x3x4xf32>
  %1 = nn.reshape(%0) : (tensor<1x20x3x4xf32>) -> tensor<1x5x2x2x3x4xf32>
  %2 = nn.transpose(%1) {permutation = array<i64: 0, 1, 4, 2, 5, 3>} : (tensor<1x5x2x2x3x4xf32>) -> tensor<1x5x3x2x4x2xf32>
  %3 = nn.reshape(%2) : (tensor<1x5x3x2x4x2xf32>) -> tensor<1x5x6x8xf32>
  %4 = nn.slice(%3) {starts = array<i64: 0, 0, 1, 0>, sizes = array<i64: 1, 5, 5, 7>, steps = array<i64: 1, 1, 1, 1>} : (tensor<1x5x6x8xf32>) -> tensor<1x5x5x7xf32>
  %5 = nn.transpose(%4) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x5x5x7xf32>) -> tensor<1x5x7x5xf32>
  return %5 : tensor<1x5x7x5xf32>
}

// The channels come first in the flat vector: the transpose is needed.
// CHECK-LABEL: func.func @channels_first
// CHECK: nn.transpose(%arg0) {permutation = array<i64: 0, 3, 1, 2>}
// CHECK-NEXT: nn.reshape{{.*}} -> tensor<1x24xf32>
func.func @channels_first(%x: tensor<1x3x4x2xf32>) -> tensor<1x24xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x3x4x2xf32>) -> tensor<1x2x3x4xf32>
  %1 = nn.reshape(%0) : (tensor<1x2x3x4xf32>) -> tensor<1x24xf32>
  return %1 : tensor<1x24xf32>
}
