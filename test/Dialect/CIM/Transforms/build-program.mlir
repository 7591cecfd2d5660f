// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-build-program | FileCheck %s
// RUN: cim-opt %s --cim-build-program --cim-verify-phase=phase=program

module attributes {nn.batch = 2 : i64} {

// Arrays come first, in the order of their numbers, and are as large as what
// lies in them.
// CHECK: cim.array @array0 image(dense<{{\[\[}}0, 1, -1], [1, 0, 1]]> : tensor<2x3xi8>)
// CHECK-NEXT: cim.array @array2 image(dense<{{\[\[}}-1], [-1], [0], [1]]> : tensor<4x1xi8>)
// CHECK-NEXT: cim.array @array10 image(dense<1> : tensor<1x1xi8>)
// CHECK-NOT: cim.array
// CHECK-NOT: cim.matrix

// Nobody reads this one.
cim.matrix @unused weights(dense<1> : tensor<1x1xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array11[0, 0]
}

// Layers are in the order of the program and not of the matrices.
// CHECK: cim.layer @fc input [1, 2, 1] ui8 output [1, 1, 1] f32
// CHECK-SAME: kernel [1, 2] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
// CHECK-SAME: significance(dense<1.000000e+00> : tensor<1x1xf32>) scale(dense<1.000000e-01> : tensor<1xf32>)
// CHECK-SAME: bias(dense<5.000000e-01> : tensor<1xf32>) clamp{{ *}}[0xFF800000, 0x7F800000] floor repeat 2
// CHECK-NEXT: cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 5.000000e-01 at @array2[0, 0]
// CHECK-NEXT: }
// CHECK: cim.layer @two input [1, 1, 2] i8 output [1, 1, 2] ui8
// CHECK-SAME: clamp{{ *}}[0.000000e+00, 1.270000e+02] nearest_even repeat 1
// CHECK-NEXT: cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.000000e+00 at @array0[0, 1]
// CHECK-NEXT: cim.block plane 0 rows 0 count 1 columns 1 count 1 gain 1.000000e+00 at @array0[0, 2]
// CHECK-NEXT: cim.block plane 0 rows 1 count 1 columns 1 count 1 gain 1.000000e+00 at @array10[0, 0]
// CHECK-NEXT: }
// A second use of a matrix is another layer in the same cells.
// CHECK: cim.layer @two_0 input [1, 1, 2] i8 output [1, 1, 2] f32
// CHECK-NEXT: cim.block {{.*}} at @array0[0, 1]
cim.matrix @two weights(dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>) levels 1 groups 1
    split radix planes(dense<[[[1, -1], [0, 1]]]> : tensor<1x2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 1.0 at @array0[0, 1]
  cim.block plane 0 rows 0 count 1 columns 1 count 1 gain 1.0 at @array0[0, 2]
  cim.block plane 0 rows 1 count 1 columns 1 count 1 gain 1.0 at @array10[0, 0]
}

cim.matrix @corner weights(dense<1> : tensor<1x2xi8>) levels 1 groups 1
    split radix planes(dense<1> : tensor<1x1x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
  cim.block plane 0 rows 0 count 1 columns 0 count 1 gain 1.0 at @array0[1, 0]
  cim.block plane 0 rows 0 count 1 columns 1 count 1 gain 1.0 at @array0[1, 2]
}

// Cells of one weight lie under each other.
cim.matrix @fc weights(dense<[[-2], [1]]> : tensor<2x1xi8>) levels 2 groups 1
    split unary planes(dense<[[[-1], [0]], [[-1], [1]]]> : tensor<2x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 0.5 at @array2[0, 0]
}

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<2x1x2x1x!quant.uniform<u8<0:127>:f32, 0.5>>, %y: tensor<2x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>, %z: tensor<2x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.5>>)
    -> (tensor<2x1x1x1xf32>, tensor<2x1x1x2x!quant.uniform<u8<0:127>:f32, 0.25>>, tensor<2x1x1x2xf32>, tensor<2x1x1x2xf32>) {
  // CHECK: %[[IN:.*]] = quant.scast %{{.*}} : tensor<2x1x2x1x!quant.uniform<u8<0:127>:f32, 5.000000e-01>> to tensor<2x1x2x1xi8>
  // CHECK: %[[OUT:.*]] = tensor.empty() : tensor<2x1x1x1xf32>
  // CHECK: %[[FC:.*]] = cim.stream @fc ins(%[[IN]] : tensor<2x1x2x1xi8>) outs(%[[OUT]] : tensor<2x1x1x1xf32>) -> tensor<2x1x1x1xf32>
  %0 = cim.mvm @fc(%x) kernel [1, 2] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.1> : tensor<1xf64>) bias(dense<0.5> : tensor<1xf64>) clamp [0xFF800000, 0x7F800000] floor
      mean(dense<0.5> : tensor<1xf64>) deviation(dense<0.5> : tensor<1xf64>)
      : (tensor<2x1x2x1x!quant.uniform<u8<0:127>:f32, 0.5>>) -> tensor<2x1x1x1xf32>
  // CHECK: %[[INT:.*]] = cim.stream @two ins(%{{.*}}) outs(%{{.*}}) -> tensor<2x1x1x2xi8>
  // CHECK: quant.scast %[[INT]] : tensor<2x1x1x2xi8> to tensor<2x1x1x2x!quant.uniform<u8<0:127>:f32, 2.500000e-01>>
  %1 = cim.mvm @two(%y) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.1> : tensor<2xf64>) bias(dense<0.5> : tensor<2xf64>) clamp [0.0, 127.0] nearest_even
      : (tensor<2x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>) -> tensor<2x1x1x2x!quant.uniform<u8<0:127>:f32, 0.25>>
  // CHECK: cim.stream @two_0
  %2 = cim.mvm @two(%y) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.1> : tensor<2xf64>) bias(dense<0.5> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<2x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>) -> tensor<2x1x1x2xf32>
  // CHECK: cim.stream @corner
  %3 = cim.mvm @corner(%z) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.1> : tensor<2xf64>) bias(dense<0.5> : tensor<2xf64>) clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<2x1x1x1x!quant.uniform<i8<-63:63>:f32, 0.5>>) -> tensor<2x1x1x2xf32>
  return %0, %1, %2, %3 : tensor<2x1x1x1xf32>, tensor<2x1x1x2x!quant.uniform<u8<0:127>:f32, 0.25>>, tensor<2x1x1x2xf32>, tensor<2x1x1x2xf32>
}

}
