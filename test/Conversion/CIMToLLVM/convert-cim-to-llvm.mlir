// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --convert-cim-to-llvm --split-input-file | FileCheck %s

// The second layer has the number 1; descriptions go.
// CHECK-NOT: cim.
// CHECK-LABEL: func @main
// CHECK-SAME: %[[HOST:[a-z0-9]+]]: !llvm.ptr, %{{.*}}: memref<1x1x1x2xi8> {llvm.noalias}, %{{.*}}: memref<1x1x1x2xf32> {llvm.noalias})
// CHECK: %[[LAYER:.+]] = llvm.mlir.constant(1 : i32)
// CHECK: %[[FIELD:.+]] = llvm.getelementptr %[[HOST]][0, 2]
// CHECK: %[[STREAM:.+]] = llvm.load %[[FIELD]]
// CHECK: llvm.call %[[STREAM]](%[[HOST]], %[[LAYER]], %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> ()
cim.array @array0 image(dense<0> : tensor<2x2xi8>)
cim.layer @other input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
}
cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
}
func.func @main(%x: memref<1x1x1x2xi8> {nn.name = "x"}, %y: memref<1x1x1x2xf32>) {
  cim.stream @fc ins(%x : memref<1x1x1x2xi8>) outs(%y : memref<1x1x1x2xf32>)
  return
}

// -----

// n, c, h, w, f, kh, kw, oh, ow, strides, dilations, groups.
// CHECK: llvm.mlir.global internal constant @cim_shape_0(dense<[2, 4, 9, 8, 6, 3, 2, 4, 7, 2, 1, 1, 1, 2]> : tensor<14xi32>)
// CHECK-LABEL: func @main
// CHECK: llvm.getelementptr %{{.*}}[0, 4]
// CHECK: llvm.call
// CHECK-NOT: linalg.conv
func.func @main(%x: memref<2x2x2x9x8xf32>, %w: memref<2x3x2x3x2xf32>, %y: memref<2x2x3x4x7xf32>) {
  linalg.conv_2d_ngchw_gfchw {strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : memref<2x2x2x9x8xf32>, memref<2x3x2x3x2xf32>) outs(%y : memref<2x2x3x4x7xf32>)
  return
}

// -----

// A strided operand is copied, and freed afterwards.
// CHECK-LABEL: func @main
// CHECK: %[[DENSE:.+]] = memref.alloc() : memref<2x3xf32>
// CHECK: linalg.generic {{.*}} outs(%[[DENSE]] : memref<2x3xf32>)
// CHECK: llvm.getelementptr %{{.*}}[0, 5]
// CHECK: llvm.call
// CHECK: memref.dealloc %[[DENSE]]
func.func @main(%a: memref<4x3xf32>, %b: memref<3x4xf32>, %c: memref<2x4xf32>) {
  %s = memref.subview %a[0, 0] [2, 3] [2, 1] : memref<4x3xf32> to memref<2x3xf32, strided<[6, 1]>>
  linalg.matmul ins(%s, %b : memref<2x3xf32, strided<[6, 1]>>, memref<3x4xf32>) outs(%c : memref<2x4xf32>)
  return
}

// -----

// Integers are nobody else's business.
// CHECK-LABEL: func @main
// CHECK: linalg.matmul
func.func @main(%a: memref<2x3xi32>, %b: memref<3x4xi32>, %c: memref<2x4xi32>) {
  linalg.matmul ins(%a, %b : memref<2x3xi32>, memref<3x4xi32>) outs(%c : memref<2x4xi32>)
  return
}

// -----

// CHECK-LABEL: func @main
// CHECK: llvm.getelementptr %{{.*}}[0, 3]
// CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, i64) -> ()
// CHECK-NOT: @cim_observe
func.func private @cim_observe(memref<?xf32>, i64)
func.func @main(%x: memref<4xf32>) {
  %n = arith.constant 7 : i64
  %l = memref.cast %x : memref<4xf32> to memref<?xf32>
  call @cim_observe(%l, %n) : (memref<?xf32>, i64) -> ()
  return
}

// -----

// CHECK: memref.global "private" constant @weights : memref<8xi8> = dense<[0, 0, -128, 63, 0, 0, 0, 64]>
// CHECK: memref.global "private" constant @splat : memref<2xf32> = dense<1.000000e+00>
// CHECK-LABEL: func @main
// CHECK: memref.view %{{.*}} : memref<8xi8> to memref<1x2xf32>
memref.global "private" constant @weights : memref<1x2xf32> = dense<[[1.0, 2.0]]>
memref.global "private" constant @splat : memref<2xf32> = dense<1.0>
func.func @main(%y: memref<1x2xf32>, %z: memref<2xf32>) {
  %w = memref.get_global @weights : memref<1x2xf32>
  memref.copy %w, %y : memref<1x2xf32> to memref<1x2xf32>
  %s = memref.get_global @splat : memref<2xf32>
  memref.copy %s, %z : memref<2xf32> to memref<2xf32>
  return
}
