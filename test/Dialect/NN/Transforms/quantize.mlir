// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=2" --split-input-file | FileCheck %s
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=2" --split-input-file 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=1" --split-input-file | FileCheck %s --check-prefix=ONE
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=3 split=unary" --split-input-file | FileCheck %s --check-prefix=UNARY
// RUN: cim-opt %s --nn-quantize="target=imec-ania cells=3 split=residual" --split-input-file | FileCheck %s --check-prefix=RESIDUAL

// CHECK-LABEL: @signed_input
// CHECK-SAME: %[[X:[^:]*]]: tensor<1x4xf32>
// Two radix cells hold -4..4; a channel of zeros has scale 1.
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[}}4, 0], [-3, 0], [2, 0], [0, 0]]> {{.*}} as tensor<4x2x!quant.uniform<i8<-4:4>:f32:1, {{{.*}},1.000000e+00}>>
// CHECK: %[[Q:.*]] = nn.quantize(%[[X]]) nearest_even : {{.*}}!quant.uniform<i8<-63:63>:f32, 2.500000e-01>
// CHECK: nn.matmul(%[[Q]], %[[W]]) {nn.mean = 1 : i64}
// UNARY-LABEL: @signed_input
// UNARY: i8<-3:3>
// RESIDUAL-LABEL: @signed_input
// RESIDUAL: i8<-127:127>
func.func @signed_input(%x: tensor<1x4xf32> {nn.range = array<f32: -3.0, 15.75>}) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[1.01, 0.0], [-0.76, 0.0], [0.51, 0.0], [0.1, 0.0]]> : tensor<4x2xf32>
  %y = nn.matmul(%x, %w) {nn.mean = 1} : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32> loc("fc")
  return %y : tensor<1x2xf32>
}

// -----

// Ternary optimum: 3 and 2 make 2.5 with gain 12.5; with 1 it is 12.
// CHECK-LABEL: @ternary
// ONE-LABEL: @ternary
// ONE: nn.constant dense<{{\[\[}}1], [-1], [0]]> {{.*}}!quant.uniform<i8<-1:1>:f32:1, {2.500000e+00}>
func.func @ternary(%x: tensor<1x3xf32> {nn.range = array<f32: 0.0, 127.0>}) -> tensor<1x1xf32> {
  %w = nn.constant dense<[[3.0], [-2.0], [1.0]]> : tensor<3x1xf32>
  // ONE: nn.quantize(%{{.*}}) nearest_even : {{.*}}!quant.uniform<u8<0:127>:f32, 1.000000e+00>
  %y = nn.matmul(%x, %w) : (tensor<1x3xf32>, tensor<3x1xf32>) -> tensor<1x1xf32> loc("fc")
  return %y : tensor<1x1xf32>
}

// -----

// The value behind the pool is quantised once: the pool takes the maximum of
// integers, the addition reads real numbers. Logits stay float.
// CHECK-LABEL: @residual
func.func @residual(%x: tensor<1x1x4x4xf32> {nn.range = array<f32: -1.0, 1.0>}) -> tensor<1x1x2x2xf32> {
  %w = nn.constant dense<3.0> : tensor<1x1x1x1xf32>
  // CHECK: %[[C:.*]] = nn.conv
  // CHECK: %[[R:.*]] = nn.relu(%[[C]])
  // CHECK-NOT: nn.range
  // CHECK: %[[Q:.*]] = nn.quantize(%[[R]]) {{.*}}!quant.uniform<u8<0:127>
  // CHECK: %[[P:.*]] = nn.max_pool(%[[Q]])
  // CHECK: %[[D:.*]] = nn.dequantize(%[[P]])
  // CHECK: %[[Y:.*]] = nn.conv(%[[P]],
  // CHECK: %[[Z:.*]] = nn.add(%[[Y]], %[[D]])
  // CHECK: return %[[Z]]
  %c = nn.conv(%x, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
      : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32> loc("fc")
  %r = nn.relu(%c) {nn.range = array<f32: 0.0, 4.0>} : tensor<1x1x4x4xf32>
  %p = nn.max_pool(%r) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  %y = nn.conv(%p, %w) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
      : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %z = nn.add(%y, %p) : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %z : tensor<1x1x2x2xf32>
}

// -----

// 8-bit integers with a zero point: weights stay, the input is quantised anew
// from the range that its type implies, [-1, 254] / 2.
!act = !quant.uniform<u8:f32, 0.5:1>
!wt = !quant.uniform<i8<-1:1>:f32:1, {0.5, 0.25}>
// CHECK-LABEL: @requantised
func.func @requantised(%q: tensor<1x2x!act>) -> tensor<1x2xf32> {
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[}}1, 1], [-1, 0]]> {{.*}}{5.000000e-01,2.500000e-01}
  // CHECK: %[[D:.*]] = nn.dequantize
  // CHECK: %[[Q:.*]] = nn.quantize(%[[D]]) nearest_even : {{.*}}!quant.uniform<i8<-63:63>:f32, 2.015
  // CHECK: nn.matmul(%[[Q]], %[[W]])
  %w = nn.constant dense<[[1, 1], [-1, 0]]> : tensor<2x2xi8> as tensor<2x2x!wt>
  %y = nn.matmul(%q, %w) : (tensor<1x2x!act>, tensor<2x2x!wt>) -> tensor<1x2xf32> loc("fc")
  return %y : tensor<1x2xf32>
}

