// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-report="target=%S/Inputs/round.yaml file=%t.json" -o /dev/null
// RUN: FileCheck %s --input-file=%t.json

// Two layers with one matrix share its cells, but not its MVMs.
// CHECK:      "arrays": [
// CHECK-NEXT:   {
// CHECK-NEXT:     "blocks": 1,
// CHECK-NEXT:     "index": 0,
// CHECK-NEXT:     "used_cells": 4
// CHECK:      "mapping": {
// CHECK:        "cells_used": 4,
// CHECK:        "mvms_per_image": 2,
cim.array @array0 image(dense<1> : tensor<2x2xi8>)
cim.layer @a input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
}
cim.layer @b input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
    significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
    clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
  cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
}
