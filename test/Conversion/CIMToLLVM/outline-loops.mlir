// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-outline-loops --split-input-file --verify-diagnostics | FileCheck %s

// Equal loops share a function, others do not; constants go along.
// CHECK-LABEL: func @main
// CHECK: call @[[ZERO:.+]](%{{.*}}) : (memref<4xf32>)
// CHECK: call @[[ONE:.+]](%{{.*}}) : (memref<4xf32>)
// CHECK: call @[[ZERO]](%{{.*}}) : (memref<4xf32>)
// CHECK: func private @[[ZERO]](%{{.*}}: memref<4xf32> {llvm.noalias}) attributes {passthrough = ["noinline"]}
// CHECK-NEXT: %[[C:.+]] = arith.constant 0.0
// CHECK-NEXT: linalg.fill ins(%[[C]]
// CHECK: func private @[[ONE]]
func.func @main(%x: memref<4xf32>, %y: memref<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  linalg.fill ins(%zero : f32) outs(%x : memref<4xf32>)
  linalg.fill ins(%one : f32) outs(%x : memref<4xf32>)
  linalg.fill ins(%zero : f32) outs(%y : memref<4xf32>)
  return
}

// -----

// Two views of one buffer may overlap.
// CHECK-LABEL: func @main
// CHECK: func private @cim_loop_1(%{{[a-z0-9]+}}: memref<2xf32, strided<[1]>>, %{{[a-z0-9]+}}: memref<2xf32, strided<[1], offset: 2>>, %{{[a-z0-9]+}}: memref<2xf32> {llvm.noalias})
#map = affine_map<(d0) -> (d0)>
func.func @main(%x: memref<4xf32>, %z: memref<2xf32>) {
  %a = memref.subview %x[0] [2] [1] : memref<4xf32> to memref<2xf32, strided<[1]>>
  %b = memref.subview %x[2] [2] [1] : memref<4xf32> to memref<2xf32, strided<[1], offset: 2>>
  linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
      ins(%a, %b : memref<2xf32, strided<[1]>>, memref<2xf32, strided<[1], offset: 2>>) outs(%z : memref<2xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// What a bare pointer cannot describe stays.
// CHECK-LABEL: func @main
// CHECK: linalg.fill
func.func @main(%x: memref<?xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%x : memref<?xf32>)
  return
}

// -----

// expected-error @below {{expected a function @main with a body}}
module {
}
