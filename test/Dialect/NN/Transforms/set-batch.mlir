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
