// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-host-pipeline | FileCheck %s

// Nothing but LLVM is left, and buffers are freed.
// CHECK: llvm.func @main(%{{[a-z0-9]+}}: !llvm.ptr, %[[X:[a-z0-9]+]]: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias})
// CHECK: llvm.call @aligned_alloc
// CHECK: llvm.call @cim_loop
// CHECK: llvm.call @free
// CHECK: llvm.func @cim_loop
// CHECK: llvm.intr.exp
// CHECK-NOT: {{linalg|memref|func.func|scf|arith}}
module attributes {nn.model = "softmax", nn.batch = 2 : i64} {
  func.func @main(%x: tensor<2x4x8xf32> {nn.name = "x"}) -> (tensor<2x4x8xf32> {nn.name = "y"}) {
    %y = nn.softmax(%x) axis 1 : tensor<2x4x8xf32>
    return %y : tensor<2x4x8xf32>
  }
}
