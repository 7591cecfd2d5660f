// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every op of the dialect prints what it parsed: as text, generic text, bytecode.
// RUN: cim-opt %s | cim-opt | FileCheck %s
// RUN: cim-opt %s --mlir-print-op-generic | cim-opt | FileCheck %s
// RUN: cim-opt %s --emit-bytecode | cim-opt | FileCheck %s

!q = !quant.uniform<i8<-63:63>:f32, 0.5>
!u = !quant.uniform<u8<0:127>:f32, 0.25>

// CHECK-LABEL: func.func @constants
func.func @constants() {
  // CHECK: nn.constant dense<5.000000e-01> : tensor<4xf32>
  %0 = nn.constant dense<0.5> : tensor<4xf32>
  // CHECK: nn.constant {nn.name = "w"} dense<{{.*}}> : tensor<1x2xi8> as tensor<1x2x!quant.uniform<i8<-1:1>:f32:0, {5.000000e-01}>>
  %1 = nn.constant {nn.name = "w"} dense<[[1, -1]]> : tensor<1x2xi8> as tensor<1x2x!quant.uniform<i8<-1:1>:f32:0, {0.5}>>
  // CHECK: nn.constant dense<200> : tensor<2xui8> as tensor<2x!quant.uniform<u8:f32, 5.000000e-01:128>>
  %2 = nn.constant dense<200> : tensor<2xui8> as tensor<2x!quant.uniform<u8:f32, 0.5:128>>
  // CHECK: nn.constant dense_resource<weights> : tensor<2xf32>
  %3 = nn.constant dense_resource<weights> : tensor<2xf32>
  return
}

