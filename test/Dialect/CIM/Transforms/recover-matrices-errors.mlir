// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-recover-matrices

cim.layer @l input [1, 1, 1] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<0.01> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
  // expected-error @below {{expects a place inside of an array}}
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[0, 0]
}

// -----

cim.layer @l input [1, 1, 1] i8 output [1, 1, 1] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x1xf32>) scale(dense<0.01> : tensor<1xf32>) bias(dense<0.0> : tensor<1xf32>)
    clamp [0.0, 1.0] nearest_even repeat 1 {
}
func.func @main(%x: memref<1x1x1x1xi8>, %y: memref<1x1x1x1xf32>) {
  // expected-error @below {{expects tensors; recover matrices before bufferisation}}
  cim.stream @l ins(%x : memref<1x1x1x1xi8>) outs(%y : memref<1x1x1x1xf32>)
  return
}
