// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each op becomes; numeric.test checks what it computes.
// RUN: cim-opt %s --convert-nn-to-linalg --split-input-file | FileCheck %s

// CHECK-LABEL: func @conv
// CHECK: tensor.pad {{.*}} low[0, 0, 1, 0] high[0, 0, 2, 1]
// CHECK: linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>}
func.func @conv(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>) -> tensor<1x4x5x7xf32> {
  %y = nn.conv(%x, %w, %b) {strides = array<i64: 2, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 0, 2, 1>, groups = 1 : i64}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// -----

// CHECK-LABEL: func @conv_groups_1d
// CHECK: linalg.conv_2d_ngchw_gfchw
// CHECK-SAME: tensor<1x2x2x1x9xf32>, tensor<2x3x2x1x3xf32>
func.func @conv_groups_1d(%x: tensor<1x4x9xf32>, %w: tensor<6x2x3xf32>) -> tensor<1x6x7xf32> {
  %y = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 2 : i64}
      : (tensor<1x4x9xf32>, tensor<6x2x3xf32>) -> tensor<1x6x7xf32>
  return %y : tensor<1x6x7xf32>
}

// -----

// Padding is the integer that stands for zero; the innermost loop runs over
// the result.
// CHECK: #[[$SUM:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d7)>
// CHECK-LABEL: func @conv_quantized
// CHECK-SAME: tensor<1x3x8x8xi8>, %{{.*}}: tensor<4x3x3x3xi8>
// CHECK: arith.constant 5 : i8
// CHECK: tensor.pad
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[$SUM]]]
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.muli
// CHECK: arith.sitofp
!x = !quant.uniform<u8<0:127>:f32, 0.5:5>
!w = !quant.uniform<i8<-13:13>:f32:0, {0.1, 0.2, 0.3, 0.4}>
func.func @conv_quantized(%x: tensor<1x3x8x8x!x>, %w: tensor<4x3x3x3x!w>) -> tensor<1x4x8x8xf32> {
  %y = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, groups = 1 : i64}
      : (tensor<1x3x8x8x!x>, tensor<4x3x3x3x!w>) -> tensor<1x4x8x8xf32>
  return %y : tensor<1x4x8x8xf32>
}

// -----

// The constant is transposed at compile time.
// CHECK-LABEL: func @matmul
// CHECK: %[[B:.+]] = arith.constant dense<{{\[\[}}1.000000e+00, 4.000000e+00], {{.*}}> : tensor<3x2xf32>
// CHECK: linalg.matmul ins(%{{.*}}, %[[B]] :
func.func @matmul(%a: tensor<4x3xf32>) -> tensor<4x2xf32> {
  %b = nn.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = nn.matmul(%a, %b) {transpose_b} : (tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: func @batch_matmul
// CHECK: linalg.batch_matmul ins({{.*}} : tensor<6x4x3xf32>, tensor<6x3x2xf32>)
func.func @batch_matmul(%a: tensor<2x3x4x3xf32>, %b: tensor<3x3x2xf32>) -> tensor<2x3x4x2xf32> {
  %y = nn.matmul(%a, %b) : (tensor<2x3x4x3xf32>, tensor<3x3x2xf32>) -> tensor<2x3x4x2xf32>
  return %y : tensor<2x3x4x2xf32>
}

// -----

// CHECK: #[[$CHANNEL:.+]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-LABEL: func @elementwise
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[$CHANNEL]], {{.*}}]
// CHECK: arith.addf
// CHECK: arith.cmpf ogt
// CHECK: math.floor
// CHECK: math.roundeven
func.func @elementwise(%a: tensor<1x4x8x8xf32>, %b: tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %0 = nn.add(%a, %b) : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.relu(%0) : tensor<1x4x8x8xf32>
  %2 = nn.floor(%1) : tensor<1x4x8x8xf32>
  %3 = nn.round(%2) : tensor<1x4x8x8xf32>
  return %3 : tensor<1x4x8x8xf32>
}

// -----

// Multiplication by the binary32 reciprocal; NaN; the clamp before the
// conversion.
// CHECK-LABEL: func @quantize
// CHECK-SAME: -> tensor<4xi8>
// CHECK: arith.constant dense<1.250000e+00> : tensor<f32>
// CHECK: arith.mulf
// CHECK-NEXT: math.roundeven
// CHECK-NEXT: arith.cmpf ord
// CHECK: arith.constant -6.300000e+01
// CHECK: arith.constant 6.300000e+01
// CHECK: arith.fptosi %{{.*}} : f32 to i32
// CHECK-NEXT: arith.trunci %{{.*}} : i32 to i8
func.func @quantize(%x: tensor<4xf32>) -> tensor<4x!quant.uniform<i8<-63:63>:f32, 0.8>> {
  %q = nn.quantize(%x) nearest_even : (tensor<4xf32>) -> tensor<4x!quant.uniform<i8<-63:63>:f32, 0.8>>
  return %q : tensor<4x!quant.uniform<i8<-63:63>:f32, 0.8>>
}

