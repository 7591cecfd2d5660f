// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-quantize="cells=fine=3,*=1" | FileCheck %s

// Layers with one weight constant that ask for different cells cannot share
// them.
// CHECK-DAG: %[[FINE:.*]] = nn.constant {{.*}}!quant.uniform<i8<-13:13>
// CHECK-DAG: %[[COARSE:.*]] = nn.constant {{.*}}!quant.uniform<i8<-1:1>
// CHECK-DAG: nn.matmul(%{{.*}}, %[[FINE]])
// CHECK-DAG: nn.matmul(%{{.*}}, %[[COARSE]])
func.func @main(%x: tensor<1x2xf32> {nn.range = array<f32: -1.26, 1.26>}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = nn.constant dense<[[0.9, -2.0], [-1.1, 0.1]]> : tensor<2x2xf32>
  %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fine")
  %1 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("coarse")
  return %0, %1 : tensor<1x2xf32>, tensor<1x2xf32>
}
