// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-build-program

// expected-error @below {{expects planes and blocks; run 'cim-split-weights' and 'cim-tile-matrices'}}
cim.matrix @unsplit weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @use(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @unsplit(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

// expected-error @below {{expects planes and blocks}}
cim.matrix @uncut weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
}
func.func @use(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @uncut(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{expects a place in an array; run 'cim-place-blocks'}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0
}
func.func @use(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{expects a gain; run 'cim-calibrate-layers' or 'cim-set-adc-gain'}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 at @array0[0, 0]
}
func.func @use(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{expects a place in an array of at most 1073741824 cells, but got row 99999999999999 and column 0}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[99999999999999, 0]
}
func.func @use(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{expects an array name of its own, but got @main}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @main[0, 0]
}
// expected-note @below {{which is the name of this op}}
func.func @main() {
  return
}
func.func @use(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<i16:f32, 0.1>>) {
  // expected-error @below {{expects 8-bit integers with one scale and zero point 0, but got '!quant.uniform<i16:f32, 1.000000e-01>'}}
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<0.0> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i16:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}

// -----

// expected-error @below {{expected a bias that binary32 holds, but that of channel 0 is 1.000000e+39; the weights are too large for the activations}}
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) {
  %y = cim.mvm @w(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<1.0> : tensor<1xf64>) bias(dense<1.0e39> : tensor<1xf64>) clamp [0.0, 1.0] nearest_even
      : (tensor<1x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x1xf32>
  return
}
