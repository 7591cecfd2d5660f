// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-translate --cim-to-manifest --target=imec-ania %s | FileCheck %s

// The array is cut to 2 x 2 cells; tables begin at multiples of 64.
// CHECK:      "arrays": [
// CHECK:          "cells": {
// CHECK-NEXT:       "offset": 0,
// CHECK-NEXT:       "size": 4
// CHECK:          "columns": 2,
// CHECK:          "rows": 2
// CHECK:      "batch": 2
// CHECK:      "compiler": "cim {{.*}} (LLVM 22.
// CHECK:      "data_crc32": {{[0-9]+}}
// CHECK:      "format": "cim-manifest"
// CHECK:      "inputs": [
// CHECK:          "name": "image"
// CHECK:          "quantization": {
// CHECK:            "scale": 0.5
// CHECK:          "type": "u8"
// CHECK:      "layers": [
// CHECK:          "adc": {
// CHECK-NEXT:       "hi": 31,
// CHECK-NEXT:       "lo": -32,
// CHECK-NEXT:       "rounding": "nearest-even"
// CHECK:          "bias": {
// CHECK-NEXT:       "offset": 192,
// CHECK-NEXT:       "size": 8
// CHECK:          "blocks": [
// CHECK:          "gains": {
// CHECK:          "hi": null
// CHECK:          "id": 0
// CHECK:          "in_type": "u8"
// CHECK:          "lo": 0,
// CHECK:          "name": "fc"
// CHECK:          "out_rounding": "nearest-even"
// CHECK:          "out_type": "f32"
// CHECK:          "planes": 1
// CHECK:      "model": "net"
// Two windows of a layer with two row blocks side by side.
// CHECK:      "statistics": {
// CHECK:        "arrays": 1,
// CHECK:        "cells_used": 4,
// CHECK:        "mvms_per_image": 2
// CHECK:      "target": {
// CHECK:        "name": "imec-ania"
// CHECK:      "version": 1
!q = !quant.uniform<u8<0:127>:f32, 0.5>
module attributes {nn.model = "net", nn.batch = 2 : i64} {
  cim.array @array0 image(dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>)
  cim.layer @fc input [1, 1, 2] ui8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
      significance(dense<1.0> : tensor<1x2xf32>) scale(dense<[0.1, 0.1]> : tensor<2xf32>) bias(dense<[0.0, 1.0]> : tensor<2xf32>)
      clamp [0.0, 0x7F800000] nearest_even repeat 1 {
    cim.block plane 0 rows 0 count 1 columns 0 count 2 gain 1.0 at @array0[0, 0]
    cim.block plane 0 rows 1 count 1 columns 0 count 2 gain 0.5 at @array0[1, 0]
  }
  func.func @main(%x: tensor<2x1x1x2x!q> {nn.name = "image"}) -> (tensor<2x1x1x2xf32> {nn.name = "scores"}) {
    %c = quant.scast %x : tensor<2x1x1x2x!q> to tensor<2x1x1x2xi8>
    %e = tensor.empty() : tensor<2x1x1x2xf32>
    %s = cim.stream @fc ins(%c : tensor<2x1x1x2xi8>) outs(%e : tensor<2x1x1x2xf32>) -> tensor<2x1x1x2xf32>
    return %s : tensor<2x1x1x2xf32>
  }
}
