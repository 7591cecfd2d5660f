// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `tiled` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=tiled target=%S/Inputs/tiny.yaml'

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects blocks that cover every weight, but row 0, column 0 of plane 0 has none}}
cim.matrix @w weights(dense<0> : tensor<4x3xi8>) levels 1 groups 1
    split radix planes(dense<0> : tensor<1x4x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects blocks that cover every weight, but row 3, column 2 of plane 0 has none}}
cim.matrix @w weights(dense<0> : tensor<4x3xi8>) levels 1 groups 1
    split radix planes(dense<0> : tensor<1x4x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  cim.block plane 0 rows 0 count 3 columns 0 count 3
  cim.block plane 0 rows 3 count 1 columns 0 count 2
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<0> : tensor<4x3xi8>) levels 1 groups 1
    split radix planes(dense<0> : tensor<1x4x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  // expected-note @below {{this block covers it first}}
  cim.block plane 0 rows 0 count 3 columns 0 count 3
  // expected-error @below {{covers row 2, column 0 of plane 0 again}}
  cim.block plane 0 rows 2 count 2 columns 0 count 3
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<0> : tensor<4x3xi8>) levels 1 groups 1
    split radix planes(dense<0> : tensor<1x4x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  // expected-note @below {{after this block}}
  cim.block plane 0 rows 2 count 2 columns 0 count 3
  // expected-error @below {{is out of order: results are added by first row, plane, first column}}
  cim.block plane 0 rows 0 count 2 columns 0 count 3
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<0> : tensor<4x3xi8>) levels 4 groups 1
    split radix planes(dense<0> : tensor<2x4x3xi8>) significance(dense<1.0> : tensor<2x3xf32>) {
  // expected-note @below {{after this block}}
  cim.block plane 1 rows 0 count 4 columns 0 count 3
  // expected-error @below {{is out of order: results are added by first row, plane, first column}}
  cim.block plane 0 rows 0 count 4 columns 0 count 3
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<0> : tensor<5x3xi8>) levels 1 groups 1
    split radix planes(dense<0> : tensor<1x5x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  // expected-error @below {{expects at most 4 x 3 cells, which an array of target 'tiny' has, but takes 5 x 3}}
  cim.block plane 0 rows 0 count 5 columns 0 count 3
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<0> : tensor<1x4xi8>) levels 1 groups 1
    split radix planes(dense<0> : tensor<1x1x4xi8>) significance(dense<1.0> : tensor<1x4xf32>) {
  // expected-error @below {{expects at most 4 x 3 cells, which an array of target 'tiny' has, but takes 1 x 4}}
  cim.block plane 0 rows 0 count 1 columns 0 count 4
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects blocks that cover every weight, but row 2, column 1 of plane 0 has none}}
cim.matrix @w weights(dense<0> : tensor<4x2xi8>) levels 1 groups 2
    split radix planes(dense<0> : tensor<1x4x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
  cim.block plane 0 rows 0 count 2 columns 0 count 1
}
}