// -----

// CHECK-LABEL: func @storage
// CHECK-SAME: %[[X:.+]]: tensor<4xi8>
// CHECK-NEXT: return %[[X]]
func.func @storage(%x: tensor<4x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<4xi8> {
  %y = quant.scast %x : tensor<4x!quant.uniform<u8<0:127>:f32, 0.5>> to tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// CHECK-LABEL: func @movement
// CHECK: tensor.collapse_shape
// CHECK: tensor.extract_slice {{.*}}[0, 1] [2, 5] [1, 2]
// CHECK: tensor.generate
// CHECK: tensor.insert_slice
func.func @movement(%x: tensor<2x3x4xf32>) -> tensor<2x10xf32> {
  %0 = nn.reshape(%x) : (tensor<2x3x4xf32>) -> tensor<2x12xf32>
  %1 = nn.slice(%0) {starts = array<i64: 0, 1>, sizes = array<i64: 2, 5>, steps = array<i64: 1, 2>} : (tensor<2x12xf32>) -> tensor<2x5xf32>
  %2 = nn.slice(%0) {starts = array<i64: 0, 4>, sizes = array<i64: 2, 5>, steps = array<i64: 1, -1>} : (tensor<2x12xf32>) -> tensor<2x5xf32>
  %3 = nn.concat(%1, %2) {axis = 1 : i64} : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x10xf32>
  return %3 : tensor<2x10xf32>
}

// -----

// A uniform divisor is a scalar, one that depends on the place a table.
// Whatever the indices are, they are brought into bounds before they are used.
// CHECK-LABEL: func @gather
// CHECK: linalg.generic
// CHECK: %[[LOW:.*]] = arith.maxsi
// CHECK: %[[IN:.*]] = arith.minsi %[[LOW]]
// CHECK: tensor.extract %{{.*}}[%{{.*}}, %[[IN]], %{{.*}}]
func.func @gather(%x: tensor<2x12xf32>, %i: tensor<3xi32>) -> tensor<2x3xf32> {
  %0 = nn.gather(%x, %i) {axis = 1 : i64} : (tensor<2x12xf32>, tensor<3xi32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @scatter
// CHECK: scf.for
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[AT:.*]], %{{.*}} : index
// CHECK: %[[PLACE:.*]] = arith.select %[[INSIDE]], %[[AT]], %{{.*}} : index
// CHECK: %[[OLD:.*]] = tensor.extract %{{.*}}[%{{.*}}, %[[PLACE]], %{{.*}}]
// CHECK: %[[NEW:.*]] = arith.maxui %[[OLD]]
// CHECK: %[[WRITTEN:.*]] = arith.select %[[INSIDE]], %[[NEW]], %[[OLD]]
// CHECK: tensor.insert %[[WRITTEN]] into %{{.*}}[%{{.*}}, %[[PLACE]], %{{.*}}]
func.func @scatter(%x: tensor<2x12xui8>, %i: tensor<3xi64>, %u: tensor<2x3xui8>) -> tensor<2x12xui8> {
  %0 = nn.scatter max(%x, %i, %u) {axis = 1 : i64} : (tensor<2x12xui8>, tensor<3xi64>, tensor<2x3xui8>) -> tensor<2x12xui8>
  return %0 : tensor<2x12xui8>
}

// CHECK-LABEL: func @avg_pool
// CHECK: arith.constant dense<4.000000e+00> : tensor<f32>
// CHECK: arith.constant dense<{{\[\[}}4.000000e+00, 6.000000e+00], [6.000000e+00, 9.000000e+00]]> : tensor<2x2xf32>
func.func @avg_pool(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %0 = nn.avg_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %1 = nn.avg_pool(%x) {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 0, 0>}
      : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  return %0, %1 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// -----

// CHECK: func private @cim_observe(tensor<?xf32> {bufferization.access = "read"}, i64)
// CHECK-LABEL: func @observe
// CHECK: call @cim_observe
func.func @observe(%x: tensor<2x3xf32>) {
  nn.observe(%x) value 7 : tensor<2x3xf32>
  return
}

// -----

// Sums that could leave 32 bits are float.
// CHECK-LABEL: func @wide_matmul
// CHECK-NOT: arith.muli
// CHECK: linalg.matmul
!s = !quant.uniform<i16:f32, 0.1>
func.func @wide_matmul(%a: tensor<2x8x!s>, %b: tensor<8x3x!s>) -> tensor<2x3xf32> {
  %y = nn.matmul(%a, %b) : (tensor<2x8x!s>, tensor<8x3x!s>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
