// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: split-file %s %t
// RUN: not cim-opt %t/range.mlir --nn-quantize 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not cim-opt %t/net.mlir --nn-quantize=cells=conv9=3 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not cim-opt %t/net.mlir --nn-quantize=cells=0 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not cim-opt %t/net.mlir --nn-quantize='cells=6 split=radix' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not cim-opt %t/net.mlir --nn-quantize=target=host 2>&1 | FileCheck %s --check-prefix=HOST
// RUN: not cim-opt %t/nan.mlir --nn-quantize 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not cim-opt %t/empty.mlir --nn-quantize 2>&1 | FileCheck %s --check-prefix=EMPTY

// RUN: cim-opt %t/net.mlir --nn-quantize=cells=fc1=1,*=3 | FileCheck %s --check-prefix=LAYERS

// LAYERS: nn.matmul({{.*}}i8<-1:1>
// LAYERS: nn.matmul({{.*}}i8<-13:13>

// RANGE: error: {{.*}}the range of its input is not known; calibrate on sample data first (cim-compile --calibration=FILE.npy)
// NAME: error: no crossbar layer is called 'conv9'; the layers are 'fc1', 'fc2'
// ZERO: error: expected cells per weight as a number from 1 to 127 or as 'node=number,..,*=number', but got '0'
// MANY: error: {{.*}}6 cells hold weights beyond 127; use fewer cells per weight
// HOST: error: target 'host' has no arrays
// NAN: error: {{.*}}expected finite weights, but got
// EMPTY: error: {{.*}}expected a finite range of its input, but got [1{{.*}}, -1

//--- range.mlir
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[0.51, 0.3], [0.37, 0.1]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

//--- net.mlir
func.func @main(%x: tensor<1x2xf32> {nn.range = array<f32: -1.0, 1.0>}) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[0.51, 0.3], [0.37, 0.1]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) {nn.range = array<f32: -1.0, 1.0>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc1")
  %z = nn.matmul(%y, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("fc2")
  return %z : tensor<1x2xf32>
}

//--- nan.mlir
func.func @main(%x: tensor<1x2xf32> {nn.range = array<f32: -1.0, 1.0>}) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[0.51, 0x7FC00000], [0.37, 0.1]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

//--- empty.mlir
func.func @main(%x: tensor<1x2xf32> {nn.range = array<f32: 1.0, -1.0>}) -> tensor<1x2xf32> {
  %w = nn.constant dense<[[0.51, 0.3], [0.37, 0.1]]> : tensor<2x2xf32>
  %y = nn.matmul(%x, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
