// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-set-batch=batch=8 --split-input-file | FileCheck %s
// RUN: cim-opt %s --nn-set-batch=batch=8 --nn-set-batch=batch=2 --split-input-file | FileCheck %s --check-prefix=BACK

// CHECK: module attributes {nn.batch = 8 : i64}
// CHECK: @main(%{{.*}}: tensor<8x1x4x4xf32>) -> tensor<8x3xf32>
// CHECK: nn.conv{{.*}} -> tensor<8x2x4x4xf32>
// CHECK: nn.slice{{.*}}sizes = array<i64: 8, 2, 4, 2>{{.*}} -> tensor<8x2x4x2xf32>
// CHECK: nn.reshape{{.*}} -> tensor<8x16xf32>
// CHECK: nn.matmul{{.*}} -> tensor<8x3xf32>
// BACK: @main(%{{.*}}: tensor<2x1x4x4xf32>) -> tensor<2x3xf32>
module attributes {nn.batch = 2 : i64} {
  func.func @main(%x: tensor<2x1x4x4xf32>) -> tensor<2x3xf32> {
    %w = nn.constant dense<3.0> : tensor<2x1x1x1xf32>
    %v = nn.constant dense<3.0> : tensor<16x3xf32>
    %c = nn.constant dense<3.0> : tensor<2x1x1xf32>
    %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
        : (tensor<2x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<2x2x4x4xf32>
    %1 = nn.add(%0, %c) : (tensor<2x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<2x2x4x4xf32>
    %2 = nn.slice(%1) {starts = array<i64: 0, 0, 0, 0>, sizes = array<i64: 2, 2, 4, 2>, steps = array<i64: 1, 1, 1, 2>}
        : (tensor<2x2x4x4xf32>) -> tensor<2x2x4x2xf32>
    %3 = nn.reshape(%2) : (tensor<2x2x4x2xf32>) -> tensor<2x16xf32>
    %4 = nn.matmul(%3, %v) : (tensor<2x16xf32>, tensor<16x3xf32>) -> tensor<2x3xf32>
    return %4 : tensor<2x3xf32>
  }
}

// -----

// Without its batch dimension for a while.
// CHECK: nn.reshape{{.*}} -> tensor<32x2xf32>
// CHECK: nn.matmul{{.*}} -> tensor<32x3xf32>
// CHECK: nn.reshape{{.*}} -> tensor<8x4x3xf32>
func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x3xf32> {
  %w = nn.constant dense<3.0> : tensor<2x3xf32>
  %0 = nn.reshape(%x) : (tensor<1x4x2xf32>) -> tensor<4x2xf32>
  %1 = nn.matmul(%0, %w) : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  %2 = nn.reshape(%1) : (tensor<4x3xf32>) -> tensor<1x4x3xf32>
  return %2 : tensor<1x4x3xf32>
}

// -----

// A recurrent layer as ONNX has it: samples behind the steps, whose number is
// the same. One step is without them, and one dimension counts both for a while.
// CHECK: nn.transpose{{.*}} -> tensor<3x8x2xf32>
// CHECK: nn.slice{{.*}}sizes = array<i64: 1, 8, 2>{{.*}} -> tensor<1x8x2xf32>
// CHECK: nn.reshape{{.*}} -> tensor<8x2xf32>
// CHECK: nn.matmul{{.*}} -> tensor<8x2xf32>
// CHECK: nn.add{{.*}} -> tensor<3x8x2xf32>
// CHECK: nn.reshape{{.*}} -> tensor<24x2xf32>
// CHECK: nn.matmul{{.*}} -> tensor<24x5xf32>
// CHECK: nn.reshape{{.*}} -> tensor<3x8x5xf32>
// CHECK: nn.transpose{{.*}} -> tensor<8x3x5xf32>
// BACK: return %{{.*}} : tensor<2x3x5xf32>
func.func @main(%x: tensor<3x3x2xf32>) -> tensor<3x3x5xf32> {
  %v = nn.constant dense<3.0> : tensor<2x2xf32>
  %w = nn.constant dense<3.0> : tensor<2x5xf32>
  %0 = nn.transpose(%x) {permutation = array<i64: 1, 0, 2>} : (tensor<3x3x2xf32>) -> tensor<3x3x2xf32>
  %1 = nn.slice(%0) {starts = array<i64: 1, 0, 0>, sizes = array<i64: 1, 3, 2>, steps = array<i64: 1, 1, 1>} : (tensor<3x3x2xf32>) -> tensor<1x3x2xf32>
  %2 = nn.reshape(%1) : (tensor<1x3x2xf32>) -> tensor<3x2xf32>
  %3 = nn.matmul(%2, %v) : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %4 = nn.add(%0, %3) : (tensor<3x3x2xf32>, tensor<3x2xf32>) -> tensor<3x3x2xf32>
  %5 = nn.reshape(%4) : (tensor<3x3x2xf32>) -> tensor<9x2xf32>
  %6 = nn.matmul(%5, %w) : (tensor<9x2xf32>, tensor<2x5xf32>) -> tensor<9x5xf32>
  %7 = nn.reshape(%6) : (tensor<9x5xf32>) -> tensor<3x3x5xf32>
  %8 = nn.transpose(%7) {permutation = array<i64: 1, 0, 2>} : (tensor<3x3x5xf32>) -> tensor<3x3x5xf32>
  return %8 : tensor<3x3x5xf32>
}

// -----

// One sample per call might be anywhere among extents of 1.
// CHECK: nn.reshape{{.*}} -> tensor<8x6xf32>
// CHECK: nn.matmul{{.*}} -> tensor<8x4xf32>
// CHECK: nn.reshape{{.*}} -> tensor<8x1x4xf32>
// CHECK: nn.transpose{{.*}} -> tensor<1x8x4xf32>
// CHECK: nn.reshape{{.*}} -> tensor<8x4xf32>
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x4xf32> {
  %w = nn.constant dense<3.0> : tensor<6x4xf32>
  %0 = nn.reshape(%x) : (tensor<1x3x2xf32>) -> tensor<1x6xf32>
  %1 = nn.matmul(%0, %w) : (tensor<1x6xf32>, tensor<6x4xf32>) -> tensor<1x4xf32>
  %2 = nn.reshape(%1) : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
  %3 = nn.transpose(%2) {permutation = array<i64: 1, 0, 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %4 = nn.reshape(%3) : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
  return %4 : tensor<1x4xf32>
}

// -----

// A table is read by every sample; samples are repeated within themselves.
// CHECK: nn.gather{{.*}} -> tensor<8x4x5xf32>
// CHECK: nn.gather{{.*}} -> tensor<8x2x5xf32>
// CHECK: nn.reshape{{.*}} -> tensor<8x1x10xf32>
// CHECK: nn.broadcast{{.*}} -> tensor<8x3x10xf32>
func.func @main(%i: tensor<1x4xi64>) -> tensor<1x3x10xf32> {
  %table = nn.constant dense<3.0> : tensor<9x5xf32>
  %list = nn.constant dense<[3, 1]> : tensor<2xi64>
  %0 = nn.gather(%table, %i) {axis = 0 : i64} : (tensor<9x5xf32>, tensor<1x4xi64>) -> tensor<1x4x5xf32>
  %1 = nn.gather(%0, %list) {axis = 1 : i64} : (tensor<1x4x5xf32>, tensor<2xi64>) -> tensor<1x2x5xf32>
  %2 = nn.reshape(%1) : (tensor<1x2x5xf32>) -> tensor<1x1x10xf32>
  %3 = nn.broadcast(%2) : (tensor<1x1x10xf32>) -> tensor<1x3x10xf32>
  return %3 : tensor<1x3x10xf32>
}

// -----

// Both results count samples.
// CHECK: nn.top_k{{.*}} -> (tensor<8x2xf32>, tensor<8x2xi64>)
// CHECK: return {{.*}} : tensor<8x2xf32>, tensor<8x2xi64>
func.func @main(%x: tensor<3x4xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>) {
  %0, %1 = nn.top_k(%x) {k = 2 : i64} : (tensor<3x4xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  return %0, %1 : tensor<3x2xf32>, tensor<3x2xi64>
}

// -----

// Integers, as networks that arrive quantised take and give them.
// CHECK: quant.scast{{.*}} to tensor<8x4xi8>
// CHECK: builtin.unrealized_conversion_cast{{.*}} to tensor<8x4xui8>
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xui8> {
  %0 = nn.quantize(%x) nearest_even : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<u8:f32, 0.5>>
  %1 = quant.scast %0 : tensor<1x4x!quant.uniform<u8:f32, 0.5>> to tensor<1x4xi8>
  %2 = builtin.unrealized_conversion_cast %1 : tensor<1x4xi8> to tensor<1x4xui8>
  return %2 : tensor<1x4xui8>
}
