// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `calibrated` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=calibrated target=%S/Inputs/tiny.yaml'

module attributes {nn.batch = 1 : i64} {
cim.matrix @w weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  // expected-error @below {{expects a gain; run 'cim-calibrate-layers' or 'cim-set-adc-gain'}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1
}
}
