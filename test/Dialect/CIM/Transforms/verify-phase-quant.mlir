// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What phase `quant` promises, broken.
// RUN: cim-opt %s --split-input-file --verify-diagnostics --cim-verify-phase='phase=quant target=%S/Inputs/tiny.yaml'

// expected-error @below {{expected attribute 'nn.batch', the samples per call}}
module {
func.func @main() {
  return
}
}

// -----

// expected-error @below {{expected one function, @main, but got 2}}
module attributes {nn.batch = 1 : i64} {
func.func @main() {
  return
}
func.func @other() {
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
// expected-error @below {{expects tensors with 1 samples ('nn.batch') in front, but got 'tensor<2x2xf32>'}}
func.func @main(%x: tensor<2x2xf32>) {
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
func.func @main(%x: tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:2>:f32:0, {0.5, 0.5}>>
  // expected-error @below {{expects weights of 8-bit integers in a symmetric range with one scale per output channel, but got}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2x!quant.uniform<u8<0:127>:f32, 0.5>>, tensor<2x2x!quant.uniform<i8<-1:2>:f32:0, {0.5, 0.5}>>) -> tensor<1x2xf32>
  return
}
}

// -----

module attributes {nn.batch = 1 : i64} {
func.func @main(%x: tensor<1x2xf32>) {
  %w = nn.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>
  // expected-error @below {{expects a quantised input for its quantised weights, but got 'f32'}}
  %0 = nn.matmul(%x, %w) {transpose_b} : (tensor<1x2xf32>, tensor<2x2x!quant.uniform<i8<-1:1>:f32:0, {0.25, 0.5}>>) -> tensor<1x2xf32>
  return
}
}
