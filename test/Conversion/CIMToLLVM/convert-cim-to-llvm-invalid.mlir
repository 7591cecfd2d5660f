// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --convert-cim-to-llvm --split-input-file --verify-diagnostics

// expected-error @below {{expected a function @main with a body}}
module {
  func.func private @main(memref<2xf32>)
}

// -----

// expected-error @below {{expected @main to return nothing; run cim-bufferize-program first}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
}
func.func @main(%x: tensor<1x1x1x2xi8>, %e: tensor<1x1x1x2xf32>) {
  // expected-error @below {{expected buffers, but got tensors; run cim-bufferize-program first}}
  %s = cim.stream @fc ins(%x : tensor<1x1x1x2xi8>) outs(%e : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return
}
