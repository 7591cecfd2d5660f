// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is in the cells is the matrix that went in, for every split: the
// program that is built from the recovered matrices is the same.
// DEFINE: %{map} = --cim-tile-matrices=target=%S/Inputs/tiny.yaml --cim-set-adc-gain=target=%S/Inputs/tiny.yaml --cim-place-blocks='target=%S/Inputs/tiny.yaml arrays=99' --cim-build-program
// DEFINE: %{verify} = --cim-verify-phase='phase=program target=%S/Inputs/tiny.yaml'
// RUN: cim-opt %s --cim-split-weights %{map} %{verify} > %t.radix
// RUN: cim-opt %t.radix --cim-recover-matrices | FileCheck %s --check-prefixes=CHECK,RADIX
// RUN: cim-opt %t.radix --cim-recover-matrices --cim-build-program --canonicalize > %t.again
// RUN: cim-opt %t.radix --canonicalize | diff - %t.again
// RUN: cim-opt %s --cim-split-weights=split=magnitude %{map} | cim-opt --cim-recover-matrices | FileCheck %s --check-prefixes=CHECK,MAGNITUDE
// RUN: cim-opt %s --cim-split-weights=split=equal %{map} | cim-opt --cim-recover-matrices | FileCheck %s --check-prefixes=CHECK,EQUAL
// RUN: cim-opt %s --cim-split-weights=split=unary %{map} %{verify} > %t.unary
// RUN: cim-opt %t.unary --cim-recover-matrices | FileCheck %s --check-prefixes=CHECK,UNARY
// RUN: cim-opt %t.unary --cim-recover-matrices --cim-build-program --canonicalize > %t.again
// RUN: cim-opt %t.unary --canonicalize | diff - %t.again
// RUN: cim-opt %s --cim-split-weights='split=residual cells=4' %{map} %{verify} > %t.residual
// RUN: cim-opt %t.residual --cim-recover-matrices --cim-build-program --canonicalize > %t.again
// RUN: cim-opt %t.residual --canonicalize | diff - %t.again

module attributes {nn.batch = 1 : i64} {

// CHECK-LABEL: cim.matrix @conv weights
// CHECK-SAME{LITERAL}: (dense<[[1, -2, 3, -4], [4, -3, 2, -1], [0, 1, 0, -1], [-4, -4, 4, 4], [2, 0, 2, 0], [0, 3, 0, 3], [1, 1, 1, 1], [-1, -1, -1, -1]]> : tensor<8x4xi8>) levels 4 groups 1
// RADIX-SAME: split radix
// MAGNITUDE-SAME: split magnitude
// EQUAL-SAME: split equal
// UNARY-SAME: split unary
cim.matrix @conv weights(dense<[[1, -2, 3, -4], [4, -3, 2, -1], [0, 1, 0, -1], [-4, -4, 4, 4], [2, 0, 2, 0], [0, 3, 0, 3], [1, 1, 1, 1], [-1, -1, -1, -1]]> : tensor<8x4xi8>) levels 4 groups 1 {
}

// CHECK-LABEL: cim.matrix @grouped weights
// CHECK-SAME{LITERAL}: (dense<[[1, 0], [2, 0], [3, 0], [4, 0], [4, 0], [0, 1], [0, 1], [0, 1], [0, -1], [0, 3]]> : tensor<10x2xi8>) levels 4 groups 2
cim.matrix @grouped weights(dense<[[1, 0], [2, 0], [3, 0], [4, 0], [4, 0], [0, 1], [0, 1], [0, 1], [0, -1], [0, 3]]> : tensor<10x2xi8>) levels 4 groups 2 {
}

// CHECK-LABEL: func.func @main
// CHECK: cim.mvm @conv{{.*}}scale(dense<[5.000000e-01, 2.500000e-01, 1.250000e-01, 1.000000e+00]> : tensor<4xf64>)
func.func @main(%x: tensor<1x3x3x2x!quant.uniform<i8<-63:63>:f32, 0.5>>, %y: tensor<1x1x1x10x!quant.uniform<u8<0:127>:f32, 0.5>>)
    -> (tensor<1x2x2x4x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<1x1x1x2xf32>) {
  %0 = cim.mvm @conv(%x) kernel [2, 2] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<[0.5, 0.25, 0.125, 1.0]> : tensor<4xf64>) bias(dense<0.5> : tensor<4xf64>) clamp [0.0, 127.0] nearest_even
      : (tensor<1x3x3x2x!quant.uniform<i8<-63:63>:f32, 0.5>>) -> tensor<1x2x2x4x!quant.uniform<u8<0:127>:f32, 0.5>>
  %1 = cim.mvm @grouped(%y) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.5> : tensor<2xf64>) bias(dense<0.5> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x10x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<1x1x1x2xf32>
  return %0, %1 : tensor<1x2x2x4x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<1x1x1x2xf32>
}

}
