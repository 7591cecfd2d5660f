// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-bufferize-program --split-input-file | FileCheck %s

// CHECK-LABEL: func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1x1x1x2xi8>, %[[Y:[a-z0-9]+]]: memref<1x2xf32>)
// CHECK: %[[FLAT:.+]] = memref.collapse_shape %[[Y]]
// CHECK: %[[MAP:.+]] = memref.expand_shape %[[FLAT]]
// CHECK: cim.stream @fc ins(%[[X]] : memref<1x1x1x2xi8>) outs(%[[MAP]] : memref<1x1x1x2xf32>)
// CHECK-NOT: memref.copy
// CHECK: return
cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
}
func.func @main(%x: tensor<1x1x1x2xi8>) -> tensor<1x2xf32> {
  %e = tensor.empty() : tensor<1x1x1x2xf32>
  %s = cim.stream @fc ins(%x : tensor<1x1x1x2xi8>) outs(%e : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %y = tensor.collapse_shape %s [[0], [1, 2, 3]] : tensor<1x1x1x2xf32> into tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Inputs are not written; an input, a constant and a second return of one
// value are copied.
// CHECK-LABEL: func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4xf32>, %[[A:[a-z0-9]+]]: memref<4xf32>, %[[B:[a-z0-9]+]]: memref<4xf32>, %[[C:[a-z0-9]+]]: memref<4xf32>, %[[D:[a-z0-9]+]]: memref<4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[X]] : memref<4xf32>) outs(%[[B]] : memref<4xf32>)
// CHECK-DAG: memref.copy %[[X]], %[[A]]
// CHECK-DAG: memref.copy %[[B]], %[[C]]
// CHECK-DAG: memref.copy %{{.*}}, %[[D]]
#map = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %n = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %c = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  return %x, %n, %n, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A strided copy is a loop, not a call into a library.
// CHECK-LABEL: func @main
// CHECK: memref.subview
// CHECK: linalg.generic
// CHECK-NOT: memref.copy
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x2xf32> {
  %s = tensor.extract_slice %x[0, 0] [4, 2] [1, 2] : tensor<4x4xf32> to tensor<4x2xf32>
  return %s : tensor<4x2xf32>
}

// -----

// A destination that two ops share is two.
// CHECK-LABEL: func @main
// CHECK-COUNT-2: linalg.fill
// CHECK-NOT: memref.copy
// CHECK: return
func.func @main(%a: tensor<2x2xf32>, %b: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %flat = tensor.empty() : tensor<4xf32>
  %e = tensor.expand_shape %flat [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = linalg.matmul ins(%b, %a : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}
