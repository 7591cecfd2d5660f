// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --convert-nn-to-cim | FileCheck %s
// RUN: cim-opt %s --convert-nn-to-cim --cim-verify-phase=phase=cim

!in = !quant.uniform<i8<-63:63>:f32, 0.5>
!un = !quant.uniform<u8<0:127>:f32, 0.5>

module attributes {nn.batch = 2 : i64} {

// Row ((g * 2 + kh) * 2 + kw) * 2 + c: for every tap the two channels.
// CHECK-LABEL: cim.matrix @layer1_conv weights
// CHECK-SAME{LITERAL}: (dense<[[1, 11], [5, 15], [2, 12], [6, 16], [3, 13], [7, 17], [4, 14], [8, 18]]> : tensor<8x2xi8>) levels 40 groups 1

// Every group sees its own channels only.
// CHECK-LABEL: cim.matrix @grouped
// CHECK-SAME{LITERAL}: (dense<[[1, 0], [2, 0], [0, 3], [0, 4]]> : tensor<4x2xi8>) levels 4 groups 2

// CHECK-LABEL: cim.matrix @conv1d
// CHECK-SAME{LITERAL}: (dense<[[1], [4], [2], [5], [3], [6]]> : tensor<6x1xi8>)

// CHECK-LABEL: cim.matrix @_3
// CHECK-SAME{LITERAL}: (dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>)
// CHECK-LABEL: cim.matrix @_3_0
// CHECK-SAME{LITERAL}: (dense<[[1, 3, 5], [2, 4, 6]]> : tensor<2x3xi8>)
// CHECK-NOT: cim.matrix

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<2x2x3x4x!in>, %line: tensor<2x2x5x!un>, %a: tensor<2x2x!in>, %rows: tensor<6x2x!in>) {
  // CHECK: %[[T:.*]] = nn.transpose(%arg0) {permutation = array<i64: 0, 2, 3, 1>} : {{.*}} -> tensor<2x3x4x2x
  // CHECK: %[[Y:.*]] = cim.mvm @layer1_conv(%[[T]]) kernel [2, 2] strides [1, 2] dilations [1, 1] pads [1, 0]
  // CHECK-SAME: scale(dense<[1.250000e-01, 2.500000e-01]> : tensor<2xf64>) bias(dense<[1.000000e+00, -1.000000e+00]> : tensor<2xf64>)
  // CHECK-SAME: clamp{{ *}}[0xFF800000, 0x7F800000] nearest_even
  // CHECK-SAME: mean(dense<3.000000e+00> : tensor<2xf64>) deviation(dense<4.000000e+00> : tensor<2xf64>)
  // CHECK-SAME: -> tensor<2x3x2x2xf32>
  // CHECK: nn.transpose(%[[Y]]) {permutation = array<i64: 0, 3, 1, 2>} : {{.*}} -> tensor<2x2x3x2xf32>
  %w0 = nn.constant dense<[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[[11, 12], [13, 14]], [[15, 16], [17, 18]]]]> : tensor<2x2x2x2xi8> as tensor<2x2x2x2x!quant.uniform<i8<-40:40>:f32:0, {0.25, 0.5}>>
  %b0 = nn.constant dense<[1.0, -1.0]> : tensor<2xf32>
  %0 = nn.conv(%x, %w0, %b0) {strides = array<i64: 1, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 0, 0, 0>, groups = 1 : i64,
                              nn.mean = dense<3.0> : tensor<2xf64>, nn.deviation = dense<4.0> : tensor<2xf64>}
      : (tensor<2x2x3x4x!in>, tensor<2x2x2x2x!quant.uniform<i8<-40:40>:f32:0, {0.25, 0.5}>>, tensor<2xf32>) -> tensor<2x2x3x2xf32> loc("/layer1/conv")

  %w1 = nn.constant dense<[[[[1, 2]]], [[[3, 4]]]]> : tensor<2x1x1x2xi8> as tensor<2x1x1x2x!quant.uniform<i8<-4:4>:f32:0, {0.25, 0.5}>>
  %1 = nn.conv(%x, %w1) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64}
      : (tensor<2x2x3x4x!in>, tensor<2x1x1x2x!quant.uniform<i8<-4:4>:f32:0, {0.25, 0.5}>>) -> tensor<2x2x3x3xf32> loc("grouped")

  // One dimension in space is the width of a map of height 1.
  // CHECK: %[[T:.*]] = nn.transpose(%arg1) {permutation = array<i64: 0, 2, 1>}
  // CHECK: %[[R:.*]] = nn.reshape(%[[T]]) : {{.*}} -> tensor<2x1x5x2x
  // CHECK: %[[Y:.*]] = cim.mvm @conv1d(%[[R]]) kernel [1, 3] strides [1, 2] dilations [1, 1] pads [0, 1]
  // CHECK-SAME: scale(dense<1.250000e-01> : tensor<1xf64>) bias(dense<0.000000e+00> : tensor<1xf64>)
  // CHECK: %[[R:.*]] = nn.reshape(%[[Y]]) : (tensor<2x1x3x1xf32>) -> tensor<2x3x1xf32>
  // CHECK: nn.transpose(%[[R]]) {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x1xf32>) -> tensor<2x1x3xf32>
  %w2 = nn.constant dense<[[[1, 2, 3], [4, 5, 6]]]> : tensor<1x2x3xi8> as tensor<1x2x3x!quant.uniform<i8<-13:13>:f32, 0.25>>
  %2 = nn.conv(%line, %w2) {strides = array<i64: 2>, dilations = array<i64: 1>, pads = array<i64: 1, 1>, groups = 1 : i64}
      : (tensor<2x2x5x!un>, tensor<1x2x3x!quant.uniform<i8<-13:13>:f32, 0.25>>) -> tensor<2x1x3xf32> loc("conv1d")

  // Two nodes of one name, which a symbol cannot begin with.
  // CHECK: %[[R:.*]] = nn.reshape(%arg2) : {{.*}} -> tensor<2x1x1x2x
  // CHECK: %[[Y:.*]] = cim.mvm @_3(%[[R]]) kernel [1, 1]
  // CHECK: nn.reshape(%[[Y]]) : (tensor<2x1x1x3xf32>) -> tensor<2x3xf32>
  // CHECK: cim.mvm @_3_0
  %w3 = nn.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8> as tensor<2x3x!quant.uniform<i8<-13:13>:f32:1, {0.25, 0.5, 1.0}>>
  %3 = nn.matmul(%a, %w3) : (tensor<2x2x!in>, tensor<2x3x!quant.uniform<i8<-13:13>:f32:1, {0.25, 0.5, 1.0}>>) -> tensor<2x3xf32> loc("3")
  %w4 = nn.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> as tensor<3x2x!quant.uniform<i8<-13:13>:f32:0, {0.25, 0.5, 1.0}>>
  %4 = nn.matmul(%a, %w4) {transpose_b} : (tensor<2x2x!in>, tensor<3x2x!quant.uniform<i8<-13:13>:f32:0, {0.25, 0.5, 1.0}>>) -> tensor<2x3xf32> loc("3")

  // Six rows of two samples are three windows each. The weights of the first
  // product have their matrix.
  // CHECK: %[[R:.*]] = nn.reshape(%arg3) : {{.*}} -> tensor<2x1x3x2x
  // CHECK: cim.mvm @_3(%[[R]]) {{.*}} -> tensor<2x1x3x3xf32>
  %5 = nn.matmul(%rows, %w3) : (tensor<6x2x!in>, tensor<2x3x!quant.uniform<i8<-13:13>:f32:1, {0.25, 0.5, 1.0}>>) -> tensor<6x3xf32>
  return
}

}
