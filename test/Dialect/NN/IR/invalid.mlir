// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every rule of the dialect's verifiers and inference functions, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x4xf32>, %w: tensor<6x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected an input of rank 3 or 4 (N x C x one or two spatial dimensions), but got rank 2}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4xf32>, tensor<6x4xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected weights of rank 4 like the input, but got rank 3}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 2 entries in 'strides', but got 1}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 2 entries in 'dilations', but got 3}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 4 entries in 'pads', but got 2}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 'groups' to divide the 4 input channels, but got 3}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 3 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 'groups' to divide the 4 input channels, but got 0}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 0 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected weights for 1 input channels per group, but got 2}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 4 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x1x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 'groups' to divide the 6 output channels, but got 4}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 4 : i64} : (tensor<1x4x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>, %b: tensor<5xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a bias of shape [6], one value per output channel, but got [5]}}
  %0 = nn.conv(%x, %w, %b) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>, tensor<5xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected kernel, strides and dilations of at least 1, but got 3, 0 and 1}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 0, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected pads of at least 0, but got -1 and 0}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: -1, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{kernel, strides, dilations and pads must be below 2^31}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 9999999999, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{a window of 3 taps with dilation 4 does not fit into 8 elements and pads 0 and 0}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 4, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{inferred type(s) 'tensor<1x6x6x6xf32>' are incompatible with return type(s) of operation 'tensor<1x6x7x6xf32>'}}
  %0 = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x7x6xf32>
  return
}

// -----

func.func @f(%a: tensor<2xf32>, %b: tensor<2x2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected operands of rank 2 or more, but got ranks 1 and 2}}
  %0 = nn.matmul(%a, %b) : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x3xf32>, %b: tensor<2x2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected inner dimensions to agree, but got 3 and 2}}
  %0 = nn.matmul(%a, %b) : (tensor<2x3xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%a: tensor<3x2x2xf32>, %b: tensor<2x2x2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{do not broadcast: 3 against 2}}
  %0 = nn.matmul(%a, %b) : (tensor<3x2x2xf32>, tensor<2x2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%a: tensor<2x2xf32>, %b: tensor<2x2xf32>, %c: tensor<1x2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a bias of shape [2], one value per output channel, but got [1, 2]}}
  %0 = nn.matmul(%a, %b, %c) : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected an input of rank 2 or more, but got rank 1}}
  %0 = nn.batch_norm(%x, %x, %x, %x, %x) {epsilon = 0.0 : f32} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4xf32>, %c: tensor<4xf32>, %d: tensor<3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 'mean' of shape [4], one value per channel, but got [3]}}
  %0 = nn.batch_norm(%x, %c, %c, %d, %c) {epsilon = 0.0 : f32} : (tensor<1x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<3xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @f(%a: tensor<2x4xf32>, %b: tensor<3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{do not broadcast: 3 against 4}}
  %0 = nn.add(%b, %a) : (tensor<3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%a: tensor<4xf32>, %b: tensor<4xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected operands of one element type, but got 'f32' and 'i32'}}
  %0 = nn.add(%a, %b) : (tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @f(%a: tensor<4xi32>) {
  // expected-error @below {{op operand #0 must be}}
  %0 = nn.exp(%a) : tensor<4xi32>
  return
}

// -----

func.func @f(%a: tensor<4xf32>) {
  // expected-error @below {{op requires the same shape for all operands and results}}
  %0 = nn.cast(%a) : (tensor<4xf32>) -> tensor<2xi32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{expects lo <= hi, but got 1.000000e+00 : f32 and 0.000000e+00 : f32}}
  %0 = nn.clamp(%x) to [1.0, 0.0] : tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{expects lo <= hi, but got 0x7FC00000 : f32 and 0.000000e+00 : f32}}
  %0 = nn.clamp(%x) to [0x7FC00000, 0.0] : tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{expects an axis in [0, 1), but got 1}}
  %0 = nn.softmax(%x) axis 1 : tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected an input of rank 3 or more (N x C x spatial), but got rank 2}}
  %0 = nn.max_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 2 entries in 'kernel', but got 1}}
  %0 = nn.max_pool(%x) {kernel = array<i64: 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 2 entries in 'strides', but got 1}}
  %0 = nn.avg_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 2 entries in 'dilations', but got 1}}
  %0 = nn.max_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 2>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 4 entries in 'pads', but got 1}}
  %0 = nn.max_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected pads smaller than the window, but got 2 for a window of 2}}
  %0 = nn.avg_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 2, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{a window of 9 taps with dilation 1 does not fit into 8 elements and pads 0 and 0}}
  %0 = nn.max_pool(%x) {kernel = array<i64: 9, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected increasing axes in [0, 3), but got}}
  %0 = nn.reduce mean(%x) {axes = array<i64: 2, 1>, keep_dims = true} : (tensor<2x3x4xf32>) -> tensor<2x1x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected increasing axes in [0, 3), but got}}
  %0 = nn.reduce mean(%x) {axes = array<i64: 1, 1>, keep_dims = true} : (tensor<2x3x4xf32>) -> tensor<2x1x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected increasing axes in [0, 3), but got}}
  %0 = nn.reduce mean(%x) {axes = array<i64: 3>, keep_dims = true} : (tensor<2x3x4xf32>) -> tensor<2x1x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected increasing axes in [0, 3), but got}}
  %0 = nn.reduce mean(%x) {axes = array<i64: -1>, keep_dims = true} : (tensor<2x3x4xf32>) -> tensor<2x1x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a mean of floats, but got 'i32'}}
  %0 = nn.reduce mean(%x) {axes = array<i64: 1>, keep_dims = true} : (tensor<2x3xi32>) -> tensor<2x1xi32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected k of at least 1 and at most the last extent of [2, 3], but got 4}}
  %0, %1 = nn.top_k(%x) {k = 4 : i64} : (tensor<2x3xf32>) -> (tensor<2x4xf32>, tensor<2x4xi64>)
  return
}

