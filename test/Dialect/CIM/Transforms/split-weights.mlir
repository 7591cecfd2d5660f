// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Planes and significance of docs/Numerics.md section 2.
// RUN: cim-opt %s --cim-split-weights | FileCheck %s --check-prefixes=ALL,RADIX
// RUN: cim-opt %s --cim-split-weights=split=radix | FileCheck %s --check-prefixes=ALL,RADIX
// RUN: cim-opt %s --cim-split-weights=split=magnitude | FileCheck %s --check-prefixes=ALL,MAGNITUDE
// RUN: cim-opt %s --cim-split-weights=cells=w=3 | FileCheck %s --check-prefixes=ALL,MAGNITUDE
// RUN: cim-opt %s --cim-split-weights=split=equal | FileCheck %s --check-prefixes=ALL,EQUAL
// RUN: cim-opt %s --cim-split-weights=cells=w=5 | FileCheck %s --check-prefixes=ALL,EQUAL
// RUN: cim-opt %s --cim-split-weights=split=unary | FileCheck %s --check-prefixes=ALL,UNARY
// RUN: cim-opt %s --cim-split-weights='split=residual cells=2' | FileCheck %s --check-prefixes=ALL,RESIDUAL
// RUN: cim-opt %s --cim-split-weights='split=residual cells=w=1,node=3,*=2' | FileCheck %s --check-prefixes=ALL,CELLS
// RUN: cim-opt %s --cim-split-weights='split=radix target=%S/Inputs/multilevel.yaml' | FileCheck %s --check-prefixes=ALL,MULTI
// RUN: cim-opt %s --cim-split-weights='split=magnitude target=%S/Inputs/multilevel.yaml' | FileCheck %s --check-prefixes=ALL,MULTIMAGNITUDE
// RUN: cim-opt %s --cim-split-weights='target=%S/Inputs/multilevel.yaml' | FileCheck %s --check-prefixes=ALL,MULTIEQUAL
// RUN: cim-opt %s --cim-split-weights='split=unary target=%S/Inputs/multilevel.yaml' | FileCheck %s --check-prefixes=ALL,MULTIUNARY
// RUN: cim-opt %s --cim-split-weights --cim-verify-phase=phase=split
// RUN: cim-opt %s --cim-split-weights=split=magnitude --cim-verify-phase=phase=split
// RUN: cim-opt %s --cim-split-weights=split=equal --cim-verify-phase=phase=split
// RUN: cim-opt %s --cim-split-weights=split=unary --cim-verify-phase=phase=split
// RUN: cim-opt %s --cim-split-weights='split=residual cells=3' --cim-verify-phase=phase=split

