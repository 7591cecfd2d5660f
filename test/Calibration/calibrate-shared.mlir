// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy as n; n.savez('%t.npz', x=n.array([[1, 2], [-3, 0]], 'f4'), y=n.array([[1, 1], [2, 2]], 'f4'))"
// RUN: cim-opt %s --nn-calibrate="data=%t.npz range=minmax" | FileCheck %s

// Mean and deviation are those of each layer, also where they share weights.
// CHECK: nn.matmul(%arg0, %[[W:.*]]) {nn.deviation = dense<[5.000000e+00, 8.000000e+00]> : tensor<2xf64>, nn.mean = dense<2.000000e+00>
// CHECK: nn.matmul(%arg1, %[[W]]) {nn.deviation = dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf64>, nn.mean = dense<[6.000000e+00, 9.000000e+00]>
// What is joined for a layer, at once or bit by bit, has the range of the whole;
// not what would become coarse.
// CHECK: nn.relu({{.*}}) {nn.range = array<f32: 0.000000e+00, 1.200000e+01>}
// CHECK: nn.relu({{.*}}) {nn.range = array<f32: 0.000000e+00, 1.200000e+01>}
// CHECK: nn.clamp({{.*}} {nn.range = array<f32: 0.000000e+00, 5.000000e+00>}
// CHECK: nn.concat({{.*}}nn.range = array<f32: 0.000000e+00, 1.200000e+01>
module attributes {nn.model = "shared", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}, %y: tensor<1x2xf32> {nn.name = "y"}) -> (tensor<1x1xf32> {nn.name = "z"}) {
    %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %v = nn.constant dense<0.7> : tensor<6x1xf32>
    %u = nn.constant dense<0.3> : tensor<2x1xf32>
    %0 = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    %1 = nn.matmul(%y, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    %2 = nn.relu(%0) : tensor<1x2xf32>
    %3 = nn.relu(%1) : tensor<1x2xf32>
    %4 = nn.matmul(%2, %u) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    %5 = nn.matmul(%3, %u) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    %c = nn.concat(%2, %3) {axis = 1 : i64} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
    %small = nn.clamp(%2) to [0.0, 5.0] : tensor<1x2xf32>
    %9 = nn.matmul(%small, %u) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    %6 = nn.concat(%c, %small) {axis = 1 : i64} : (tensor<1x4xf32>, tensor<1x2xf32>) -> tensor<1x6xf32>
    %7 = nn.matmul(%6, %v) : (tensor<1x6xf32>, tensor<6x1xf32>) -> tensor<1x1xf32>
    %8 = nn.add(%4, %5) : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    %10 = nn.add(%7, %8) : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    %11 = nn.add(%9, %10) : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    return %11 : tensor<1x1xf32>
  }
}
