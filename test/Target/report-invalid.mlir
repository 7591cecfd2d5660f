// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: rm -rf %t && split-file %s %t
// RUN: not cim-opt %t/empty.mlir --cim-report="file=%t/r.txt" 2>&1 | FileCheck %s --check-prefix=EXTENSION
// RUN: not cim-opt %t/empty.mlir --cim-report 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not cim-opt %t/empty.mlir --cim-report="file=%t/no/such/r.json" 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not cim-opt %t/empty.mlir --cim-report="file=%t/r.json target=imec-anja" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not cim-opt %t/matrix.mlir --cim-report="file=%t/r.json" 2>&1 | FileCheck %s --check-prefix=MATRIX
// RUN: not cim-opt %t/unplaced.mlir --cim-report="file=%t/r.json" 2>&1 | FileCheck %s --check-prefix=UNPLACED
// RUN: not cim-opt %t/nowhere.mlir --cim-report="file=%t/r.json" 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not cim-opt %t/outside.mlir --cim-report="file=%t/r.json" 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// RUN: not cim-opt %t/array.mlir --cim-report="file=%t/r.json target=host" 2>&1 | FileCheck %s --check-prefix=HOST
// RUN: not ls %t/r.json %t/r.txt

// EXTENSION: error: expected a report file that ends in '.json' or '.html', but got '{{.*}}r.txt'
// NONE: error: expected a report file that ends in '.json' or '.html', but got ''
// FOLDER: error: cannot write '{{.*}}r.json': {{[Nn]}}o such file or directory
// TARGET: error: unknown target 'imec-anja'
// MATRIX: error: 'cim.matrix' op expects to be part of a program before it can be reported; run 'cim-build-program'
// UNPLACED: error: 'cim.block' op expects a place and a gain; run 'cim-build-program'
// NOWHERE: error: 'cim.block' op expects a cim.array named @array0
// OUTSIDE: error: 'cim.block' op expects a place in an array of 1024 x 512 cells, which target 'imec-ania' has
// HOST: error: 'cim.array' op expects a target with arrays, but got 'host'

//--- empty.mlir
module {}

//--- matrix.mlir
cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 {}

//--- unplaced.mlir
cim.array @array0 image(dense<0> : tensor<2x2xi8>)
cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0
}

//--- nowhere.mlir
cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
}

//--- outside.mlir
cim.array @array0 image(dense<0> : tensor<2x2xi8>)
cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 9223372036854775806]
}

//--- array.mlir
cim.array @array0 image(dense<0> : tensor<2x2xi8>)
