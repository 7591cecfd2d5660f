// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every rule of the dialect's verifiers, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{expects weights of rank 2 and i8, but got 'tensor<2xi8>'}}
cim.matrix @w weights(dense<1> : tensor<2xi8>) levels 4 groups 1 {
}

// -----

// expected-error @below {{expects at least one row and one column, but got 'tensor<3x0xi8>'}}
cim.matrix @w weights(dense<> : tensor<3x0xi8>) levels 4 groups 1 {
}

// -----

// expected-error @below {{expects weights of rank 2 and i8, but got 'tensor<2x2xf32>'}}
cim.matrix @w weights(dense<1.0> : tensor<2x2xf32>) levels 4 groups 1 {
}

// -----

// expected-error @below {{expects levels from 1 to 127, but got 0}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 0 groups 1 {
}

// -----

// expected-error @below {{expects levels from 1 to 127, but got 128}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 128 groups 1 {
}

// -----

// expected-error @below {{expects groups to divide 2 rows and 2 columns, but got 3}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 3 {
}

// -----

// expected-error @below {{expects the split that 'auto' became}}
cim.matrix @auto weights(dense<1> : tensor<2x2xi8>) levels 1 groups 1
    split auto planes(dense<1> : tensor<1x2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
}

// -----

// expected-error @below {{expects planes of shape}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1
    split radix planes(dense<1> : tensor<2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
}

// -----

// expected-error @below {{expects 'planes' to be 'tensor<1x2x2xi8>', but got 'tensor<1x2x3xi8>'}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1
    split radix planes(dense<1> : tensor<1x2x3xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
}

// -----

// expected-error @below {{expects 'significance' to be 'tensor<2x2xf32>', but got 'tensor<1x2xf32>'}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1
    split radix planes(dense<1> : tensor<2x2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
}

// -----

// expected-error @below {{expects 'significance' to be 'tensor<1x2xf32>', but got 'tensor<2x2xf32>'}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1
    split unary planes(dense<1> : tensor<2x2x2xi8>) significance(dense<1.0> : tensor<2x2xf32>) {
}

// -----

// expected-error @below {{expects planes and significance with a split}}
"cim.matrix"() <{sym_name = "w", weights = dense<1> : tensor<2x2xi8>, levels = 4 : i64, groups = 1 : i64, split = #cim<split radix>}> ({
^bb0:
}) : () -> ()

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects rows within the 2 of the matrix, but got 2 from 1}}
  cim.block plane 0 rows 1 count 2 columns 0 count 2
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects rows within the 2 of the matrix, but got 0 from 0}}
  cim.block plane 0 rows 0 count 0 columns 0 count 2
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects columns within the 2 of the matrix, but got 1 from 2}}
  cim.block plane 0 rows 0 count 2 columns 2 count 1
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects a plane in [0, 1), but got 1}}
  cim.block plane 1 rows 0 count 2 columns 0 count 2
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects a positive finite gain, but got 0.000000e+00}}
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 0.0
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects a positive finite gain, but got 0x7F800000}}
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 0x7F800000
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
  // expected-error @below {{expects a place at row and column of at least 0, but got}}
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @a[-1, 0]
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects NHWC operand and result of rank 4, but got ranks 3 and 4}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<2x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects as many images in the result as in the operand, but got 2 and 1}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<2x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects 2 entries in 'kernel', but got 1}}
  %y = cim.mvm @w(%x) kernel [1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects entries of 'strides' from 1 to 2147483647, but got 0}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [0, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects entries of 'dilations' from 1 to 2147483647, but got 0}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 0] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects entries of 'pads' from 0 to 2147483647, but got -1}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [-1, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects windows that reach the map, but in height 1 windows of 1 taps, stride 1, dilation 1 and padding 1 end at -1}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [1, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects windows that reach the map, but in width 1 windows of 1 taps, stride 1, dilation 1 and padding 2 end at -2}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 2]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects 'scale' to be 'tensor<2xf64>', but got 'tensor<3xf64>'}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<3xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects 'bias' to be 'tensor<2xf64>', but got 'tensor<2xf32>'}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.01> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects 'mean' to be 'tensor<2xf64>', but got 'tensor<1xf64>'}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even mean(dense<0.0> : tensor<1xf64>)
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects 'deviation' to be 'tensor<2xf64>', but got 'tensor<1xf64>'}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even deviation(dense<0.0> : tensor<1xf64>)
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects lo <= hi, but got 1.000000e+00 : f32 and 0.000000e+00 : f32}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [1.0, 0.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  // expected-error @below {{expects a cim.matrix named @other}}
  %y = cim.mvm @other(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// -----

// expected-note @below {{matrix is here}}
cim.matrix @w weights(dense<1> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @f(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x3xf32> {
  // expected-error @below {{expects a matrix of 2 rows and 3 columns, but @w has 2 and 2}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<3xf64>) bias(dense<0.01> : tensor<3xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x3xf32>
  return %y : tensor<1x1x1x3xf32>
}

// -----

// expected-error @below {{expects an image of rank 2 and i8, but got 'tensor<4xi8>'}}
cim.array @a image(dense<0> : tensor<4xi8>)

// -----

// expected-error @below {{expects 3 entries in 'input', but got 2}}
cim.layer @l input [1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects entries of 'output' from 1 to 2147483647, but got 0}}
cim.layer @l input [1, 1, 2] i8 output [0, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects 2 entries in 'kernel', but got 3}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects entries of 'strides' from 1 to 2147483647, but got 0}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 0] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects 2 entries in 'dilations', but got 1}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects entries of 'pads' from 0 to 2147483647, but got -2}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, -2] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects an input of i8 or ui8, but got 'f32'}}
cim.layer @l input [1, 1, 2] f32 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects an output of f32, i8 or ui8, but got 'i32'}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] i32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects an output of f32, i8 or ui8, but got 'f64'}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f64 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects windows that reach the map, but in height 1 windows}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [3, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects groups to divide 2 input and 2 output channels, but got 4}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 4
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects significance of shape}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects 'significance' to be 'tensor<1x2xf32>', but got 'tensor<1x3xf32>'}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x3xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects 'scale' to be 'tensor<2xf32>', but got 'tensor<2xf64>'}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<1.0> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects 'bias' to be 'tensor<2xf32>', but got 'tensor<1xf32>'}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<1.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
}

