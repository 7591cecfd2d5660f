// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --convert-nn-to-linalg --split-input-file --verify-diagnostics

!q = !quant.uniform<i8:f32:{0:1, 1:2}, {{0.1, 0.2}, {0.3, 0.4}}>
func.func @sub_channel(%a: tensor<2x4x!q>, %b: tensor<4x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{cannot be lowered: expected quantised values of 8 or 16 bits with a scale per tensor or per channel, but got}}
  %y = nn.matmul(%a, %b) : (tensor<2x4x!q>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @narrow(%x: tensor<4xf32>) {
  // expected-error @below {{cannot be lowered: expected quantised values of 8 or 16 bits}}
  %y = nn.quantize(%x) floor : (tensor<4xf32>) -> tensor<4x!quant.uniform<i4:f32, 0.1>>
  return
}

// -----

func.func @wide(%x: tensor<4xf32>) {
  // expected-error @below {{cannot be lowered: expected quantised values of 8 or 16 bits}}
  %y = nn.quantize(%x) floor : (tensor<4xf32>) -> tensor<4x!quant.uniform<i32:f32, 0.1>>
  return
}
