// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Three blocks of two columns fit into two arrays of three only in pieces.
// RUN: cim-opt %s --cim-place-blocks=target=%S/Inputs/tiny.yaml | FileCheck %s --implicit-check-not=cim.block
// RUN: cim-opt %s --cim-place-blocks=target=%S/Inputs/tiny.yaml --cim-verify-phase='phase=placed target=%S/Inputs/tiny.yaml'

// With as many arrays as it takes nothing is cut, and planes of the same rows
// that do not fit side by side go to arrays of their own.
// RUN: cim-opt %s --cim-place-blocks='target=%S/Inputs/tiny.yaml arrays=3' | FileCheck %s --check-prefix=WHOLE --implicit-check-not=cim.block

module attributes {nn.batch = 1 : i64} {

// CHECK-LABEL: cim.matrix @w
// CHECK-NEXT: cim.block plane 0 rows 0 count 4 columns 0 count 2 gain 1.000000e+00 at @array0[0, 0]
// CHECK-NEXT: cim.block plane 1 rows 0 count 4 columns 0 count 1 gain 2.000000e+00 at @array0[0, 2]
// CHECK-NEXT: cim.block plane 1 rows 0 count 4 columns 1 count 1 gain 2.000000e+00 at @array1[0, 0]
// CHECK-NEXT: cim.block plane 2 rows 0 count 4 columns 0 count 2 gain 3.000000e+00 at @array1[0, 1]
// WHOLE-LABEL: cim.matrix @w
// WHOLE-NEXT: cim.block plane 0 {{.*}} columns 0 count 2 gain 1.000000e+00 at @array0[0, 0]
// WHOLE-NEXT: cim.block plane 1 {{.*}} columns 0 count 2 gain 2.000000e+00 at @array1[0, 0]
// WHOLE-NEXT: cim.block plane 2 {{.*}} columns 0 count 2 gain 3.000000e+00 at @array2[0, 0]
cim.matrix @w weights(dense<0> : tensor<4x2xi8>) levels 13 groups 1
    split radix planes(dense<0> : tensor<3x4x2xi8>) significance(dense<[[1.0, 1.0], [3.0, 3.0], [9.0, 9.0]]> : tensor<3x2xf32>) {
  cim.block plane 0 rows 0 count 4 columns 0 count 2 gain 1.0
  cim.block plane 1 rows 0 count 4 columns 0 count 2 gain 2.0
  cim.block plane 2 rows 0 count 4 columns 0 count 2 gain 3.0
}

}
