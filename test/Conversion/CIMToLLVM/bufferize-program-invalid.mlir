// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-bufferize-program --split-input-file --verify-diagnostics

// expected-error @below {{expected inputs and results to be tensors of static shape, but got 'tensor<?xf32>'}}
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// expected-error @below {{expected inputs and results to be tensors of static shape, but got 'i32'}}
func.func @main(%x: tensor<2xf32>, %n: i32) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

// expected-error @below {{expected a body of one block}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  cf.br ^exit
^exit:
  return %x : tensor<2xf32>
}

// -----

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{op was not bufferized}}
  %y = nn.relu(%x) : tensor<2xf32>
  return %y : tensor<2xf32>
}
