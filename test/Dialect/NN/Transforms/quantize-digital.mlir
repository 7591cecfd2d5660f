// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=1" | FileCheck %s
// RUN: not cim-opt %s --nn-quantize="target=imec-ania cells=float=2,*=1" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=1" --convert-nn-to-cim="target=imec-ania" 2>&1 | FileCheck %s --check-prefix=REMARK

// Of two layers on one activation one stays in float; it has no cells to count.
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{.*}}tensor<2x2xf32>
// CHECK-DAG: nn.matmul(%{{.*}}, %[[W]]) {nn.digital = "a choice"} : (tensor<1x2xf32>
// CHECK-DAG: nn.matmul(%{{.*}}, %{{.*}}) : (tensor<1x2x!quant
// NAME: error: no crossbar layer is called 'float'; the layers are 'analog'
// REMARK: remark: {{.*}}stays digital: a choice
// REMARK-NOT: stays digital
func.func @two(%x: tensor<1x2xf32> {nn.range = array<f32: 0.0, 127.0>}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) {nn.digital = "a choice"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("float")
  %z = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("analog")
  return %y, %z : tensor<1x2xf32>, tensor<1x2xf32>
}