// CHECK-LABEL: func.func @products
func.func @products(%x: tensor<1x4x8x8xf32>, %q: tensor<1x4x8x!q>, %w: tensor<6x2x3x3xf32>, %b: tensor<6xf32>, %m: tensor<2x5x3xf32>) {
  // CHECK: nn.conv(%{{.*}}, %{{.*}}, %{{.*}}) {dilations = array<i64: 1, 2>, groups = 2 : i64, pads = array<i64: 1, 0, 1, 2>, strides = array<i64: 2, 1>}
  // CHECK-SAME: : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<1x6x4x6xf32>
  %0 = nn.conv(%x, %w, %b) {strides = array<i64: 2, 1>, dilations = array<i64: 1, 2>, pads = array<i64: 1, 0, 1, 2>, groups = 2 : i64}
      : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<1x6x4x6xf32>
  // CHECK: nn.conv({{.*}} -> tensor<1x2x8xf32>
  %w1 = nn.constant dense<1> : tensor<2x4x1xi8> as tensor<2x4x1x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.25}>>
  %1 = nn.conv(%q, %w1) {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, groups = 1 : i64}
      : (tensor<1x4x8x!q>, tensor<2x4x1x!quant.uniform<i8<-1:1>:f32:0, {0.5, 0.25}>>) -> tensor<1x2x8xf32>
  // CHECK: nn.matmul(%{{.*}}, %{{.*}}) {transpose_b} : (tensor<2x5x3xf32>, tensor<2x5x3xf32>) -> tensor<2x5x5xf32>
  %2 = nn.matmul(%m, %m) {transpose_b} : (tensor<2x5x3xf32>, tensor<2x5x3xf32>) -> tensor<2x5x5xf32>
  %w2 = nn.constant dense<1.0> : tensor<3x6xf32>
  // CHECK: nn.matmul(%{{.*}}, %{{.*}}, %{{.*}}) : (tensor<2x5x3xf32>, tensor<3x6xf32>, tensor<6xf32>) -> tensor<2x5x6xf32>
  %3 = nn.matmul(%m, %w2, %b) : (tensor<2x5x3xf32>, tensor<3x6xf32>, tensor<6xf32>) -> tensor<2x5x6xf32>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<1x4x8xf32>, %c: tensor<4xf32>, %s: tensor<4x1xf32>) {
  // CHECK: nn.batch_norm(%{{.*}}) {epsilon = 1.000000e-03 : f32}
  %0 = nn.batch_norm(%x, %c, %c, %c, %c) {epsilon = 1.0e-3 : f32} : (tensor<1x4x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8xf32>
  // CHECK: nn.add(%{{.*}}) : (tensor<1x4x8xf32>, tensor<4x1xf32>) -> tensor<1x4x8xf32>
  %1 = nn.add(%x, %s) : (tensor<1x4x8xf32>, tensor<4x1xf32>) -> tensor<1x4x8xf32>
  // CHECK: nn.sub(%{{.*}}) : (tensor<4x1xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  %2 = nn.sub(%s, %x) : (tensor<4x1xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  // CHECK: nn.mul(%{{.*}}) : (tensor<4x1xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %3 = nn.mul(%s, %c) : (tensor<4x1xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  // CHECK: nn.div
  %4 = nn.div(%x, %x) : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  // CHECK: nn.relu(%{{.*}}) : tensor<4xf32>
  %5 = nn.relu(%c) : tensor<4xf32>
  // CHECK: nn.floor(%{{.*}}) : tensor<4xf32>
  %6 = nn.floor(%c) : tensor<4xf32>
  // CHECK: nn.round(%{{.*}}) : tensor<4xf32>
  %7 = nn.round(%c) : tensor<4xf32>
  // CHECK: nn.clamp(%{{.*}}) to{{ *}}[0.000000e+00, 6.000000e+00] : tensor<4xf32>
  %8 = nn.clamp(%c) to [0.0, 6.0] : tensor<4xf32>
  // CHECK: nn.softmax(%{{.*}}) axis 2 : tensor<1x4x8xf32>
  %9 = nn.softmax(%x) axis 2 : tensor<1x4x8xf32>
  return
}

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<1x4x7x7xf32>, %u: tensor<1x4x7x7x!u>, %i: tensor<1x4xi8>) {
  // Three windows of 3 with stride 2 cover 7 elements; ceil_mode asks for a fourth only where something is left.
  // CHECK: nn.max_pool{{.*}}ceil_mode = true{{.*}} -> tensor<1x4x4x3x!quant
  %0 = nn.max_pool(%u) {kernel = array<i64: 2, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, ceil_mode = true}
      : (tensor<1x4x7x7x!u>) -> tensor<1x4x4x3x!u>
  // CHECK: nn.avg_pool{{.*}}count_include_pad = true{{.*}} -> tensor<1x4x4x4xf32>
  %1 = nn.avg_pool(%x) {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, count_include_pad = true}
      : (tensor<1x4x7x7xf32>) -> tensor<1x4x4x4xf32>
  // CHECK: nn.reduce mean(%{{.*}}) {axes = array<i64: 2, 3>, keep_dims = false} : {{.*}} -> tensor<1x4xf32>
  %2 = nn.reduce mean(%x) {axes = array<i64: 2, 3>, keep_dims = false} : (tensor<1x4x7x7xf32>) -> tensor<1x4xf32>
  // CHECK: nn.top_k(%{{.*}}) {k = 3 : i64} : (tensor<1x4xi8>) -> (tensor<1x3xi8>, tensor<1x3xi64>)
  %4, %5 = nn.top_k(%i) {k = 3 : i64} : (tensor<1x4xi8>) -> (tensor<1x3xi8>, tensor<1x3xi64>)
  // CHECK: nn.reduce max(%{{.*}}) {axes = array<i64: 1>, keep_dims = true} : (tensor<1x4xi8>) -> tensor<1x1xi8>
  %3 = nn.reduce max(%i) {axes = array<i64: 1>, keep_dims = true} : (tensor<1x4xi8>) -> tensor<1x1xi8>
  return
}

// CHECK-LABEL: func.func @movement
func.func @movement(%x: tensor<2x3x4xi64>, %q: tensor<2x3x4x!q>) {
  // CHECK: nn.reshape(%{{.*}}) : (tensor<2x3x4xi64>) -> tensor<6x4xi64>
  %0 = nn.reshape(%x) : (tensor<2x3x4xi64>) -> tensor<6x4xi64>
  // CHECK: nn.transpose(%{{.*}}) {permutation = array<i64: 2, 0, 1>} : {{.*}} -> tensor<4x2x3x!quant
  %1 = nn.transpose(%q) {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x4x!q>) -> tensor<4x2x3x!q>
  // CHECK: nn.concat(%{{.*}}, %{{.*}}) {axis = 1 : i64} : {{.*}} -> tensor<2x6x4xi64>
  %2 = nn.concat(%x, %x) {axis = 1 : i64} : (tensor<2x3x4xi64>, tensor<2x3x4xi64>) -> tensor<2x6x4xi64>
  // CHECK: nn.pad(%{{.*}}) {pads = array<i64: 0, 1, 0, 0, 0, 2>, value = 1.000000e+00 : f32} : {{.*}} -> tensor<2x4x6x!quant
  %3 = nn.pad(%q) {pads = array<i64: 0, 1, 0, 0, 0, 2>, value = 1.0 : f32} : (tensor<2x3x4x!q>) -> tensor<2x4x6x!q>
  // CHECK: nn.slice(%{{.*}}) {sizes = array<i64: 1, 3, 2>, starts = array<i64: 1, 2, 0>, steps = array<i64: 1, -1, 2>} : {{.*}} -> tensor<1x3x2xi64>
  %4 = nn.slice(%x) {starts = array<i64: 1, 2, 0>, sizes = array<i64: 1, 3, 2>, steps = array<i64: 1, -1, 2>} : (tensor<2x3x4xi64>) -> tensor<1x3x2xi64>
  return
}

