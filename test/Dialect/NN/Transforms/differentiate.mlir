// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-differentiate --canonicalize --split-input-file | FileCheck %s
// Every rule is compared with central differences: test/Integration/test_gradients.py.

// What is used twice has the sum; results take the names of arguments; an
// argument that is broadcast has the sum over its copies.
// CHECK-LABEL: @main
// CHECK-SAME: %[[X:.*]]: tensor<2x2xf32> {nn.name = "x"}, %[[B:.*]]: tensor<2xf32> {nn.name = "b"}
// CHECK-SAME: -> (tensor<2x2xf32> {nn.name = "x"}, tensor<2xf32> {nn.name = "b"})
// CHECK: %[[E:.*]] = nn.exp(%[[X]])
// CHECK: %[[ONES:.*]] = nn.broadcast
// CHECK: %[[ROW:.*]] = nn.reduce sum(%[[ONES]]) {axes = array<i64: 0>, keep_dims = true}
// CHECK: %[[GB:.*]] = nn.reshape(%[[ROW]])
// CHECK: %[[PRODUCT:.*]] = nn.mul(%[[ONES]], %[[E]])
// CHECK: %[[SUM:.*]] = nn.add(%[[ONES]], %[[PRODUCT]])
// CHECK: return %[[SUM]], %[[GB]]
func.func @main(%x: tensor<2x2xf32> {nn.name = "x"}, %b: tensor<2xf32> {nn.name = "b"}) -> (tensor<2x2xf32> {nn.name = "y"}) {
  %e = nn.exp(%x) : tensor<2x2xf32>
  %s = nn.add(%e, %x) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = nn.add(%s, %b) : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Only what lies between arguments and results takes part: neither the gather
// of integers in front, nor the product whose result nothing returns. Integers
// and truth values hand nothing on.
// CHECK-LABEL: @main
// CHECK-SAME: %[[I:.*]]: tensor<1x2xi64>, %[[X:.*]]: tensor<1x2x1xf32>, %{{.*}}: tensor<3xf32>
// CHECK-DAG: %[[ZERO:.*]] = nn.constant dense<0.0{{.*}}> : tensor<f32>
// CHECK-DAG: %[[EMBEDDED:.*]] = nn.gather
// CHECK-NOT: nn.scatter
// CHECK: %[[GX:.*]] = nn.mul(%{{.*}}, %[[EMBEDDED]])
// CHECK: %[[GZ:.*]] = nn.broadcast(%[[ZERO]]) : (tensor<f32>) -> tensor<3xf32>
// CHECK: return %[[GX]], %[[GZ]]
func.func @main(%i: tensor<1x2xi64>, %x: tensor<1x2x1xf32>, %unused: tensor<3xf32>) -> (tensor<1x2x1xf32>, tensor<1x2x1xf32>, tensor<1x2x1xi64>) {
  %table = nn.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %e = nn.gather(%table, %i) {axis = 0 : i64} : (tensor<3x1xf32>, tensor<1x2xi64>) -> tensor<1x2x1xf32>
  %p = nn.reduce prod(%x) {axes = array<i64: 1>, keep_dims = true} : (tensor<1x2x1xf32>) -> tensor<1x1x1xf32>
  %y = nn.mul(%e, %x) : (tensor<1x2x1xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1xf32>
  %t = nn.cast(%x) : (tensor<1x2x1xf32>) -> tensor<1x2x1xi64>
  %f = nn.cast(%t) : (tensor<1x2x1xi64>) -> tensor<1x2x1xf32>
  return %y, %f, %t : tensor<1x2x1xf32>, tensor<1x2x1xf32>, tensor<1x2x1xi64>
}

// -----

// A rounding passes the gradient on within its range, a layer that of what its
// integers stand for: weight * scale / unit.
cim.matrix @fc weights(dense<[[1, -1, 2], [4, 0, -2]]> : tensor<2x3xi8>) levels 4 groups 1 {
}
// CHECK-LABEL: @main
// CHECK-DAG: %[[LEAST:.*]] = nn.constant dense<0.0{{.*}}> : tensor<f32>
// CHECK-DAG: %[[MOST:.*]] = nn.constant dense<5.0{{.*}}e+01> : tensor<f32>
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[}}[2.0{{.*}}, -8.0{{.*}}, 2.0{{.*}}], [8.0{{.*}}, 0.0{{.*}}, -2.0{{.*}}]]> : tensor<2x3xf32>
// CHECK: %[[PRODUCT:.*]] = nn.matmul(%{{.*}}, %[[W]]) {transpose_b}
// CHECK: %[[GRADIENT:.*]] = nn.reshape(%[[PRODUCT]]) : (tensor<1x2xf32>) -> tensor<1x1x1x2xf32>
// CHECK: %[[MAX:.*]] = nn.max(%[[X:.*]], %[[LEAST]])
// CHECK: %[[LIMITED:.*]] = nn.min(%[[MAX]], %[[MOST]])
// CHECK: %[[MASK:.*]] = nn.compare equal(%[[X]], %[[LIMITED]])
// CHECK: %[[KEPT:.*]] = nn.select(%[[MASK]], %[[GRADIENT]], %{{.*}})
// CHECK: return %[[KEPT]]
func.func @main(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x3xf32> {
  %q = nn.quantize(%x) nearest_even : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2x!quant.uniform<u8<0:100>:f32, 0.5>>
  %y = cim.mvm @fc(%q) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
      scale(dense<[1.0, 4.0, 0.5]> : tensor<3xf64>) bias(dense<0.0> : tensor<3xf64>)
      clamp [0xFF800000, 0x7F800000] nearest_even
      : (tensor<1x1x1x2x!quant.uniform<u8<0:100>:f32, 0.5>>) -> tensor<1x1x1x3xf32>
  return %y : tensor<1x1x1x3xf32>
}
