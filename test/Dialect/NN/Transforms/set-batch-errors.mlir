// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --nn-set-batch=batch=8 --split-input-file --verify-diagnostics
// RUN: not cim-opt %s --nn-set-batch=batch=0 --split-input-file 2>&1 | FileCheck %s --check-prefix=ZERO

// ZERO: error: expected at least one sample per call, but got 0

// expected-error @below {{the leading dimension of a result does not count samples}}
func.func @main(%x: tensor<1x4xf32>) -> tensor<4x1xf32> {
  %0 = nn.transpose(%x) {permutation = array<i64: 1, 0>} : (tensor<1x4xf32>) -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %c = nn.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  // expected-error @below {{its operands belong to another number of samples}}
  %0 = nn.add(%x, %c) : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  // expected-error @below {{it combines different samples}}
  %0 = nn.matmul(%x, %x) {transpose_b} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<4xf32> {
  // expected-error @below {{it reduces the samples}}
  %0 = nn.reduce mean(%x) {axes = array<i64: 0>, keep_dims = false} : (tensor<2x4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<1x4xf32> {
  // expected-error @below {{it takes some samples only}}
  %0 = nn.slice(%x) {starts = array<i64: 1, 0>, sizes = array<i64: 1, 4>, steps = array<i64: 1, 1>} : (tensor<2x4xf32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<4x4xf32> {
  // expected-error @below {{it joins along the samples}}
  %0 = nn.concat(%x, %x) {axis = 0 : i64} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<3x4xf32> {
  // expected-error @below {{it pads along the samples}}
  %0 = nn.pad(%x) {pads = array<i64: 0, 0, 1, 0>, value = 0.0 : f32} : (tensor<2x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{it normalises along the samples}}
  %0 = nn.softmax(%x) axis 0 : tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// The samples are not where they were.
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %t = nn.transpose(%x) {permutation = array<i64: 1, 0>} : (tensor<2x4xf32>) -> tensor<4x2xf32>
  // expected-error @below {{it normalises along the samples}}
  %0 = nn.softmax(%t) axis 1 : tensor<4x2xf32>
  %1 = nn.transpose(%0) {permutation = array<i64: 1, 0>} : (tensor<4x2xf32>) -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// -----

func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %t = nn.transpose(%x) {permutation = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-error @below {{it combines different samples}}
  %0 = nn.add(%x, %t) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %t = nn.transpose(%x) {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %0 = nn.reshape(%t) : (tensor<3x2xf32>) -> tensor<6xf32>
  // expected-error @below {{it takes samples apart}}
  %1 = nn.reshape(%0) : (tensor<6xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

func.func @main(%x: tensor<2x3xf32>, %b: tensor<2xf32>) -> tensor<2x2xf32> {
  %w = nn.constant dense<1.0> : tensor<3x2xf32>
  // expected-error @below {{its bias depends on the samples}}
  %0 = nn.matmul(%x, %w, %b) : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{it repeats samples}}
  %0 = nn.broadcast(%x) : (tensor<1x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %i = nn.constant dense<0> : tensor<1xi64>
  // expected-error @below {{it gathers from different samples}}
  %0 = nn.gather(%x, %i) {axis = 0 : i64} : (tensor<1x4xf32>, tensor<1xi64>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// -----

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %i = nn.constant dense<0> : tensor<4xi64>
  // expected-error @below {{it may combine samples}}
  %0 = nn.scatter set(%x, %i, %x) {axis = 1 : i64} : (tensor<1x4xf32>, tensor<4xi64>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// -----

// expected-error @below {{expected arguments with a leading dimension of 2, the samples per call, but got 'tensor<3x4xf32>'}}
func.func @main(%x: tensor<2x4xf32>, %y: tensor<3x4xf32>) -> tensor<2x4xf32> {
  return %x : tensor<2x4xf32>
}

// -----

// expected-error @below {{a result does not depend on the samples}}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %c = nn.constant dense<1.0> : tensor<2x4xf32>
  return %c : tensor<2x4xf32>
}

// -----

// expected-error @below {{expected a function '@main' with samples on the leading dimension of its arguments}}
module {
}

// -----

func.func @main(%x: tensor<2xf32>) -> tensor<2xi64> {
  // expected-error @below {{it ranks the samples}}
  %0, %1 = nn.top_k(%x) {k = 2 : i64} : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xi64>)
  return %1 : tensor<2xi64>
}