module attributes {nn.batch = 1 : i64} {

// -4 = -3 - 1, -2 = -3 + 1, 2 = 3 - 1.
// ALL-LABEL: cim.matrix @w
// RADIX-SAME: split radix
// RADIX-SAME{LITERAL}: planes(dense<[[[-1], [1], [-1], [1], [0]], [[-1], [-1], [1], [1], [0]]]> : tensor<2x5x1xi8>)
// RADIX-SAME{LITERAL}: significance(dense<[[1.000000e+00], [3.000000e+00]]> : tensor<2x1xf32>)
// MAGNITUDE-SAME: split magnitude
// MAGNITUDE-SAME{LITERAL}: planes(dense<[[[0], [0], [0], [0], [0]], [[0], [-1], [1], [0], [0]], [[-1], [0], [0], [1], [0]]]> : tensor<3x5x1xi8>)
// MAGNITUDE-SAME{LITERAL}: significance(dense<[[1.000000e+00], [2.000000e+00], [4.000000e+00]]> : tensor<3x1xf32>)
// Row k begins with plane k mod 4.
// EQUAL-SAME: split equal
// EQUAL-SAME{LITERAL}: planes(dense<[[[-1], [0], [0], [1], [0]], [[-1], [-1], [0], [1], [0]], [[-1], [-1], [1], [1], [0]], [[-1], [0], [1], [1], [0]]]> : tensor<4x5x1xi8>)
// EQUAL-SAME{LITERAL}: significance(dense<1.000000e+00> : tensor<4x1xf32>)
// UNARY-SAME: split unary
// UNARY-SAME{LITERAL}: planes(dense<[[[-1], [-1], [1], [1], [0]], [[-1], [-1], [1], [1], [0]], [[-1], [0], [0], [1], [0]], [[-1], [0], [0], [1], [0]]]> : tensor<4x5x1xi8>)
// UNARY-SAME: significance(dense<1.000000e+00> : tensor<1x1xf32>)

// The mean magnitude 3 leaves -1, 1, -1, 1.
// RESIDUAL-SAME: split residual
// RESIDUAL-SAME{LITERAL}: planes(dense<[[[-1], [-1], [1], [1], [0]], [[-1], [1], [-1], [1], [0]]]> : tensor<2x5x1xi8>)
// RESIDUAL-SAME{LITERAL}: significance(dense<[[3.000000e+00], [1.000000e+00]]> : tensor<2x1xf32>)
// CELLS-SAME: tensor<1x5x1xi8>
// Digits of base 7 are -3 .. 3.
// MULTI-SAME{LITERAL}: planes(dense<[[[3], [-2], [2], [-3], [0]], [[-1], [0], [0], [1], [0]]]> : tensor<2x5x1xi8>)
// MULTI-SAME{LITERAL}: significance(dense<[[1.000000e+00], [7.000000e+00]]> : tensor<2x1xf32>)
// Digits of base 4 are 0 .. 3 with one sign.
// MULTIMAGNITUDE-SAME{LITERAL}: split magnitude planes(dense<[[[0], [-2], [2], [0], [0]], [[-1], [0], [0], [1], [0]]]> : tensor<2x5x1xi8>)
// MULTIMAGNITUDE-SAME{LITERAL}: significance(dense<[[1.000000e+00], [4.000000e+00]]> : tensor<2x1xf32>)
// MULTIEQUAL-SAME{LITERAL}: split equal planes(dense<[[[-3], [0], [2], [1], [0]], [[-1], [-2], [0], [3], [0]]]> : tensor<2x5x1xi8>)
// MULTIUNARY-SAME{LITERAL}: planes(dense<[[[-3], [-2], [2], [3], [0]], [[-1], [0], [0], [1], [0]]]> : tensor<2x5x1xi8>)
cim.matrix @w weights(dense<[[-4], [-2], [2], [4], [0]]> : tensor<5x1xi8>) levels 4 groups 1 {
}

// Weights that arrive ternary take one cell, whatever the split.
// ALL-LABEL: cim.matrix @ternary
// ALL-SAME{LITERAL}: (dense<[[[-1], [1]]]> : tensor<1x2x1xi8>)
// ALL-SAME: significance(dense<1.000000e+00> : tensor<1x1xf32>)
cim.matrix @ternary weights(dense<[[-1], [1]]> : tensor<2x1xi8>) levels 1 groups 1 {
}

// The support of the first plane is {10, 9}: (10 + 9)^2 / 2 > (10 + 9 + 3)^2 / 3.
// A column of zeros has no support.
// ALL-LABEL: cim.matrix @support
// RESIDUAL-SAME{LITERAL}: planes(dense<[[[1, 0], [0, 0], [-1, 0]], [[0, 0], [1, 0], [0, 0]]]> : tensor<2x3x2xi8>)
// RESIDUAL-SAME{LITERAL}: significance(dense<[[9.500000e+00, 0.000000e+00], [3.000000e+00, 0.000000e+00]]> : tensor<2x2xf32>)
// CELLS-SAME: tensor<3x3x2xi8>
cim.matrix @support weights(dense<[[10, 0], [3, 0], [-9, 0]]> : tensor<3x2xi8>) levels 127 groups 1 {
} loc("node")

// What is split already stays.
// ALL-LABEL: cim.matrix @split
// ALL-SAME: split radix planes(dense<1> : tensor<1x1x1xi8>)
cim.matrix @split weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
}

}
