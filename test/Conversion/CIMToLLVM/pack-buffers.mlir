// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-pack-buffers --split-input-file | FileCheck %s

// The first and the third buffer are never needed at the same time.
// CHECK-LABEL: func @main
// CHECK: %[[ARENA:.+]] = memref.alloc() {alignment = 64 : i64} : memref<192xi8>
// CHECK: %[[AT:.+]] = arith.constant 0 : index
// CHECK: %[[A:.+]] = memref.view %[[ARENA]][%[[AT]]][] : memref<192xi8> to memref<32xf32>
// CHECK: %[[AT:.+]] = arith.constant 128 : index
// CHECK: memref.view %[[ARENA]][%[[AT]]][] : memref<192xi8> to memref<10xf32>
// CHECK: %[[AT:.+]] = arith.constant 0 : index
// CHECK: memref.view %[[ARENA]][%[[AT]]][] : memref<192xi8> to memref<16xf32>
// CHECK: memref.dealloc %[[ARENA]]
// CHECK-NEXT: return
func.func @main(%x: memref<32xf32>, %y: memref<16xf32>, %z: memref<10xf32>) {
  %a = memref.alloc() : memref<32xf32>
  memref.copy %x, %a : memref<32xf32> to memref<32xf32>
  %b = memref.alloc() : memref<10xf32>
  memref.copy %z, %b : memref<10xf32> to memref<10xf32>
  memref.copy %a, %x : memref<32xf32> to memref<32xf32>
  memref.dealloc %a : memref<32xf32>
  %c = memref.alloc() : memref<16xf32>
  memref.copy %y, %c : memref<16xf32> to memref<16xf32>
  memref.copy %b, %z : memref<10xf32> to memref<10xf32>
  memref.dealloc %b : memref<10xf32>
  memref.copy %c, %y : memref<16xf32> to memref<16xf32>
  memref.dealloc %c : memref<16xf32>
  return
}

// -----

// A buffer ends with the last use of its views, and is there from the first on.
// CHECK-LABEL: func @main
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<128xi8>
// CHECK: %[[AT:.+]] = arith.constant 0 : index
// CHECK: memref.view %{{.*}}[%[[AT]]][] : memref<128xi8> to memref<4x4xf32>
// CHECK: %[[AT:.+]] = arith.constant 64 : index
// CHECK: memref.view %{{.*}}[%[[AT]]][] : memref<128xi8> to memref<8xf32>
// CHECK: %[[AT:.+]] = arith.constant 64 : index
// CHECK: memref.view %{{.*}}[%[[AT]]][] : memref<128xi8> to memref<6xf32>
// CHECK: memref.dealloc
// CHECK-NOT: memref.dealloc
func.func @main(%x: memref<16xf32>, %y: memref<8xf32>, %z: memref<6xf32>) {
  %a = memref.alloc() : memref<4x4xf32>
  %flat = memref.collapse_shape %a [[0, 1]] : memref<4x4xf32> into memref<16xf32>
  memref.copy %x, %flat : memref<16xf32> to memref<16xf32>
  %b = memref.alloc() : memref<8xf32>
  memref.copy %y, %b : memref<8xf32> to memref<8xf32>
  %c = memref.alloc() : memref<6xf32>
  memref.copy %z, %c : memref<6xf32> to memref<6xf32>
  memref.copy %flat, %x : memref<16xf32> to memref<16xf32>
  return
}

// -----

// What has no whole bytes or no known size is freed behind its last use.
// CHECK-LABEL: func @main
// CHECK: %[[A:.+]] = memref.alloc() : memref<4xi1>
// CHECK: %[[B:.+]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: memref.copy %[[A]], %{{.*}}
// CHECK-NEXT: memref.dealloc %[[A]]
// CHECK-NEXT: memref.copy %[[B]], %{{.*}}
// CHECK-NEXT: memref.dealloc %[[B]]
func.func @main(%n: index, %x: memref<4xi1>, %y: memref<?xf32>) {
  %a = memref.alloc() : memref<4xi1>
  %b = memref.alloc(%n) : memref<?xf32>
  memref.copy %a, %x : memref<4xi1> to memref<4xi1>
  memref.copy %b, %y : memref<?xf32> to memref<?xf32>
  return
}

// -----

// Ends that are there stay, and so does what is returned.
// CHECK-LABEL: func @main
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: memref.alloc() : memref<2xf32>
// CHECK-NOT: memref.view
func.func @main(%n: index) -> memref<2xf32> {
  %a = memref.alloc(%n) : memref<?xf32>
  memref.dealloc %a : memref<?xf32>
  %b = memref.alloc() : memref<2xf32>
  return %b : memref<2xf32>
}
