// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays of 4 rows and 3 columns.
// RUN: cim-opt %s --cim-split-weights --cim-tile-matrices=target=%S/Inputs/tiny.yaml | FileCheck %s --implicit-check-not=cim.block
// RUN: cim-opt %s --cim-split-weights --cim-tile-matrices=target=%S/Inputs/tiny.yaml --cim-verify-phase='phase=tiled target=%S/Inputs/tiny.yaml'
// RUN: cim-opt %s --cim-split-weights=split=unary --cim-tile-matrices=target=%S/Inputs/tiny.yaml | FileCheck %s --check-prefix=UNARY
// RUN: cim-opt %s --cim-split-weights=split=unary --cim-tile-matrices=target=%S/Inputs/tiny.yaml --cim-verify-phase='phase=tiled target=%S/Inputs/tiny.yaml'

module attributes {nn.batch = 1 : i64} {

// Nine rows need three blocks, which share them evenly; four columns need two.
// CHECK-LABEL: cim.matrix @rows
// CHECK-NEXT: cim.block plane 0 rows 0 count 3 columns 0 count 3{{$}}
// CHECK-NEXT: cim.block plane 0 rows 0 count 3 columns 3 count 1{{$}}
// CHECK-NEXT: cim.block plane 1 rows 0 count 3 columns 0 count 3{{$}}
// CHECK-NEXT: cim.block plane 1 rows 0 count 3 columns 3 count 1{{$}}
// CHECK-NEXT: cim.block plane 0 rows 3 count 3 columns 0 count 3
// CHECK-NEXT: cim.block plane 0 rows 3 count 3 columns 3 count 1
// CHECK-NEXT: cim.block plane 1 rows 3 count 3 columns 0 count 3
// CHECK-NEXT: cim.block plane 1 rows 3 count 3 columns 3 count 1
// CHECK-NEXT: cim.block plane 0 rows 6 count 3 columns 0 count 3
// CHECK-NEXT: cim.block plane 0 rows 6 count 3 columns 3 count 1
// CHECK-NEXT: cim.block plane 1 rows 6 count 3 columns 0 count 3
// CHECK-NEXT: cim.block plane 1 rows 6 count 3 columns 3 count 1
// CHECK-NEXT: }

// Two cells of a weight share the rows: floor(4 / 2) matrix rows fit.
// UNARY-LABEL: cim.matrix @rows
// UNARY-NEXT: cim.block plane 0 rows 0 count 2 columns 0 count 3
// UNARY-NEXT: cim.block plane 0 rows 0 count 2 columns 3 count 1
// UNARY-NEXT: cim.block plane 0 rows 2 count 2 columns 0 count 3
cim.matrix @rows weights(dense<1> : tensor<9x4xi8>) levels 2 groups 1 {
}

// The last row block takes what is left.
// CHECK-LABEL: cim.matrix @uneven
// CHECK-NEXT: cim.block plane 0 rows 0 count 3 columns 0 count 1
// CHECK-NEXT: cim.block plane 0 rows 3 count 2 columns 0 count 1
// CHECK-NEXT: }
cim.matrix @uneven weights(dense<1> : tensor<5x1xi8>) levels 1 groups 1 {
}

// Groups of 2 x 1: two fit into the rows. Nothing covers what lies between.
// CHECK-LABEL: cim.matrix @groups
// CHECK-NEXT: cim.block plane 0 rows 0 count 4 columns 0 count 2
// CHECK-NEXT: cim.block plane 0 rows 4 count 2 columns 2 count 1
// CHECK-NEXT: }
cim.matrix @groups weights(dense<[[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]> : tensor<6x3xi8>) levels 1 groups 3 {
}

// Groups of 6 x 1 do not fit: each is cut like a matrix of its own.
// CHECK-LABEL: cim.matrix @large_groups
// CHECK-NEXT: cim.block plane 0 rows 0 count 3 columns 0 count 1
// CHECK-NEXT: cim.block plane 0 rows 3 count 3 columns 0 count 1
// CHECK-NEXT: cim.block plane 0 rows 6 count 3 columns 1 count 1
// CHECK-NEXT: cim.block plane 0 rows 9 count 3 columns 1 count 1
// CHECK-NEXT: }
cim.matrix @large_groups weights(dense<0> : tensor<12x2xi8>) levels 1 groups 2 {
}

// What is cut already stays.
// CHECK-LABEL: cim.matrix @cut
// CHECK-NEXT: cim.block plane 0 rows 0 count 1 columns 0 count 1
// CHECK-NEXT: cim.block plane 0 rows 1 count 1 columns 0 count 1
// CHECK-NEXT: }
cim.matrix @cut weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1 {
  cim.block plane 0 rows 0 count 1 columns 0 count 1
  cim.block plane 0 rows 1 count 1 columns 0 count 1
}

}
