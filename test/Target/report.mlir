// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-report="target=%S/Inputs/round.yaml file=%t.json" | FileCheck %s --check-prefix=IR
// RUN: FileCheck %s --input-file=%t.json

// The program stays as it was.
// IR-LABEL: module
// IR: cim.array @array0
// IR: cim.layer @conv
// IR: nn.relu

// Two planes of 9 x 2 next to each other are one activation of array 0 per
// window; the second row block, in array 1, is another: 2 * 4 windows.
// Energy of a window: (9 rows + 10 * 4 columns + 36 cells) pJ
//                   + (9 rows + 10 * 4 columns + 36 cells) pJ = 170 pJ.
// Arrays work at the same time: 4 windows * 1 us.
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  cim.array @array0 image(dense<0> : tensor<25x6xi8>)
  cim.array @array1 image(dense<0> : tensor<9x4xi8>)
  cim.layer @conv input [4, 4, 2] i8 output [2, 2, 2] f32 kernel [3, 3] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
      significance(dense<[[1.0, 1.0], [3.0, 3.0]]> : tensor<2x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
      clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
    cim.block plane 0 rows 0 count 9 columns 0 count 2 gain 1.0 at @array0[0, 0]
    cim.block plane 1 rows 0 count 9 columns 0 count 2 gain 0.5 at @array0[0, 2]
    cim.block plane 0 rows 9 count 9 columns 0 count 2 gain 1.0 at @array1[0, 0]
    cim.block plane 1 rows 9 count 9 columns 0 count 2 gain 0.5 at @array1[0, 2]
  } loc("first conv")
  // Unary, two groups: 2 rows of cells per weight; the 8 x 2 block holds
  // 2 * (2 x 1) weights of 2 cells and 0 between the groups. Two activations of
  // one array take 2 us. Energy: 2 * (8 + 10 * 1) + 4 + 4 cells = 44 pJ.
  cim.layer @grouped input [1, 1, 4] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 2
      significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
      clamp [0xFF800000, 0x7F800000] nearest_even repeat 2 {
    cim.block plane 0 rows 0 count 4 columns 0 count 1 gain 1.0 at @array0[9, 4]
    cim.block plane 0 rows 0 count 4 columns 1 count 1 gain 1.0 at @array0[17, 5]
  }
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %r = nn.relu(%x) : tensor<1x4xf32> loc("relu 1")
    return %r : tensor<1x4xf32>
  }
}

// CHECK:      "arrays": [
// CHECK-NEXT:   {
// CHECK-NEXT:     "blocks": 4,
// CHECK-NEXT:     "index": 0,
// CHECK-NEXT:     "used_cells": 52
// CHECK:          "blocks": 2,
// CHECK-NEXT:     "index": 1,
// CHECK-NEXT:     "used_cells": 36
// CHECK:      "compiler": "cim {{.*}}"
// CHECK:      "digital": [
// CHECK-NEXT:   {
// CHECK-NEXT:     "name": "relu 1",
// CHECK-NEXT:     "op": "nn.relu"
// CHECK-NEXT:   }
// CHECK:      "layers": [
// CHECK:          "array": 1,
// CHECK:          "array": 1,
// CHECK-NEXT:     "column": 2,
// CHECK-NEXT:     "columns": 2,
// CHECK-NEXT:     "gain": 0.5,
// CHECK-NEXT:     "matrix_column": 0,
// CHECK-NEXT:     "matrix_row": 9,
// CHECK-NEXT:     "plane": 1,
// CHECK-NEXT:     "row": 0,
// CHECK-NEXT:     "rows": 9
// CHECK:        "cells_per_weight": 2,
// CHECK-NEXT:   "cells_used": 72,
// CHECK-NEXT:   "energy_per_image_j": {{6\.80*[0-9]?e-10|6\.79999[0-9]*e-10}},
// CHECK-NEXT:   "groups": 1,
// CHECK-NEXT:   "latency_per_image_s": {{4(\.0[0-9]*)?e-0?6|3\.9999[0-9]*e-0?6}},
// CHECK-NEXT:   "macs_per_image": 144,
// CHECK-NEXT:   "matrix": [
// CHECK-NEXT:     18,
// CHECK-NEXT:     2
// CHECK-NEXT:   ],
// CHECK-NEXT:   "mvms_per_image": 8,
// CHECK-NEXT:   "name": "conv",
// CHECK-NEXT:   "node": "first conv",
// CHECK-NEXT:   "utilisation": 0.0703125,
// CHECK-NEXT:   "windows_per_image": 4
// CHECK:          "row": 9,
// CHECK-NEXT:     "rows": 8
// CHECK:        "cells_per_weight": 2,
// CHECK-NEXT:   "cells_used": 16,
// CHECK-NEXT:   "energy_per_image_j": {{4\.40*[0-9]?e-11|4\.39999[0-9]*e-11}},
// CHECK-NEXT:   "groups": 2,
// CHECK-NEXT:   "latency_per_image_s": {{2(\.0[0-9]*)?e-0?6|1\.9999[0-9]*e-0?6}},
// CHECK-NEXT:   "macs_per_image": 4,
// CHECK:        "mvms_per_image": 2,
// CHECK-NEXT:   "name": "grouped",
// CHECK-NEXT:   "node": "grouped",
// CHECK-NEXT:   "utilisation": 0.0078125,
// CHECK:      "mapping": {
// CHECK-NEXT:   "area_lower_bound_arrays": 1,
// CHECK-NEXT:   "area_mm2": {{0\.1024|0\.10239999[0-9]*}},
// CHECK-NEXT:   "arrays": 2,
// CHECK-NEXT:   "cell_utilisation": 0.0859375,
// CHECK-NEXT:   "cells_used": 88,
// CHECK-NEXT:   "cost_assumptions": "{{.+}}",
// CHECK-NEXT:   "energy_per_image_j": {{7\.240*[0-9]?e-10|7\.23999[0-9]*e-10}},
// CHECK-NEXT:   "latency_per_image_s": {{6(\.0[0-9]*)?e-0?6|5\.9999[0-9]*e-0?6}},
// CHECK-NEXT:   "macs_per_image": 148,
// CHECK-NEXT:   "mvms_per_image": 10,
// CHECK:      "model": "tiny",
// CHECK:        "name": "round",
// CHECK-NEXT:   "projection": true,