// -----

func.func @f(%x: tensor<f32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected k of at least 1 and at most the last extent of [], but got 1}}
  %0, %1 = nn.top_k(%x) {k = 1 : i64} : (tensor<f32>) -> (tensor<1xf32>, tensor<1xi64>)
  return
}

// -----

func.func @f(%x: tensor<2x3xi1>) {
  // expected-error @below {{operand #0 must be statically shaped tensor of 32-bit float or integer values, but got 'tensor<2x3xi1>'}}
  %0 = nn.reduce max(%x) {axes = array<i64: 1>, keep_dims = true} : (tensor<2x3xi1>) -> tensor<2x1xi1>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{expects a result of 'f32', but got 'i32'}}
  %0 = nn.reshape(%x) : (tensor<4xf32>) -> tensor<4xi32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{expects a result of 4 elements, but got [5]}}
  %0 = nn.reshape(%x) : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @f(%x: tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) {
  // expected-error @below {{expected a tensor quantised with one scale, but got}}
  %0 = nn.reshape(%x) : (tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) -> tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a permutation of 2 dimensions, but got [0, 0]}}
  %0 = nn.transpose(%x) {permutation = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a permutation of 2 dimensions, but got [0]}}
  %0 = nn.transpose(%x) {permutation = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a tensor quantised with one scale, but got}}
  %0 = nn.transpose(%x) {permutation = array<i64: 1, 0>} : (tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) -> tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f() {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected at least one operand}}
  %0 = nn.concat() {axis = 0 : i64} : () -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected an axis in [0, 1), but got 1}}
  %0 = nn.concat(%x) {axis = 1 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2xf32>, %y: tensor<2xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected operands of 'f32', but got 'i32'}}
  %0 = nn.concat(%x, %y) {axis = 0 : i64} : (tensor<2xf32>, tensor<2xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected operands that differ only in dimension 0, but got [2, 3] and [2, 4]}}
  %0 = nn.concat(%x, %y) {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a tensor quantised with one scale, but got}}
  %0 = nn.concat(%x) {axis = 1 : i64} : (tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) -> tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f(%x: tensor<2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 2 entries in 'pads', but got 1}}
  %0 = nn.pad(%x) {pads = array<i64: 1>, value = 0.0 : f32} : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @f(%x: tensor<2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected pads of at least 0, but got -1}}
  %0 = nn.pad(%x) {pads = array<i64: 1, -1>, value = 0.0 : f32} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a tensor quantised with one scale, but got}}
  %0 = nn.pad(%x) {pads = array<i64: 0, 0, 0, 0>, value = 0.0 : f32} : (tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) -> tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 1 entries in 'starts', but got 2}}
  %0 = nn.slice(%x) {starts = array<i64: 0, 0>, sizes = array<i64: 1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 1 entries in 'sizes', but got 2}}
  %0 = nn.slice(%x) {starts = array<i64: 0>, sizes = array<i64: 1, 1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected 1 entries in 'steps', but got 2}}
  %0 = nn.slice(%x) {starts = array<i64: 0>, sizes = array<i64: 1>, steps = array<i64: 1, 1>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{slice of 3 elements from 2 in steps of 1 leaves dimension 0 of extent 4}}
  %0 = nn.slice(%x) {starts = array<i64: 2>, sizes = array<i64: 3>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{slice of 2 elements from 0 in steps of -1 leaves dimension 0 of extent 4}}
  %0 = nn.slice(%x) {starts = array<i64: 0>, sizes = array<i64: 2>, steps = array<i64: -1>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{slice of 2 elements from 0 in steps of 0 leaves dimension 0 of extent 4}}
  %0 = nn.slice(%x) {starts = array<i64: 0>, sizes = array<i64: 2>, steps = array<i64: 0>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{slice of 2 elements from -1 in steps of 1 leaves dimension 0 of extent 4}}
  %0 = nn.slice(%x) {starts = array<i64: -1>, sizes = array<i64: 2>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a tensor quantised with one scale, but got}}
  %0 = nn.slice(%x) {starts = array<i64: 0>, sizes = array<i64: 2>, steps = array<i64: 1>} : (tensor<2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>) -> tensor<2x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{expects a value of shape [3], but got [2]}}
  %0 = nn.constant dense<1> : tensor<2xi8> as tensor<3x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{expects a value of 'f32', but got 'i8'}}
  %0 = nn.constant dense<1> : tensor<2xi8> as tensor<2xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{expects a value of i8 to store}}
  %0 = nn.constant dense<1> : tensor<2xi16> as tensor<2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{expects a value of ui8 to store}}
  %0 = nn.constant dense<1> : tensor<2xi8> as tensor<2x!quant.uniform<u8:f32, 0.5>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{expects 3 scales, one per element of dimension 0, but got 2}}
  %0 = nn.constant dense<1> : tensor<3xi8> as tensor<3x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{quantised dimension 1 is outside of rank 1}}
  %0 = nn.constant dense<1> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32:1, {0.5, 0.5}>>
  return
}

