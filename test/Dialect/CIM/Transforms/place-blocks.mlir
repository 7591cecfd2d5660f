// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays of 4 rows and 3 columns, two of them.
// RUN: cim-opt %s --cim-place-blocks=target=%S/Inputs/tiny.yaml | FileCheck %s
// RUN: cim-opt %s --cim-place-blocks=target=%S/Inputs/tiny.yaml --cim-verify-phase='phase=placed target=%S/Inputs/tiny.yaml'
// RUN: not cim-opt %s --cim-place-blocks='target=%S/Inputs/tiny.yaml arrays=1' 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: not cim-opt %s --cim-place-blocks='target=%S/Inputs/tiny.yaml arrays=-1' 2>&1 | FileCheck %s --check-prefix=NEGATIVE

// ONE: error: the network needs 2 arrays of 4 x 3 cells (2 by area alone), but 'arrays' allows 1; allow more arrays, or use fewer cells per weight or a target with larger arrays
// NEGATIVE: error: expected 'arrays' of at least 0, but got -1

module attributes {nn.batch = 1 : i64} {

// The name of this matrix must not become that of an array. The tallest block
// is placed first.
// CHECK-LABEL: cim.matrix @array0
// CHECK-NEXT: plane 0 {{.*}} at @array_1[3, 0]
cim.matrix @array0 weights(dense<1> : tensor<1x3xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x3xi8>) significance(dense<1.0> : tensor<1x3xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 3 gain 1.0
}

// Two planes beside each other see the same inputs: neither goes into the
// column that the block below leaves free.
// CHECK-LABEL: cim.matrix @planes
// CHECK-NEXT: plane 0 {{.*}} at @array_1[0, 0]
// CHECK-NEXT: plane 1 {{.*}} at @array_1[0, 1]
cim.matrix @planes weights(dense<1> : tensor<3x1xi8>) levels 4 groups 1
    split radix planes(dense<[[[1], [1], [1]], [[0], [0], [0]]]> : tensor<2x3x1xi8>) significance(dense<[[1.0], [3.0]]> : tensor<2x1xf32>) {
  cim.block plane 0 rows 0 count 3 columns 0 count 1 gain 1.0
  cim.block plane 1 rows 0 count 3 columns 0 count 1 gain 1.0
}

// Two matrix rows of two cells each.
// CHECK-LABEL: cim.matrix @unary
// CHECK-NEXT: plane 0 {{.*}} at @array_0[0, 0]
cim.matrix @unary weights(dense<2> : tensor<2x2xi8>) levels 2 groups 1
    split unary planes(dense<1> : tensor<2x2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0
}

}
