// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-fold-constants --split-input-file | FileCheck %s
// RUN: cim-opt %s --nn-fold-constants=limit=2 --split-input-file | FileCheck %s --check-prefix=LIMIT

// CHECK-LABEL: func.func @arithmetic
func.func @arithmetic() -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = nn.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  // CHECK-DAG: %[[SUM:.*]] = nn.constant dense<{{\[}}[1.100000e+01, 1.200000e+01], [2.100000e+01, 2.200000e+01]]>
  %sum = nn.add(%a, %b) : (tensor<2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  // CHECK-DAG: %[[CHAIN:.*]] = nn.constant dense<{{\[}}[4.500000e+00, 4.000000e+00], [9.500000e+00, 9.000000e+00]]>
  %difference = nn.sub(%b, %a) : (tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %two = nn.constant dense<2.0> : tensor<f32>
  %chain = nn.div(%difference, %two) : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %c = nn.constant dense<[-1.5, -0.5, 2.5, 3.5]> : tensor<4xf32>
  // CHECK-DAG: %[[RELU:.*]] = nn.constant dense<[0.000000e+00, 0.000000e+00, 2.500000e+00, 3.500000e+00]>
  %relu = nn.relu(%c) : tensor<4xf32>
  // CHECK-DAG: %[[FLOOR:.*]] = nn.constant dense<[-2.000000e+00, -1.000000e+00, 2.000000e+00, 3.000000e+00]>
  %floor = nn.floor(%c) : tensor<4xf32>
  // CHECK-DAG: %[[ROUND:.*]] = nn.constant dense<[-2.000000e+00, -0.000000e+00, 2.000000e+00, 4.000000e+00]>
  %round = nn.round(%c) : tensor<4xf32>
  // CHECK-DAG: %[[CLAMP:.*]] = nn.constant dense<[-1.000000e+00, -5.000000e-01, 2.500000e+00, 3.000000e+00]>
  %clamp = nn.clamp(%c) to [-1.0, 3.0] : tensor<4xf32>
  // CHECK: return %[[SUM]], %[[CHAIN]], %[[RELU]], %[[FLOOR]], %[[ROUND]], %[[CLAMP]]
  return %sum, %chain, %relu, %floor, %round, %clamp : tensor<2x2xf32>, tensor<2x2xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @movement
func.func @movement() -> (tensor<3x2xf32>, tensor<6xi8>, tensor<2x2xf32>, tensor<2x5xf32>, tensor<2x4xf32>) {
  %a = nn.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  // CHECK-DAG: %[[T:.*]] = nn.constant dense<{{\[}}[1.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00], [3.000000e+00, 6.000000e+00]]>
  %t = nn.transpose(%a) {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  // CHECK-DAG: %[[R:.*]] = nn.constant dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi8>
  %i = nn.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %r = nn.reshape(%i) : (tensor<2x3xi8>) -> tensor<6xi8>
  // CHECK-DAG: %[[S:.*]] = nn.constant dense<{{\[}}[3.000000e+00, 1.000000e+00], [6.000000e+00, 4.000000e+00]]>
  %s = nn.slice(%a) {starts = array<i64: 0, 2>, sizes = array<i64: 2, 2>, steps = array<i64: 1, -2>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  // CHECK-DAG: %[[C:.*]] = nn.constant dense<{{\[}}[1.000000e+00, 2.000000e+00, 3.000000e+00, 3.000000e+00, 1.000000e+00], [4.000000e+00, 5.000000e+00, 6.000000e+00, 6.000000e+00, 4.000000e+00]]>
  %c = nn.concat(%a, %s) {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x2xf32>) -> tensor<2x5xf32>
  // CHECK-DAG: %[[P:.*]] = nn.constant dense<{{\[}}[5.000000e-01, 1.000000e+00, 2.000000e+00, 3.000000e+00], [5.000000e-01, 4.000000e+00, 5.000000e+00, 6.000000e+00]]>
  %p = nn.pad(%a) {pads = array<i64: 0, 1, 0, 0>, value = 5.0e-01 : f32} : (tensor<2x3xf32>) -> tensor<2x4xf32>
  // CHECK: return %[[T]], %[[R]], %[[S]], %[[C]], %[[P]]
  return %t, %r, %s, %c, %p : tensor<3x2xf32>, tensor<6xi8>, tensor<2x2xf32>, tensor<2x5xf32>, tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func.func @reductions
func.func @reductions() -> (tensor<2xf32>, tensor<1x2xui8>, tensor<2xi8>, tensor<f32>) {
  %a = nn.constant dense<[[1.0, 2.0], [3.0, 8.0]]> : tensor<2x2xf32>
  // CHECK-DAG: %[[MEAN:.*]] = nn.constant dense<[1.500000e+00, 5.500000e+00]> : tensor<2xf32>
  %mean = nn.reduce mean(%a) {axes = array<i64: 1>, keep_dims = false} : (tensor<2x2xf32>) -> tensor<2xf32>
  %u = nn.constant dense<[[1, 200], [255, 100]]> : tensor<2x2xui8>
  // CHECK-DAG: %[[MAX:.*]] = nn.constant dense<{{\[}}[255, 200]]> : tensor<1x2xui8>
  %max = nn.reduce max(%u) {axes = array<i64: 0>, keep_dims = true} : (tensor<2x2xui8>) -> tensor<1x2xui8>
  %i = nn.constant dense<[[100, 100], [-128, -128]]> : tensor<2x2xi8>
  // Integers wrap around.
  // CHECK-DAG: %[[SUM:.*]] = nn.constant dense<[-56, 0]> : tensor<2xi8>
  %sum = nn.reduce sum(%i) {axes = array<i64: 1>, keep_dims = false} : (tensor<2x2xi8>) -> tensor<2xi8>
  %n = nn.constant dense<[1.0, 0x7FC00000, 3.0]> : tensor<3xf32>
  // CHECK-DAG: %[[NAN:.*]] = nn.constant dense<0x7FC00000> : tensor<f32>
  %nan = nn.reduce min(%n) {axes = array<i64: 0>, keep_dims = false} : (tensor<3xf32>) -> tensor<f32>
  // CHECK: return %[[MEAN]], %[[MAX]], %[[SUM]], %[[NAN]]
  return %mean, %max, %sum, %nan : tensor<2xf32>, tensor<1x2xui8>, tensor<2xi8>, tensor<f32>
}

// -----

// Indices out of bounds read the nearest element and write none.
// CHECK-LABEL: func.func @positions
func.func @positions() -> (tensor<2x2xi32>, tensor<5xf32>, tensor<3xf32>, tensor<3xi8>) {
  %i = nn.constant dense<[2, -1, -9, 9, 0]> : tensor<5xi64>
  %a = nn.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %c = nn.constant dense<[[4], [5]]> : tensor<2x1xi32>
  // CHECK-DAG: %[[B:.*]] = nn.constant dense<{{\[}}[4, 4], [5, 5]]> : tensor<2x2xi32>
  %b = nn.broadcast(%c) : (tensor<2x1xi32>) -> tensor<2x2xi32>
  // CHECK-DAG: %[[G:.*]] = nn.constant dense<[3.000000e+00, 3.000000e+00, 1.000000e+00, 3.000000e+00, 1.000000e+00]>
  %g = nn.gather(%a, %i) {axis = 0 : i64} : (tensor<3xf32>, tensor<5xi64>) -> tensor<5xf32>
  // CHECK-DAG: %[[S:.*]] = nn.constant dense<[2.000000e+00, 2.000000e+00, 9.000000e+00]>
  %s = nn.scatter add(%a, %i, %g) {axis = 0 : i64} : (tensor<3xf32>, tensor<5xi64>, tensor<5xf32>) -> tensor<3xf32>
  %d = nn.constant dense<[100, 1, 1]> : tensor<3xi8>
  %u = nn.constant dense<[3, 5, 7, 9, 2]> : tensor<5xi8>
  // Products wrap around.
  // CHECK-DAG: %[[M:.*]] = nn.constant dense<[-56, 1, 15]> : tensor<3xi8>
  %m = nn.scatter mul(%d, %i, %u) {axis = 0 : i64} : (tensor<3xi8>, tensor<5xi64>, tensor<5xi8>) -> tensor<3xi8>
  // CHECK: return %[[B]], %[[G]], %[[S]], %[[M]]
  return %b, %g, %s, %m : tensor<2x2xi32>, tensor<5xf32>, tensor<3xf32>, tensor<3xi8>
}

// -----

// CHECK-LABEL: func.func @quantisation
func.func @quantisation() -> (tensor<4x!quant.uniform<u8<0:127>:f32, 0.5:3>>, tensor<2x2xf32>, tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) {
  %x = nn.constant dense<[-9.0, 0.75, 1.25, 900.0]> : tensor<4xf32>
  // CHECK-DAG: %[[Q:.*]] = nn.constant dense<[0, 5, 5, 127]> : tensor<4xui8> as tensor<4x!quant.uniform<u8<0:127>:f32, 5.000000e-01:3>>
  %q = nn.quantize(%x) nearest_even : (tensor<4xf32>) -> tensor<4x!quant.uniform<u8<0:127>:f32, 0.5:3>>
  %w = nn.constant dense<[[1, 2], [3, -4]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  // CHECK-DAG: %[[D:.*]] = nn.constant dense<{{\[}}[5.000000e-01, 1.000000e+00], [7.500000e-01, -1.000000e+00]]>
  %d = nn.dequantize(%w) : (tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) -> tensor<2x2xf32>
  %y = nn.constant dense<[[0.4, 0.5], [0.4, 0.5]]> : tensor<2x2xf32>
  // CHECK-DAG: %[[F:.*]] = nn.constant dense<{{\[}}[0, 1], [1, 2]]> : tensor<2x2xi8> as
  %f = nn.quantize(%y) floor : (tensor<2x2xf32>) -> tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  // CHECK: return %[[Q]], %[[D]], %[[F]]
  return %q, %d, %f : tensor<4x!quant.uniform<u8<0:127>:f32, 0.5:3>>, tensor<2x2xf32>, tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
}

// -----

// A part of integer weights has a part of the scales.
// CHECK-LABEL: @sliced_weights
func.func @sliced_weights(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %q = nn.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> as tensor<3x2x!quant.uniform<i8:f32:0, {0.5, 0.25, 2.0}>>
  // CHECK: %[[T:.*]] = nn.constant dense<{{\[\[}}1, 2], [5, 6]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {5.000000e-01,2.000000e+00}>>
  // CHECK: %[[W:.*]] = nn.dequantize(%[[T]])
  // CHECK: nn.matmul(%{{.*}}, %[[W]])
  %d = nn.dequantize(%q) : (tensor<3x2x!quant.uniform<i8:f32:0, {0.5, 0.25, 2.0}>>) -> tensor<3x2xf32>
  %s = nn.slice(%d) {starts = array<i64: 0, 0>, sizes = array<i64: 2, 2>, steps = array<i64: 2, 1>} : (tensor<3x2xf32>) -> tensor<2x2xf32>
  %y = nn.matmul(%x, %s) {transpose_b} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// The integers of weights stay; what else reads the dequantised values gets
// floats.
// CHECK-LABEL: func.func @weights
func.func @weights(%x: tensor<1x2xf32>) -> (tensor<1x3xf32>, tensor<3x2xf32>) {
  %q = nn.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> as tensor<3x2x!quant.uniform<i8:f32:0, {0.5, 0.25, 2.0}>>
  // CHECK: %[[T:.*]] = nn.constant dense<{{\[}}[1, 3, 5], [2, 4, 6]]> : tensor<2x3xi8> as tensor<2x3x!quant.uniform<i8:f32:1, {5.000000e-01,2.500000e-01,2.000000e+00}>>
  // CHECK: %[[W:.*]] = nn.dequantize(%[[T]])
  %d = nn.dequantize(%q) : (tensor<3x2x!quant.uniform<i8:f32:0, {0.5, 0.25, 2.0}>>) -> tensor<3x2xf32>
  %w = nn.transpose(%d) {permutation = array<i64: 1, 0>} : (tensor<3x2xf32>) -> tensor<2x3xf32>
  // CHECK: %[[Y:.*]] = nn.matmul(%arg0, %[[W]])
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  // CHECK: %[[R:.*]] = nn.constant dense<{{\[}}[5.000000e-01, 1.000000e+00], [7.500000e-01, 1.000000e+00], [1.000000e+01, 1.200000e+01]]>
  %r = nn.relu(%d) : tensor<3x2xf32>
  // CHECK: return %[[Y]], %[[R]]
  return %y, %r : tensor<1x3xf32>, tensor<3x2xf32>
}

// -----

// A transposed convolution pads its weights and makes blocks of each channel:
// scales are repeated. No other padding may make much of little.
// CHECK-LABEL: @padded_weights
// LIMIT-LABEL: @padded_weights
func.func @padded_weights(%x: tensor<1x1x4xf32>) -> (tensor<1x4x3xf32>, tensor<1x1x2xf32>) {
  %q = nn.constant dense<[[[1, 2, 3], [4, 5, 6]]]> : tensor<1x2x3xi8> as tensor<1x2x3x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
  %d = nn.dequantize(%q) : (tensor<1x2x3x!quant.uniform<i8:f32:1, {0.5, 0.25}>>) -> tensor<1x2x3xf32>
  %p = nn.pad(%d) {pads = array<i64: 0, 0, 0, 0, 0, 1>, value = 0.0 : f32} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  %r = nn.reshape(%p) : (tensor<1x2x4xf32>) -> tensor<1x2x2x2xf32>
  %t = nn.transpose(%r) {permutation = array<i64: 1, 3, 0, 2>} : (tensor<1x2x2x2xf32>) -> tensor<2x2x1x2xf32>
  %w = nn.reshape(%t) : (tensor<2x2x1x2xf32>) -> tensor<4x1x2xf32>
  // CHECK: %[[Q:.*]] = nn.constant dense<{{\[\[\[}}1, 3]], {{\[\[}}2, 0]], {{\[\[}}4, 6]], {{\[\[}}5, 0]]]> : tensor<4x1x2xi8> as tensor<4x1x2x!quant.uniform<i8:f32:0, {5.000000e-01,5.000000e-01,2.500000e-01,2.500000e-01}>>
  // CHECK: %[[W:.*]] = nn.dequantize(%[[Q]])
  // CHECK: nn.conv(%arg0, %[[W]])
  // LIMIT: nn.constant dense<{{.*}}> : tensor<4x1x2xi8>
  %y = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x4xf32>, tensor<4x1x2xf32>) -> tensor<1x4x3xf32>
  %c = nn.constant dense<1.0> : tensor<1x1x1xf32>
  // LIMIT: nn.pad
  // LIMIT: nn.slice
  %f = nn.pad(%c) {pads = array<i64: 0, 0, 0, 0, 0, 8>, value = 0.0 : f32} : (tensor<1x1x1xf32>) -> tensor<1x1x9xf32>
  %v = nn.slice(%f) {starts = array<i64: 0, 0, 0>, sizes = array<i64: 1, 1, 3>, steps = array<i64: 1, 1, 1>} : (tensor<1x1x9xf32>) -> tensor<1x1x3xf32>
  %z = nn.conv(%x, %v) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x2xf32>
  return %y, %z : tensor<1x4x3xf32>, tensor<1x1x2xf32>
}

// A padding with a zero point, or of the channels, leaves integers behind.
// CHECK-LABEL: @padded_otherwise
func.func @padded_otherwise(%x: tensor<1x1x4xf32>) -> (tensor<1x1x2xf32>, tensor<1x2x4xf32>) {
  %q = nn.constant dense<[[[1, 2]]]> : tensor<1x1x2xi8> as tensor<1x1x2x!quant.uniform<i8:f32, 0.5:1>>
  %d = nn.dequantize(%q) : (tensor<1x1x2x!quant.uniform<i8:f32, 0.5:1>>) -> tensor<1x1x2xf32>
  // CHECK: %[[V:.*]] = nn.constant dense<{{\[\[\[}}0.000000e+00, 5.000000e-01, 0.000000e+00]]]>
  %v = nn.pad(%d) {pads = array<i64: 0, 0, 0, 0, 0, 1>, value = 0.0 : f32} : (tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  // CHECK: nn.conv(%arg0, %[[V]])
  %y = nn.conv(%x, %v) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x2xf32>
  %p = nn.constant dense<[[[4]]]> : tensor<1x1x1xi8> as tensor<1x1x1x!quant.uniform<i8:f32:0, {0.5}>>
  %e = nn.dequantize(%p) : (tensor<1x1x1x!quant.uniform<i8:f32:0, {0.5}>>) -> tensor<1x1x1xf32>
  // CHECK: %[[W:.*]] = nn.constant dense<{{\[\[\[}}2.000000e+00]], {{\[\[}}0.000000e+00]]]>
  %w = nn.pad(%e) {pads = array<i64: 0, 0, 0, 1, 0, 0>, value = 0.0 : f32} : (tensor<1x1x1xf32>) -> tensor<2x1x1xf32>
  // CHECK: nn.conv(%arg0, %[[W]])
  %z = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64} : (tensor<1x1x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  return %y, %z : tensor<1x1x2xf32>, tensor<1x2x4xf32>
}

// -----

// A reshape keeps the scales if it keeps their dimension.
// CHECK-LABEL: func.func @reshaped
func.func @reshaped(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %q = nn.constant dense<[[[1], [2]], [[3], [4]]]> : tensor<2x2x1xi8> as tensor<2x2x1x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
  %d = nn.dequantize(%q) : (tensor<2x2x1x!quant.uniform<i8:f32:1, {0.5, 0.25}>>) -> tensor<2x2x1xf32>
  // CHECK: nn.constant dense<{{.*}}> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:1, {5.000000e-01,2.500000e-01}>>
  %a = nn.reshape(%d) : (tensor<2x2x1xf32>) -> tensor<2x2xf32>
  // CHECK: nn.matmul
  %y = nn.matmul(%x, %a) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %p = nn.constant dense<[[1, 2, 3, 4]]> : tensor<1x4xi8> as tensor<1x4x!quant.uniform<i8:f32:1, {0.5, 0.25, 1.0, 2.0}>>
  %e = nn.dequantize(%p) : (tensor<1x4x!quant.uniform<i8:f32:1, {0.5, 0.25, 1.0, 2.0}>>) -> tensor<1x4xf32>
  // CHECK: nn.constant dense<{{.}}[5.000000e-01, 5.000000e-01], [3.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>
  %b = nn.reshape(%e) : (tensor<1x4xf32>) -> tensor<2x2xf32>
  // CHECK: nn.matmul
  %z = nn.matmul(%x, %b) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y, %z : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// Integers wrap and divide as the compiled program does.
// CHECK-LABEL: func.func @integers
func.func @integers() -> (tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<2xui8>, tensor<4xi1>, tensor<4xi64>, tensor<3xi8>) {
  %a = nn.constant dense<[100, -7, 5, -128]> : tensor<4xi8>
  %b = nn.constant dense<[100, 2, 0, -1]> : tensor<4xi8>
  %u = nn.constant dense<[200, 3]> : tensor<2xui8>
  %v = nn.constant dense<[1, 9]> : tensor<2xui8>
  %f = nn.constant dense<[-2.7, 3.0e9, 0x7FC00000, 0x7F800000]> : tensor<4xf32>
  %g = nn.constant dense<[-2.7, 300.5, 0.0]> : tensor<3xf32>
  // CHECK-DAG: dense<[-56, -5, 5, 127]> : tensor<4xi8>
  %s = nn.add(%a, %b) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  // CHECK-DAG: dense<[1, -3, 0, -128]> : tensor<4xi8>
  %d = nn.div(%a, %b) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  // CHECK-DAG: dense<[0, 1, 0, 0]> : tensor<4xi8>
  %m = nn.mod(%a, %b) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  // CHECK-DAG: dense<[144, 0]> : tensor<2xui8>
  %l = nn.shift_left(%u, %v) : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  // CHECK-DAG: dense<[0, -2, 5, -1]> : tensor<4xi8>
  %r = nn.shift_right(%a, %b) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  // CHECK-DAG: dense<[false, true, false, true]> : tensor<4xi1>
  %c = nn.compare less(%a, %b) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi1>
  // CHECK-DAG: dense<[-2, 3000000000, 0, 9223371487098961920]> : tensor<4xi64>
  %i = nn.cast(%f) : (tensor<4xf32>) -> tensor<4xi64>
  // CHECK-DAG: dense<[-2, 44, 0]> : tensor<3xi8>
  %j = nn.cast(%g) : (tensor<3xf32>) -> tensor<3xi8>
  return %s, %d, %m, %r, %l, %c, %i, %j : tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<4xi8>, tensor<2xui8>, tensor<4xi1>, tensor<4xi64>, tensor<3xi8>
}

// -----

// Data that was left out when the IR was printed cannot be folded.
// CHECK-LABEL: func.func @elided
func.func @elided() -> tensor<2xf32> {
  %a = nn.constant dense_resource<__elided__> : tensor<2xf32>
  // CHECK: nn.relu
  %r = nn.relu(%a) : tensor<2xf32>
  return %r : tensor<2xf32>
}

// -----

// What depends on arguments is left alone; numbers need not be finite.
// CHECK-LABEL: func.func @kept
func.func @kept(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %a = nn.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %b = nn.constant dense<[0.0, 2.0]> : tensor<2xf32>
  // CHECK: nn.constant dense<[0x7F800000, 0.000000e+00]> : tensor<2xf32>
  %d = nn.div(%a, %b) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // CHECK: nn.add
  %s = nn.add(%x, %a) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d, %s : tensor<2xf32>, tensor<2xf32>
}

// -----

// A result larger than its operands and than the limit is left alone.
// LIMIT-LABEL: func.func @limit
func.func @limit() -> (tensor<2x3xf32>, tensor<4xf32>) {
  %a = nn.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %b = nn.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  // LIMIT: nn.add
  %sum = nn.add(%a, %b) : (tensor<3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  // LIMIT-NOT: nn.relu
  %c = nn.constant dense<[-1.0, 0.0, 1.0, 2.0]> : tensor<4xf32>
  %relu = nn.relu(%c) : tensor<4xf32>
  return %sum, %relu : tensor<2x3xf32>, tensor<4xf32>
}
