// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: split-file %s %t
// RUN: not cim-translate --cim-to-shared-object %t/plain.mlir --cpu=pentium9 -o %t/out.so 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not cim-translate --cim-to-shared-object %t/plain.mlir --target=no-such-chip -o %t/out.so 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not cim-translate --cim-to-shared-object %t/dynamic.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// RUN: not cim-translate --cim-to-shared-object %t/type.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not cim-translate --cim-to-shared-object %t/main.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=MAIN
// RUN: not cim-translate --cim-to-shared-object %t/layer.mlir --target=host -o %t/out.so 2>&1 | FileCheck %s --check-prefix=HOST
// RUN: not cim-translate --cim-to-shared-object %t/layer.mlir --target=imec-ania -o %t/out.so 2>&1 | FileCheck %s --check-prefix=PLACE
// RUN: not cim-translate --cim-to-shared-object %t/observe.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=OBSERVE
// RUN: not cim-translate --cim-to-shared-object %t/logical.mlir -o %t/out.so 2>&1 | FileCheck %s --check-prefix=LOGICAL
// RUN: not ls %t/out.so

// CPU: error: unknown processor 'pentium9'; expected native, baseline or a name
// TARGET: error: {{.*}}no-such-chip
// DYNAMIC: error: expected 'x' to be a tensor of static shape and of f32, bool or integers of 8, 16, 32 or 64 bits, but got 'tensor<?xf32>'
// TYPE: error: expected 'x' to be a tensor of static shape and of f32, bool or integers of 8, 16, 32 or 64 bits, but got 'tensor<1xf64>'
// MAIN: error: expected a function @main with a body
// HOST: error: 'cim.layer' op needs a target with arrays, but the program is compiled for the host
// PLACE: error: 'cim.block' op expects a gain and a place in a cim.array of this module
// OBSERVE: error: 'nn.observe' op expects values numbered 0, 1, .. once each, but got 1 in place of 0
// LOGICAL: error: {{.*}}op was not bufferized

//--- plain.mlir
func.func @main(%x: tensor<1xf32> {nn.name = "x"}) -> tensor<1xf32> {
  return %x : tensor<1xf32>
}
//--- dynamic.mlir
func.func @main(%x: tensor<?xf32> {nn.name = "x"}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
//--- type.mlir
func.func @main(%x: tensor<1xf64> {nn.name = "x"}) -> tensor<1xf64> {
  return %x : tensor<1xf64>
}
//--- main.mlir
func.func @other(%x: tensor<1xf32>) -> tensor<1xf32> {
  return %x : tensor<1xf32>
}
//--- observe.mlir
func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  nn.observe(%x) value 1 : tensor<1xf32>
  return %x : tensor<1xf32>
}
//--- layer.mlir
cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2
}
func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  return %x : tensor<1xf32>
}
//--- logical.mlir
!q = !quant.uniform<i8<-63:63>:f32, 0.1>
cim.matrix @fc weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 {
}
func.func @main(%x: tensor<1x1x1x2x!q>) -> tensor<1x1x1x2xf32> {
  %y = cim.mvm @fc(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
      clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x2x!q>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}