// -----

func.func @f(%x: tensor<2xf32>) {
  // expected-error @below {{expects operand and result of one shape, but got [2] and [3]}}
  %0 = nn.quantize(%x) floor : (tensor<2xf32>) -> tensor<3x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @f(%x: tensor<2xf32>) {
  // expected-error @below {{expects a uniform quantised type, but got '!quant.any<i8:f32>'}}
  %0 = nn.quantize(%x) floor : (tensor<2xf32>) -> tensor<2x!quant.any<i8:f32>>
  return
}

// -----

func.func @f(%x: tensor<2x!quant.uniform<i8:f64, 0.5>>) {
  // expected-error @below {{expects a quantised type that expresses 'f32', but got 'f64'}}
  %0 = nn.dequantize(%x) : (tensor<2x!quant.uniform<i8:f64, 0.5>>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<3xf32>) {
  // expected-error @below {{expects 3 scales, one per element of dimension 0, but got 2}}
  %0 = nn.quantize(%x) floor : (tensor<3xf32>) -> tensor<3x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @f(%x: tensor<2x1xf32>) {
  // expected-error @below {{expects a result that [2, 1] broadcasts to, but got [1, 3]}}
  %0 = nn.broadcast(%x) : (tensor<2x1xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x1xf32>) {
  // expected-error @below {{expects a result of 'f32', but got 'i32'}}
  %0 = nn.broadcast(%x) : (tensor<2x1xf32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>, %i: tensor<3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected an axis in [0, 2), but got 2}}
  %0 = nn.gather(%x, %i) {axis = 2 : i64} : (tensor<2x4xf32>, tensor<3xi32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x0xf32>, %i: tensor<3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected elements along axis 1, but got [2, 0]}}
  %0 = nn.gather(%x, %i) {axis = 1 : i64} : (tensor<2x0xf32>, tensor<3xi32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4x!quant.uniform<i8:f32:0, {0.5, 0.25}>>, %i: tensor<3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected a tensor quantised with one scale}}
  %0 = nn.gather(%x, %i) {axis = 1 : i64} : (tensor<2x4x!quant.uniform<i8:f32:0, {0.5, 0.25}>>, tensor<3xi32>) -> tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>, %i: tensor<3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected updates of type 'tensor<2x3xf32>', but got 'tensor<2x4xf32>'}}
  %0 = nn.scatter set(%x, %i, %x) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<3xi32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xi1>, %i: tensor<4xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @below {{expected numbers to combine, but got 'i1'}}
  %0 = nn.scatter add(%x, %i, %x) {axis = 0 : i64} : (tensor<4xi1>, tensor<4xi32>, tensor<4xi1>) -> tensor<4xi1>
  return
}
