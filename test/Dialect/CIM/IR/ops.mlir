// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every op of the dialect prints what it parsed: as text, generic text, bytecode.
// RUN: cim-opt %s | cim-opt | FileCheck %s
// RUN: cim-opt %s --mlir-print-op-generic | cim-opt | FileCheck %s
// RUN: cim-opt %s --emit-bytecode | cim-opt | FileCheck %s

// CHECK-LABEL: cim.matrix @plain weights(dense<{{.*}}> : tensor<2x2xi8>) levels 4 groups 1 {
cim.matrix @plain weights(dense<[[1, -1], [4, 0]]> : tensor<2x2xi8>) levels 4 groups 1 {
}

// CHECK-LABEL: cim.matrix @mapped
// CHECK-SAME: split radix planes(dense<{{.*}}> : tensor<2x2x1xi8>) significance(dense<{{.*}}> : tensor<2x1xf32>)
// CHECK-NEXT: cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 2.500000e-01 at @array0[4, 8]
// CHECK-NEXT: cim.block plane 1 rows 0 count 2 columns 0 count 1{{$}}
cim.matrix @mapped weights(dense<[[1], [4]]> : tensor<2x1xi8>) levels 4 groups 1
    split radix planes(dense<[[[1], [1]], [[0], [1]]]> : tensor<2x2x1xi8>)
    significance(dense<[[1.0], [3.0]]> : tensor<2x1xf32>) {
  cim.block plane 0 rows 0 count 2 columns 0 count 1 gain 0.25 at @array0[4, 8]
  cim.block plane 1 rows 0 count 2 columns 0 count 1
}

// CHECK-LABEL: cim.array @array0 image(dense<0> : tensor<4x4xi8>)
cim.array @array0 image(dense<0> : tensor<4x4xi8>)

// CHECK-LABEL: cim.layer @layer input [1, 1, 2] ui8 output [1, 1, 2] f32
// CHECK-SAME: kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
// CHECK-SAME: clamp{{ *}}[0.000000e+00, 0x7F800000] nearest_even repeat 1
// CHECK-NEXT: cim.block plane 0
cim.layer @layer input [1, 1, 2] ui8 output [1, 1, 2] f32
    kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>)
    bias(dense<0.0> : tensor<2xf32>) clamp [0.0, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
}

// CHECK-LABEL: func.func @mvm
// CHECK: cim.mvm @plain(%{{.*}}) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
// CHECK-SAME: scale(dense<1.000000e-02> : tensor<2xf64>) bias(dense<0.000000e+00> : tensor<2xf64>)
// CHECK-SAME: clamp{{ *}}[0xFF800000, 0x7F800000] floor
// CHECK-SAME: mean(dense<1.000000e+00> : tensor<2xf64>) deviation(dense<2.000000e+00> : tensor<2xf64>)
func.func @mvm(%x: tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32> {
  %y = cim.mvm @plain(%x) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<0.01> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
      clamp [0xFF800000, 0x7F800000] floor
      mean(dense<1.0> : tensor<2xf64>) deviation(dense<2.0> : tensor<2xf64>)
      : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 0.1>>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// CHECK-LABEL: func.func @stream_tensors
// CHECK: cim.stream @layer ins(%{{.*}} : tensor<1x1x1x2xi8>) outs(%{{.*}} : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
func.func @stream_tensors(%x: tensor<1x1x1x2xi8>, %y: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %r = cim.stream @layer ins(%x : tensor<1x1x1x2xi8>) outs(%y : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return %r : tensor<1x1x1x2xf32>
}

// CHECK-LABEL: func.func @stream_buffers
// CHECK: cim.stream @layer ins(%{{.*}} : memref<1x1x1x2xi8>) outs(%{{.*}} : memref<1x1x1x2xf32>){{$}}
func.func @stream_buffers(%x: memref<1x1x1x2xi8>, %y: memref<1x1x1x2xf32>) {
  cim.stream @layer ins(%x : memref<1x1x1x2xi8>) outs(%y : memref<1x1x1x2xf32>)
  return
}
