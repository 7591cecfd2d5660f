// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-set-adc-gain

// expected-error @below {{expects planes of cells; run 'cim-split-weights'}}
cim.matrix @unsplit weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1 {
  cim.block plane 0 rows 0 count 1 columns 0 count 1
}
