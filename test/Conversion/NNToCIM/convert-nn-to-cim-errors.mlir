// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --convert-nn-to-cim --split-input-file --verify-diagnostics
// RUN: not cim-opt %s --convert-nn-to-cim=target=host 2>&1 | FileCheck %s

// CHECK: error: target 'host' has no arrays; name a chip, such as 'imec-ania'

!u = !quant.uniform<u8<0:127>:f32, 0.5>
!w = !quant.uniform<i8<-1:1>:f32, 0.5>
func.func @statistics(%x: tensor<1x2x!u>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!w>
  // expected-error @below {{expected 'nn.mean' to be 'tensor<2xf64>', but got dense<0.000000e+00> : tensor<2xf32>}}
  %0 = nn.matmul(%x, %w) {nn.mean = dense<0.0> : tensor<2xf32>} : (tensor<1x2x!u>, tensor<2x2x!w>) -> tensor<1x2xf32>
  return
}