// -----

// expected-error @below {{expects repeat of at least 1, but got 0}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 0 {
}

// -----

// expected-error @below {{expects lo <= hi, but got 2.000000e+00 : f32 and 1.000000e+00 : f32}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [2.0, 1.0] nearest_even repeat 1 {
}

// -----

cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{expects rows within the 2 of the matrix, but got 3 from 0}}
  cim.block plane 0 rows 0 count 3 columns 0 count 2
}

// -----

cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: memref<1x1x1x2xi8>, %y: tensor<1x1x1x2xf32>) {
  // expected-error @below {{expects tensors or buffers for both operands, but got}}
  %r = cim.stream @l ins(%x : memref<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return
}

// -----

cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x2xf32>) {
  // expected-error @below {{expects a result for a tensor output}}
  cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xf32>)
  return
}

// -----

cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: memref<1x1x1x2xi8>, %y: memref<1x1x1x2xf32>) {
  // expected-error @below {{expects no result for a buffer output}}
  %r = cim.stream @l ins(%x : memref<1x1x1x2xi8>) outs(%y : memref<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return
}

// -----

cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x2xf32>) {
  // expected-error @below {{expects a result of 'tensor<1x1x1x2xf32>', but got 'tensor<1x1x1x3xf32>'}}
  %r = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xf32>) -> tensor<1x1x1x3xf32>
  return
}

// -----

cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x2xf32>) {
  // expected-error @below {{expects a cim.layer named @other}}
  %r = cim.stream @other ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return
}

// -----

// expected-note @below {{layer is here}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: tensor<1x1x1x3xi8>, %y: tensor<1x1x1x2xf32>) {
  // expected-error @below {{expects an input of images of [1, 1, 2] 'i8', but got 'tensor<1x1x1x3xi8>'}}
  %r = cim.stream @l ins(%x : tensor<1x1x1x3xi8>) outs(%y : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return
}

// -----

// expected-note @below {{layer is here}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @f(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x2xi8>) {
  // expected-error @below {{expects an output of images of [1, 1, 2] 'f32', but got 'tensor<1x1x1x2xi8>'}}
  %r = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xi8>) -> tensor<1x1x1x2xi8>
  return
}
