// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `split` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=split target=%S/Inputs/tiny.yaml'

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects planes of cells; run 'cim-split-weights'}}
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects cells from -1 to 1, but plane 0, row 1, column 0 holds -2}}
cim.matrix @w weights(dense<[[1], [-2]]> : tensor<2x1xi8>) levels 2 groups 1
    split radix planes(dense<[[[1], [-2]]]> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects planes that add up to the weights, but those of row 1, column 0 make 0.000000e+00 of -1}}
cim.matrix @w weights(dense<[[1], [-1]]> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<[[[1], [0]]]> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects planes that add up to the weights, but those of row 0, column 0 make 4.000000e+00 of 3}}
cim.matrix @w weights(dense<[[3], [-1]]> : tensor<2x1xi8>) levels 4 groups 1
    split radix planes(dense<[[[1], [-1]], [[1], [0]]]> : tensor<2x2x1xi8>) significance(dense<[[1.0], [3.0]]> : tensor<2x1xf32>) {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects planes that add up to the weights, but those of row 1, column 0 make 0.000000e+00 of -1}}
cim.matrix @w weights(dense<[[2], [-1]]> : tensor<2x1xi8>) levels 2 groups 1
    split unary planes(dense<[[[1], [-1]], [[1], [1]]]> : tensor<2x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects finite significance, but got}}
cim.matrix @w weights(dense<[[1], [-1]]> : tensor<2x1xi8>) levels 1 groups 1
    split radix planes(dense<[[[1], [-1]]]> : tensor<1x2x1xi8>) significance(dense<0x7F800000> : tensor<1x1xf32>) {
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects empty cells between groups, but row 0, column 1 holds 2.000000e+00}}
cim.matrix @w weights(dense<[[2, 0], [0, 2]]> : tensor<2x2xi8>) levels 127 groups 2
    split residual planes(dense<1> : tensor<1x2x2xi8>) significance(dense<2.0> : tensor<1x2xf32>) {
}
}
