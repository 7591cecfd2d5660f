// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --convert-nn-to-linalg --linalg-merge-elementwise --split-input-file | FileCheck %s
// RUN: cim-opt %s --convert-nn-to-linalg --linalg-merge-elementwise=fuse=false --split-input-file | FileCheck %s --check-prefix=APART

// The digital part between two crossbar layers is one loop.
// CHECK-LABEL: func @residual
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel"]
// CHECK: arith.extui
// CHECK: arith.addf
// CHECK: math.roundeven
// CHECK: arith.trunci
// CHECK-NOT: linalg.generic
// APART-LABEL: func @residual
// APART-COUNT-4: linalg.generic
!q = !quant.uniform<u8<0:127>:f32, 0.05>
func.func @residual(%a: tensor<1x8x8x16x!q>, %b: tensor<1x8x8x16xf32>) -> tensor<1x8x8x16x!q> {
  %x = nn.dequantize(%a) : (tensor<1x8x8x16x!q>) -> tensor<1x8x8x16xf32>
  %s = nn.add(%x, %b) : (tensor<1x8x8x16xf32>, tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32>
  %r = nn.relu(%s) : tensor<1x8x8x16xf32>
  %y = nn.quantize(%r) nearest_even : (tensor<1x8x8x16xf32>) -> tensor<1x8x8x16x!q>
  return %y : tensor<1x8x8x16x!q>
}

// -----

// A value of many windows is computed once.
// CHECK-LABEL: func @windows
// CHECK: math.floor
// CHECK: linalg.yield
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "parallel"]
// CHECK-NOT: math.floor
// APART-LABEL: func @windows
func.func @windows(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x6x6xf32> {
  %f = nn.floor(%x) : tensor<1x4x8x8xf32>
  %y = nn.max_pool(%f) {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x4x8x8xf32>) -> tensor<1x4x6x6xf32>
  return %y : tensor<1x4x6x6xf32>
}

// -----

// The ReLU overwrites the convolution's result, but not the argument and not
// what the addition still reads.
// CHECK-LABEL: func @in_place
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x4x4xf32>
// CHECK: %[[CONV:.+]] = linalg.conv_2d_nchw_fchw
// CHECK: %[[FLAT:.+]] = tensor.collapse_shape %[[CONV]]
// CHECK: linalg.generic {{.*}} outs(%[[FLAT]] : tensor<32xf32>)
// CHECK: arith.select
// CHECK: linalg.generic
// CHECK-NOT: outs(%[[X]]
// APART-LABEL: func @in_place
func.func @in_place(%x: tensor<1x2x4x4xf32>, %w: tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32> {
  %c = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
      : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %r = nn.relu(%c) : tensor<1x2x4x4xf32>
  %d = nn.conv(%r, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
      : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %s = nn.sub(%x, %d) : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %s : tensor<1x2x4x4xf32>
}

// -----

// From planes to pixels: the loop over 64 positions is inside that over 3
// channels.
// CHECK-DAG: #[[$IN:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[$OUT:.+]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK-LABEL: func @few_channels
// CHECK: linalg.generic {indexing_maps = [#[[$IN]], #[[$OUT]]]
// APART-LABEL: func @few_channels
func.func @few_channels(%x: tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32> {
  %y = nn.transpose(%x) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
  return %y : tensor<1x8x8x3xf32>
}
