// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-tile-matrices=target=%S/Inputs/tiny.yaml

// expected-error @below {{expects planes of cells before it is tiled; run 'cim-split-weights'}}
cim.matrix @unsplit weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
}

// -----

// expected-error @below {{needs 5 rows for the cells of one weight, but an array of target 'tiny' has 4; use fewer cells or another split than 'unary'}}
cim.matrix @unary weights(dense<5> : tensor<1x1xi8>) levels 5 groups 1
    split unary planes(dense<1> : tensor<5x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
}
