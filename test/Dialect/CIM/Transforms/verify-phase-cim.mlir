// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `cim` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=cim target=%S/Inputs/tiny.yaml'

// expected-error @below {{expected attribute 'nn.batch', the samples per call}}
module {
func.func @main() {
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<2x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  // expected-error @below {{expects 1 images ('nn.batch'), but got 2}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<2x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<2x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5:1>>) {
  // expected-error @below {{expects an input of 8-bit integers with one scale and zero point 0, but got}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5:1>>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8:f32, 0.5>>) {
  // expected-error @below {{expects inputs in 0..127 for target 'tiny', but got}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8:f32, 0.5>>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<i8<-64:63>:f32, 0.5>>) {
  // expected-error @below {{expects inputs in -63..63 for target 'tiny', but got}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-64:63>:f32, 0.5>>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  // expected-error @below {{expects a finite scale, but that of channel 0 is}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0x7FF0000000000000> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  // expected-error @below {{expects a finite bias, but that of channel 0 is}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0x7FF8000000000000> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  // expected-error @below {{expects a result of 8-bit integers with one scale and zero point 0, but got}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<1x1x1x1x!quant.uniform<u8:f32, 0.5:1>>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  // expected-error @below {{expects to clamp an integer result to integers in 0..127, but got 0.000000e+00..1.280000e+02}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 128.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  // expected-error @below {{expects to clamp an integer result to integers in 0..127, but got 5.000000e-01..1.000000e+00}}
  %0 = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.5, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<1x1x1x1x!quant.uniform<u8<0:127>:f32, 0.5>>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
func.func @main(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-error @below {{with quantised operands is neither on arrays nor says why not ('nn.digital'); run 'convert-nn-to-cim'}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects weights from -1 to 1, but row 1, column 0 holds -2}}
cim.matrix @w weights(dense<[[1], [-2]]> : tensor<2x1xi8>) levels 1 groups 1 {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects 0 between its 2 groups, but row 0, column 1 holds 1}}
cim.matrix @w weights(dense<[[1, 1], [0, 1]]> : tensor<2x2xi8>) levels 1 groups 2 {
}
}
