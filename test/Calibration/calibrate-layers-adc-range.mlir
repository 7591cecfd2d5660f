// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy as n; x = n.zeros((1000, 2), 'f4'); x[:, 0] = n.arange(1000) % 4; x[7, 0], x[8, 0] = 62, -31; n.save('%t.npy', x)"
// RUN: cim-opt %s --cim-calibrate-layers="data=%t.npy adc-range=max" | FileCheck %s --check-prefix=MAX
// RUN: cim-opt %s --cim-calibrate-layers="data=%t.npy adc-range=percentile" | FileCheck %s --check-prefix=PERCENTILE
// RUN: cim-opt %s --cim-calibrate-layers="data=%t.npy adc-range=percentile adc-percentile=99.95" | FileCheck %s --check-prefix=MORE
// RUN: cim-opt %s --cim-calibrate-layers="data=%t.npy adc-range=noise" | FileCheck %s --check-prefix=NOISE
// RUN: not cim-opt %s --cim-calibrate-layers="data=%t.npy adc-range=percentile adc-percentile=0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not cim-opt %s --cim-calibrate-layers="data=%t.npy adc-percentile=100.5" 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not cim-opt %s --cim-calibrate-layers="data=%t.npy adc-range=least" 2>&1 | FileCheck %s --check-prefix=METHOD

// Of 1000 sums one is 62, one -31 and all others at most 3; codes reach to 31.
// With noise the best full scale is 43.6: test/Integration/test_gains.py.
// MAX: gain 5.000000e-01
// PERCENTILE: gain 1.000000e+00
// MORE: gain 5.000000e-01
// NOISE: gain 0.711
// ZERO: error: adc-percentile: expected a percentage above 0 and up to 100, but got 0
// ABOVE: error: adc-percentile: expected a percentage above 0 and up to 100, but got 100.5
// METHOD: Cannot find option named 'least'
!q = !quant.uniform<i8<-63:63>:f32, 1.0>
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  cim.matrix @fc weights(dense<1> : tensor<2x1xi8>) levels 1 groups 1
      split radix planes(dense<1> : tensor<1x2x1xi8>) significance(dense<1.0> : tensor<1x1xf32>) {
    cim.block plane 0 rows 0 count 2 columns 0 count 1
  }
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x1xf32> {nn.name = "y"}) {
    %q = nn.quantize(%x) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!q>
    %r = nn.reshape(%q) : (tensor<1x2x!q>) -> tensor<1x1x1x2x!q>
    %m = cim.mvm @fc(%r) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
        scale(dense<0.5> : tensor<1xf64>) bias(dense<0.25> : tensor<1xf64>)
        clamp [0xFF800000, 0x7F800000] nearest_even
        : (tensor<1x1x1x2x!q>) -> tensor<1x1x1x1xf32>
    %y = nn.reshape(%m) : (tensor<1x1x1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  }
}
