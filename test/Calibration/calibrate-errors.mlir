// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy as n; n.save('%t-nan.npy', n.array([[1, n.nan], [3, 0]], 'f4')); n.save('%t-one.npy', n.zeros((1, 2), 'f4')); n.save('%t-shape.npy', n.zeros((2, 3), 'f4')); n.save('%t-type.npy', n.zeros((2, 2), 'i8'))"
// RUN: not cim-opt %s --nn-calibrate="data=%t-nan.npy" 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not cim-opt %s --nn-calibrate="data=%t-one.npy" 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: not cim-opt %s --nn-calibrate="data=%t-shape.npy" 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not cim-opt %s --nn-calibrate="data=%t-type.npy" 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not cim-opt %s --nn-calibrate="data=%t-none.npy" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not cim-opt %s --nn-equalize-channels="data=%t-nan.npy" 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not cim-opt %s --nn-equalize-channels="data=%t-none.npy" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not cim-opt %s --cim-calibrate-layers="data=%t-one.npy" 2>&1 | FileCheck %s --check-prefix=ONE

// NAN: error: calibration data '{{.*}}-nan.npy': the value at (0, 1) of input 'x' is not finite
// ONE: error: calibration data '{{.*}}-one.npy': expected at least 2 samples, but got 1
// SHAPE: error: calibration data '{{.*}}-shape.npy': expected shape (samples, 2) for input 'x', but got (2, 3)
// TYPE: error: calibration data '{{.*}}-type.npy': expected float32 for input 'x', but got int64
// NONE: error: calibration data {{[^ ]*}}-none.npy: cannot open: No such file or directory
module attributes {nn.model = "tiny", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x2xf32> {nn.name = "x"}) -> (tensor<1x2xf32> {nn.name = "y"}) {
    %q = nn.quantize(%x) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!quant.uniform<i8<-63:63>:f32, 1.0>>
    %r = nn.reshape(%q) : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 1.0>>) -> tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 1.0>>
    %m = cim.mvm @fc(%r) kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0]
        scale(dense<0.5> : tensor<2xf64>) bias(dense<0.0> : tensor<2xf64>)
        clamp [0xFF800000, 0x7F800000] nearest_even
        : (tensor<1x1x1x2x!quant.uniform<i8<-63:63>:f32, 1.0>>) -> tensor<1x1x1x2xf32>
    %y = nn.reshape(%m) : (tensor<1x1x1x2xf32>) -> tensor<1x2xf32>
    return %y : tensor<1x2xf32>
  }
  cim.matrix @fc weights(dense<[[1, -1], [1, 0]]> : tensor<2x2xi8>) levels 1 groups 1
      split radix planes(dense<[[[1, -1], [1, 0]]]> : tensor<1x2x2xi8>) significance(dense<1.0> : tensor<1x2xf32>) {
    cim.block plane 0 rows 0 count 2 columns 0 count 2
  }
}
