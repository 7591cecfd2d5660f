// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `program` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=program target=%S/Inputs/tiny.yaml'

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{is left in a program; run 'cim-build-program'}}
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects at most 4 x 3 cells, which an array of target 'tiny' has, but got 5 x 1}}
cim.array @a image(dense<0> : tensor<5x1xi8>)
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects cells from -1 to 1, but row 1, column 0 holds 2}}
cim.array @a image(dense<[[1], [2]]> : tensor<2x1xi8>)
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects 0 where no block lies, but row 0, column 1 holds -1}}
cim.array @array0 image(dense<[[1, -1], [1, 0]]> : tensor<2x2xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{expects a place and a gain}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{expects a cim.array named @array1}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array1[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-note @below {{array is here}}
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{leaves the 2 x 1 cells of its array}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[1, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-note @below {{by this block}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
cim.layer @m input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{lies in cells of @array0 that are taken}}
  cim.block plane 0 rows 1 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %1 = cim.stream @m ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<1x1xi8>)
// expected-error @below {{expects blocks that cover every weight, but row 1, column 0 of plane 0 has none}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x2xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 2
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<1.0> : tensor<2xf32>) bias(dense<1.0> : tensor<2xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{expects 0 between groups, but matrix row 0, column 1 holds 1}}
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
// expected-error @below {{expects a finite significance, but got}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<0x7F800000> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
// expected-error @below {{expects a finite scale, but got}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<0x7F800000> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
// expected-error @below {{expects a finite bias, but got}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0x7FC00000> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
// expected-error @below {{expects to clamp an integer result to integers in 0..255, but got -1.000000e+00..1.000000e+00}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] ui8 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [-1.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
// expected-error @below {{expects to clamp an integer result to integers in -128..127, but got 0.000000e+00..}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] i8 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
}

// -----

// expected-error @below {{expected attribute 'nn.batch', the samples per call}}
module {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<2x1x1x2xi8>, %y: tensor<2x1x1x1xf32>) {
  // expected-error @below {{expects 1 images ('nn.batch'), but got 2}}
  %0 = cim.stream @l ins(%x : tensor<2x1x1x2xi8>) outs(%y : tensor<2x1x1x1xf32>) -> tensor<2x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
// expected-error @below {{expects the layers of a module to be in the order of their streams, but place 0 is that of @m}}
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
cim.layer @m input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @m ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %1 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.array @array0 image(dense<1> : tensor<2x1xi8>)
cim.layer @l input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
// expected-error @below {{expects the layers of a module to be in the order of their streams, but place 1 is that of no stream}}
cim.layer @m input [1, 1, 2] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<1.0> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>) clamp [0.0, 1.0] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x1xf32>) {
  %0 = cim.stream @l ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}
}
