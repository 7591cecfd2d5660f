// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory that no run could get is an error of the compilation.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(func.func(cim-pack-buffers))"

func.func @one(%x: memref<1xf32>) {
  // expected-error@+1 {{expected at most 8589934591 bytes of buffers in one call, but they take 17179869184; compile for fewer samples per call}}
  %a = memref.alloc() : memref<4294967296xf32>
  memref.dealloc %a : memref<4294967296xf32>
  return
}

// -----

func.func @overflow(%x: memref<1xf32>) {
  // expected-error@+1 {{but they take 18446744073709551615}}
  %a = memref.alloc() : memref<4294967296x4294967296xf32>
  memref.dealloc %a : memref<4294967296x4294967296xf32>
  return
}

// -----

// expected-error@+1 {{but they take 8800000000}}
func.func @together(%x: memref<1xf32>) {
  %a = memref.alloc() : memref<4400000000xi8>
  %b = memref.alloc() : memref<4400000000xi8>
  memref.dealloc %a : memref<4400000000xi8>
  memref.dealloc %b : memref<4400000000xi8>
  return
}
