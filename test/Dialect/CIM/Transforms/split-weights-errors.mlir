// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-split-weights
// RUN: not cim-opt %s --cim-split-weights='split=residual cells=0' 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not cim-opt %s --cim-split-weights='split=residual cells=a=1,a=2' 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not cim-opt %s --cim-split-weights='cells=a=many' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not cim-opt %s --cim-split-weights='split=residual target=%S/Inputs/multilevel.yaml' 2>&1 | FileCheck %s --check-prefix=MULTI
// RUN: not cim-opt %s --cim-split-weights=target=host 2>&1 | FileCheck %s --check-prefix=HOST
// RUN: not cim-opt %s --cim-split-weights=target=nowhere 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not cim-opt %s --cim-split-weights=split=binary 2>&1 | FileCheck %s --check-prefix=BINARY

// ZERO: error: expected cells per weight as a number from 1 to 127 or as 'node=number,..,*=number', but got '0'
// TWICE: error: expected cells per weight once for 'a', but got 'a=1,a=2'
// MANY: error: expected cells per weight as a number from 1 to 127 or as 'node=number,..,*=number', but got 'a=many'
// MULTI: error: split 'residual' needs ternary cells, but those of target 'multilevel' hold -3..3; use another split
// HOST: error: target 'host' has no arrays; name a chip, such as 'imec-ania'
// NOWHERE: error: {{.*}}nowhere
// BINARY: Cannot find option named 'binary'

// expected-error @below {{expects weights from -1 to 1, but got -2}}
cim.matrix @range weights(dense<[[1, -2]]> : tensor<1x2xi8>) levels 1 groups 1 {
}

// -----

// expected-error @below {{expected 4 bytes in resource 'lost', but got 0; was its data elided when it was printed?}}
cim.matrix @lost weights(dense_resource<lost> : tensor<2x2xi8>) levels 1 groups 1 {
}
