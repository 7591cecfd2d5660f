// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `placed` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=placed target=%S/Inputs/tiny.yaml'

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{expects a place; run 'cim-place-blocks'}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{leaves the 4 x 3 cells that an array of target 'tiny' has}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[3, 0]
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{leaves the 4 x 3 cells that an array of target 'tiny' has}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 3]
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{leaves the 4 x 3 cells that an array of target 'tiny' has}}
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[9223372036854775807, 9223372036854775807]
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-note @below {{by this block}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[2, 1]
  // expected-error @below {{lies in cells of @array0 that are taken}}
  cim.block plane 0 rows 1 count 1 columns 0 count 1 gain 1.0 at @array0[2, 1]
}
}

// -----

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<2> : tensor<2x1xi8>) levels 2 groups 1
    split unary planes(dense<1> : tensor<2x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-note @below {{by this block}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
  // expected-error @below {{lies in cells of @array0 that are taken}}
  cim.block plane 0 rows 1 count 1 columns 0 count 1 gain 1.0 at @array0[1, 0]
}
}
