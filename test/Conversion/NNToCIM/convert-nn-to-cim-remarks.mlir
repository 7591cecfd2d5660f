// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every reason for which an op stays digital: as a remark and as an attribute.
// The target takes unsigned inputs and at most 2 cells per weight.
// RUN: cim-opt %s --convert-nn-to-cim=target=%S/Inputs/unsigned.yaml --split-input-file --verify-diagnostics | FileCheck %s

// CHECK: nn.digital = "its input is not quantised"
func.func @f(%x: tensor<1x2xf32>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its input is not quantised}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2xf32>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its input has more than one scale"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32:1, {0.5, 0.25}>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its input has more than one scale}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32:1, {0.5, 0.25}>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its input has zero point 3, but arrays multiply with the integers themselves"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5:3>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its input has zero point 3, but arrays multiply with the integers themselves}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5:3>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its input is stored in 16 bits, but feature maps on arrays are stored in 8"
func.func @f(%x: tensor<1x2x!quant.uniform<i16<-63:63>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its input is stored in 16 bits, but feature maps on arrays are stored in 8}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<i16<-63:63>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its input is in 0..255, but target 'unsigned' takes 0..127"
func.func @f(%x: tensor<1x2x!quant.uniform<u8:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its input is in 0..255, but target 'unsigned' takes 0..127}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its input is in -63..63, but target 'unsigned' takes 0..127"
func.func @f(%x: tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its input is in -63..63, but target 'unsigned' takes 0..127}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its weights are not constant"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, %w: tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) {
  // expected-remark @below {{stays digital: its weights are not constant}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its weights are not quantised"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1.0> : tensor<2x2xf32>
  // expected-remark @below {{stays digital: its weights are not quantised}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its weights are not signed 8-bit integers"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi16> as tensor<2x2x!quant.uniform<i16<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its weights are not signed 8-bit integers}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i16<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its weights do not have zero point 0 and one scale or one per output channel"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:1, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its weights do not have zero point 0 and one scale or one per output channel}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:1, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its weights do not have zero point 0 and one scale or one per output channel"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32, 0.5:1>>
  // expected-remark @below {{stays digital: its weights do not have zero point 0 and one scale or one per output channel}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32, 0.5:1>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its weights may be -128, which has no negative in 8 bits; quantise them to -127..127"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its weights may be -128, which has no negative in 8 bits; quantise them to -127..127}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "a weight is 2, but its type allows -1..1"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<2> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: a weight is 2, but its type allows -1..1}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its bias is not constant"
func.func @f(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, %b: tensor<2xf32>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: its bias is not constant}}
  %0 = nn.matmul(%x, %w, %b) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>, tensor<2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "its right operand is a batch of matrices"
func.func @f(%x: tensor<2x1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2x2xi8> as tensor<2x2x2x!quant.uniform<i8<-1:1>:f32, 0.5>>
  // expected-remark @below {{stays digital: its right operand is a batch of matrices}}
  %0 = nn.matmul(%x, %w) : (tensor<2x1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x2x!quant.uniform<i8<-1:1>:f32, 0.5>>) -> tensor<2x1x2xf32>
  return
}

// -----

// CHECK: nn.digital = "it runs on 3 images, but the network on 2 samples per call"
module attributes {nn.batch = 2 : i64} {
func.func @f(%x: tensor<3x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-remark @below {{stays digital: it runs on 3 images, but the network on 2 samples per call}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<3x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<3x2xf32>
  return
}
}

// -----

// Three channels of 2 x 2 taps share 12 of 16 rows: a third of the cells is used.
// CHECK: nn.digital = "its 3 groups would take 3.0 cells per weight as a block-diagonal matrix, but target 'unsigned' allows 2"
func.func @depthwise(%x: tensor<1x3x4x4x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<3x1x2x2xi8> as tensor<3x1x2x2x!quant.uniform<i8<-1:1>:f32, 0.5>>
  // expected-remark @below {{stays digital: its 3 groups would take 3.0 cells per weight as a block-diagonal matrix, but target 'unsigned' allows 2}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 3 : i64}
      : (tensor<1x3x4x4x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<3x1x2x2x!quant.uniform<i8<-1:1>:f32, 0.5>>) -> tensor<1x3x3x3xf32>
  return
}

// -----

// Two channels waste no more than the target allows.
// CHECK: cim.matrix
// CHECK-NOT: nn.digital
func.func @depthwise(%x: tensor<1x2x4x4x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x1x2x2xi8> as tensor<2x1x2x2x!quant.uniform<i8<-1:1>:f32, 0.5>>
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64}
      : (tensor<1x2x4x4x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x1x2x2x!quant.uniform<i8<-1:1>:f32, 0.5>>) -> tensor<1x2x3x3xf32>
  return
}

// -----

// In float, too, the groups are the reason that stays.
// CHECK: nn.digital = "its 3 groups would take 3.0 cells per weight
func.func @float_depthwise(%x: tensor<1x3x4x4xf32>, %w: tensor<3x1x2x2xf32>) {
  // expected-remark @below {{stays digital: its 3 groups would take 3.0 cells per weight as a block-diagonal matrix, but target 'unsigned' allows 2}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 3 : i64}
      : (tensor<1x3x4x4xf32>, tensor<3x1x2x2xf32>) -> tensor<1x3x3x3xf32>
  return
}