// -----

// Weights that are not constant: no crossbar layer, nothing to do.
// CHECK-LABEL: @attention
// CHECK-NOT: nn.quantize
func.func @attention(%a: tensor<1x2xf32>, %b: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %w = nn.constant dense<1.0> : tensor<2x2xf32>
  %y = nn.matmul(%a, %b) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Layers that share weights share the integers.
// CHECK-LABEL: @shared
// ONE-LABEL: @shared
// ONE-SAME: %[[A:[^:]*]]: tensor<1x3xf32>{{.*}}, %[[B:[^:]*]]: tensor<2x3xf32>
// ONE-DAG: %[[W:.*]] = nn.constant dense<1> {{.*}}!quant.uniform<i8<-1:1>:f32:1, {0.633{{[0-9]*}}}>
// ONE-DAG: %[[P:.*]] = nn.quantize(%[[A]]) {{.*}}u8<0:127>:f32, 1.0
// ONE-DAG: %[[Q:.*]] = nn.quantize(%[[B]]) {{.*}}u8<0:127>:f32, 2.0
// ONE-DAG: nn.matmul(%[[P]], %[[W]])
// ONE-DAG: nn.matmul(%[[Q]], %[[W]])
func.func @shared(%a: tensor<1x3xf32> {nn.range = array<f32: 0.0, 127.0>}, %b: tensor<2x3xf32> {nn.range = array<f32: 0.0, 254.0>})
    -> (tensor<1x1xf32>, tensor<2x1xf32>) {
  %w = nn.constant dense<[[1.0], [0.45], [0.45]]> : tensor<3x1xf32>
  %0 = nn.matmul(%a, %w) : (tensor<1x3xf32>, tensor<3x1xf32>) -> tensor<1x1xf32>
  %1 = nn.matmul(%b, %w) : (tensor<2x3xf32>, tensor<3x1xf32>) -> tensor<2x1xf32>
  return %0, %1 : tensor<1x1xf32>, tensor<2x1xf32>
}

// -----

// What the network brings stays, whatever was asked for.
!wt = !quant.uniform<i8<-13:13>:f32:1, {0.5}>
// REMARK: remark: {{.*}}keeps the integers of its weights, up to 13, which take 3 cells each instead of the 2 asked for
// CHECK-LABEL: @kept
// CHECK: nn.constant dense<{{\[\[}}13], [-1]]> {{.*}}i8<-13:13>
func.func @kept(%x: tensor<1x2xf32> {nn.range = array<f32: 0.0, 127.0>}) -> tensor<1x1xf32> {
  %w = nn.constant dense<[[13], [-1]]> : tensor<2x1xi8> as tensor<2x1x!wt>
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x1x!wt>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Integers of 8 bits take 6 radix cells: seven of `magnitude` would be more. Those with zero points beyond stay digital.
!wt = !quant.uniform<i8<-127:127>:f32:1, {0.5}>
!ut = !quant.uniform<u8:f32, 0.5:128>
// REMARK: remark: {{.*}}keeps the integers of its weights, up to 127, which take 6 cells each instead of the 2 asked for
// CHECK-LABEL: @kept_bytes
// CHECK-DAG: nn.constant dense<{{\[\[}}127], [-1]]>
// CHECK-DAG: nn.constant dense<{{\[\[}}3], [100]]>
func.func @kept_bytes(%x: tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>) -> tensor<1x1xf32> {
  %w = nn.constant dense<[[127], [-1]]> : tensor<2x1xi8> as tensor<2x1x!wt>
  %u = nn.constant dense<[[3], [100]]> : tensor<2x1xui8> as tensor<2x1x!ut>
  %y = nn.matmul(%x, %w) : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>, tensor<2x1x!wt>) -> tensor<1x1xf32>
  %z = nn.matmul(%x, %u) : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 0.5>>, tensor<2x1x!ut>) -> tensor<1x1xf32>
  %s = nn.add(%y, %z) : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  return %s : tensor<1x1xf32>
}

// -----

// An argument is there in float: the skip connection reads it as it is.
// CHECK-LABEL: @skip
// CHECK-SAME: %[[X:[^:]*]]: tensor<1x2xf32>
// CHECK: %[[Q:.*]] = nn.quantize(%[[X]])
// CHECK: %[[Y:.*]] = nn.matmul(%[[Q]],
// CHECK: nn.add(%[[Y]], %[[X]])
func.func @skip(%x: tensor<1x2xf32> {nn.range = array<f32: 0.0, 1.0>}) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc")
  %z = nn.add(%y, %x) : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}
