// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Remarks for MLIR's remark engine.
// RUN: cim-opt %s --convert-nn-to-cim --remark-format=yaml --remarks-output-file=%t.yaml --remarks-filter='.*' > /dev/null
// RUN: FileCheck %s --input-file=%t.yaml --implicit-check-not=---

// CHECK: --- !Passed
// CHECK-NEXT: Pass: {{.*}}convert-nn-to-cim
// CHECK-NEXT: Name: Mapped
// CHECK: Function: mapped
// CHECK-DAG: Rows: '2'
// CHECK-DAG: Columns: '2'
// CHECK-DAG: Levels: '1'
// CHECK: --- !Analysis
// CHECK: Name: HostOp
// CHECK: Function: softmax
// CHECK: Op: nn.softmax
// CHECK: --- !Missed
// CHECK: Name: StaysDigital
// CHECK: Function: digital
// CHECK: Reason: its weights are not quantised
// CHECK: Op: nn.matmul
!u = !quant.uniform<u8<0:127>:f32, 0.5>
!w = !quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>
func.func @main(%x: tensor<1x2x!u>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!w>
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!u>, tensor<2x2x!w>) -> tensor<1x2xf32> loc("mapped")
  %1 = nn.softmax(%0) axis 1 : tensor<1x2xf32> loc("softmax")
  %v = nn.constant dense<1.0> : tensor<2x2xf32>
  %2 = nn.matmul(%x, %v) : (tensor<1x2x!u>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("digital")
  return
}
