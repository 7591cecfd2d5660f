// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-place-blocks=target=%S/Inputs/tiny.yaml

cim.matrix @large weights(dense<1> : tensor<5x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x5x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{needs 5 x 1 cells, but an array of target 'tiny' has 4 x 3; run 'cim-tile-matrices' with this target}}
  cim.block plane 0 rows 0 count 5 columns 0 count 1
}

// -----

// expected-error @below {{the network needs 3 arrays of 4 x 3 cells (3 by area alone), but target 'tiny' has 2}}
module {
cim.matrix @many weights(dense<1> : tensor<12x3xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x12x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  cim.block plane 0 rows 0 count 4 columns 0 count 3
  cim.block plane 0 rows 4 count 4 columns 0 count 3
  cim.block plane 0 rows 8 count 4 columns 0 count 3
}
}
