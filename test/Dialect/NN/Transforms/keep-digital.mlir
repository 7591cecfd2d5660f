// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-keep-digital=nodes=first,third | FileCheck %s
// RUN: cim-opt %s --nn-keep-digital | FileCheck %s --check-prefix=NONE --implicit-check-not=nn.digital
// RUN: not cim-opt %s --nn-keep-digital=nodes=first,relu 2>&1 | FileCheck %s --check-prefix=NAME

// CHECK-COUNT-1: nn.matmul{{.*}}nn.digital = "as the user wants it"
// CHECK: nn.matmul
// CHECK-NOT: nn.digital
// CHECK: nn.matmul{{.*}}nn.digital = "as the user wants it"
// NONE: nn.matmul
// NAME: error: no crossbar layer is called 'relu'; the layers are 'first', 'second', 'third'
func.func @main(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %a = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("first")
  %r = nn.clamp(%a) to [0.0, 1.0] : tensor<1x2xf32> loc("relu")
  %b = nn.matmul(%r, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("second")
  %c = nn.matmul(%b, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("third")
  return %c : tensor<1x2xf32>
}
