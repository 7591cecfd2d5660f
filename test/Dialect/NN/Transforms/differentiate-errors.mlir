// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-differentiate --split-input-file --verify-diagnostics

// expected-error @below {{expected a function '@main' of one block that returns}}
module {
  func.func private @main(tensor<1xf32>) -> tensor<1xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  // expected-error @below {{'nn.top_k' op has no gradient}}
  %y, %i = nn.top_k(%x) {k = 2 : i64} : (tensor<1x4xf32>) -> (tensor<1x2xf32>, tensor<1x2xi64>)
  return %y : tensor<1x2xf32>
}

// -----

// Values that a region takes from outside count, too.
func.func @main(%x: tensor<1x4xf32>, %c: i1) -> tensor<1x4xf32> {
  // expected-error @below {{'scf.if' op has no gradient}}
  %y = scf.if %c -> tensor<1x4xf32> {
    scf.yield %x : tensor<1x4xf32>
  } else {
    %n = nn.neg(%x) : tensor<1x4xf32>
    scf.yield %n : tensor<1x4xf32>
  }
  return %y : tensor<1x4xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  // expected-error @below {{has no gradient with respect to its exponent}}
  %y = nn.pow(%x, %x) : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1xf32> {
  // expected-error @below {{has no gradient: it is a product}}
  %y = nn.reduce prod(%x) {axes = array<i64: 1>, keep_dims = false} : (tensor<1x4xf32>) -> tensor<1xf32>
  return %y : tensor<1xf32>
}

// -----

func.func @main(%x: tensor<1x1x4xf32>) -> tensor<1x1x1xf32> {
  %c = nn.constant dense<1.0> : tensor<1x1x4xf32>
  // expected-error @below {{has no gradient with respect to its weights}}
  %y = nn.conv(%c, %x) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64}
      : (tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>, %s: tensor<4xf32>) -> tensor<1x4xf32> {
  // expected-error @below {{has no gradient with respect to its statistics}}
  %y = nn.batch_norm(%x, %s, %s, %s, %s) {epsilon = 1.0e-5 : f32}
      : (tensor<1x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

cim.matrix @fc weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x1xf32> {
  %q = nn.quantize(%x) nearest_even : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>
  // expected-error @below {{has no gradient: expected an infinite range, but got}}
  %y = cim.mvm @fc(%q) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 0x7F800000] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return %y : tensor<1x1x1x1xf32>
}

// -----

cim.matrix @fc weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x1xf32> {
  %q = nn.quantize(%x) nearest_even : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>
  // expected-error @below {{has no gradient: expected a result of 'f32', but got '!quant}}
  %y = cim.mvm @fc(%q) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>
  %d = nn.dequantize(%y) : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return %d : tensor<1x1x1x1xf32>
}

// -----

cim.matrix @fc weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1 {
}
func.func @main(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x1xf32> {
  %q = nn.quantize(%x) nearest_even : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32:3, {0.1, 0.2}>>
  // expected-error @below {{has no gradient: expected an input with one scale, but got}}
  %y = cim.mvm @fc(%q) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32:3, {0.1, 0.2}>>) -> tensor<1x1x1x1xf32>
  return %y : tensor<1x1x1x1xf32>
}