// CHECK-LABEL: func.func @numbers
func.func @numbers(%x: tensor<2x3xi32>, %y: tensor<3xi32>, %c: tensor<2x1xi1>) {
  // CHECK: nn.mod(%{{.*}}, %{{.*}}) {truncated} : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %0 = nn.mod(%x, %y) {truncated} : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  // CHECK: nn.compare less_equal(%{{.*}}, %{{.*}}) : {{.*}} -> tensor<2x3xi1>
  %1 = nn.compare less_equal(%x, %y) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi1>
  // CHECK: nn.select(%{{.*}}, %{{.*}}, %{{.*}}) : (tensor<2x1xi1>, tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %2 = nn.select(%c, %x, %y) : (tensor<2x1xi1>, tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  // CHECK: nn.cast(%{{.*}}) : (tensor<2x3xi32>) -> tensor<2x3xui8>
  %3 = nn.cast(%x) : (tensor<2x3xi32>) -> tensor<2x3xui8>
  // CHECK: nn.abs(%{{.*}}) : tensor<2x3xi32>
  %4 = nn.abs(%x) : tensor<2x3xi32>
  return
}

// CHECK-LABEL: func.func @positions
func.func @positions(%x: tensor<2x4xf32>, %i: tensor<3xi32>, %u: tensor<2x3xf32>) {
  // CHECK: nn.broadcast(%{{.*}}) : (tensor<2x4xf32>) -> tensor<3x2x4xf32>
  %0 = nn.broadcast(%x) : (tensor<2x4xf32>) -> tensor<3x2x4xf32>
  // CHECK: nn.gather(%{{.*}}, %{{.*}}) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<3xi32>) -> tensor<2x3xf32>
  %1 = nn.gather(%x, %i) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<3xi32>) -> tensor<2x3xf32>
  // CHECK: nn.scatter max(%{{.*}}, %{{.*}}, %{{.*}}) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<3xi32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  %2 = nn.scatter max(%x, %i, %u) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<3xi32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  // CHECK: nn.slice{{.*}} -> tensor<2x0xf32>
  %3 = nn.slice(%x) {starts = array<i64: 0, 4>, sizes = array<i64: 2, 0>, steps = array<i64: 1, 1>} : (tensor<2x4xf32>) -> tensor<2x0xf32>
  return
}

// CHECK-LABEL: func.func @quantisation
func.func @quantisation(%x: tensor<1x4xf32>) {
  // CHECK: nn.quantize(%{{.*}}) nearest_even : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<i8<-63:63>:f32, 5.000000e-01>>
  %0 = nn.quantize(%x) nearest_even : (tensor<1x4xf32>) -> tensor<1x4x!q>
  // CHECK: nn.quantize(%{{.*}}) floor : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<u8<0:127>:f32, 2.500000e-01>>
  %1 = nn.quantize(%x) floor : (tensor<1x4xf32>) -> tensor<1x4x!u>
  // CHECK: nn.dequantize(%{{.*}}) : (tensor<1x4x!quant{{.*}}>) -> tensor<1x4xf32>
  %2 = nn.dequantize(%1) : (tensor<1x4x!u>) -> tensor<1x4xf32>
  // CHECK: nn.observe(%{{.*}}) value 3 : tensor<1x4xf32>
  nn.observe(%2) value 3 : tensor<1x4xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x040000000000803F00000040"
    }
  }
#-}
