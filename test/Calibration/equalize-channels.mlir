// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.ones((2, 1), 'f4'))"
// RUN: cim-opt %s --nn-equalize-channels="data=%t.npy" | FileCheck %s
// RUN: cim-opt %s --nn-equalize-channels | FileCheck %s --check-prefix=NODATA

module attributes {nn.model = "net", nn.batch = 1 : i64} {
  // CHECK-LABEL: func.func @main
  // NODATA-LABEL: func.func @main
  func.func @main(%x: tensor<1x1xf32> {nn.name = "x"})
      -> (tensor<1x1xf32> {nn.name = "dense"}, tensor<1x2x1x1xf32> {nn.name = "separate"},
          tensor<1x1x1x1xf32> {nn.name = "two"}, tensor<1x1xf32> {nn.name = "gain"}, tensor<1x1xf32> {nn.name = "sum"}) {
    %zero = nn.constant dense<0.0> : tensor<f32>
    %x4 = nn.reshape(%x) : (tensor<1x1xf32>) -> tensor<1x1x1x1xf32>

    // Channels of 1 and 16 that weights of 1 read: divided by 1/2 and 2, bias
    // included, through a slope of -1 below 0.
    // NODATA: %[[W:.*]] = nn.constant dense<{{\[\[}}2.000000e+00, 8.000000e+00]]>
    // NODATA: nn.matmul(%{{.*}}, %[[W]],
    // CHECK: %[[W:.*]] = nn.constant dense<4.000000e+00> : tensor<1x2xf32>
    // CHECK: %[[B:.*]] = nn.constant dense<[-2.000000e+00, 4.000000e+00]>
    // CHECK: nn.matmul(%{{.*}}, %[[W]], %[[B]])
    // CHECK: %[[V:.*]] = nn.constant dense<{{\[\[}}5.000000e-01], [2.000000e+00]]>
    // CHECK: nn.matmul(%{{.*}}, %[[V]])
    %w = nn.constant dense<[[2.0, 8.0]]> : tensor<1x2xf32>
    %b = nn.constant dense<[-1.0, 8.0]> : tensor<2xf32>
    %v = nn.constant dense<1.0> : tensor<2x1xf32>
    %a0 = nn.matmul(%x, %w, %b) : (tensor<1x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
    %a1 = nn.compare less(%a0, %zero) : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xi1>
    %a2 = nn.neg(%a0) : tensor<1x2xf32>
    %a3 = nn.select(%a1, %a2, %a0) : (tensor<1x2xi1>, tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %dense = nn.matmul(%a3, %v) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>

    // A depthwise layer wishes its channels equal, whatever its weights are.
    // CHECK: %[[CW:.*]] = nn.constant dense<4.000000e+00> : tensor<2x1x1x1xf32>
    // CHECK: nn.conv(%{{.*}}, %[[CW]])
    // CHECK: %[[CV:.*]] = nn.constant dense<{{\[\[\[\[}}7.500000e-01]]], {{\[\[\[}}2.000000e+01]]]]>
    // CHECK: nn.conv(%{{.*}}, %[[CV]])
    %cw = nn.constant dense<[[[[1.0]]], [[[16.0]]]]> : tensor<2x1x1x1xf32>
    %cv = nn.constant dense<[[[[3.0]]], [[[5.0]]]]> : tensor<2x1x1x1xf32>
    %c = nn.conv(%x4, %cw) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
        : (tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
    %separate = nn.conv(%c, %cv) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64}
        : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>

    // A convolution of all channels wishes nothing: what the depthwise one next
    // to it wishes counts.
    // CHECK: %[[DW:.*]] = nn.constant dense<1.600000e+01> : tensor<2x1x1x1xf32>
    // CHECK: nn.conv(%{{.*}}, %[[DW]])
    // CHECK: %[[DV:.*]] = nn.constant dense<{{\[\[\[\[}}6.250000e-02]]], {{\[\[\[}}1.600000e+01]]]]> : tensor<2x1x1x1xf32>
    // CHECK: nn.conv(%{{.*}}, %[[DV]])
    // CHECK: %[[DU:.*]] = nn.constant dense<{{\[\[\[\[}}6.250000e-02]], {{\[\[}}1.600000e+01]]]]> : tensor<1x2x1x1xf32>
    // CHECK: nn.conv(%{{.*}}, %[[DU]])
    %dw = nn.constant dense<[[[[1.0]]], [[[256.0]]]]> : tensor<2x1x1x1xf32>
    %dv = nn.constant dense<1.0> : tensor<2x1x1x1xf32>
    %du = nn.constant dense<1.0> : tensor<1x2x1x1xf32>
    %d = nn.conv(%x4, %dw) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
        : (tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
    %d1 = nn.conv(%d, %dv) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64}
        : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
    %d2 = nn.conv(%d, %du) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, groups = 1 : i64}
        : (tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x1x1xf32>

    // Gain and shift of a normalisation.
    // CHECK: %[[G:.*]] = nn.constant dense<4.000000e+00> : tensor<2xf32>
    // CHECK: nn.mul(%{{.*}}, %[[G]])
    // CHECK: %[[S:.*]] = nn.constant dense<[-2.000000e+00, 4.000000e+00]>
    // CHECK: nn.add(%{{.*}}, %[[S]])
    // CHECK: nn.constant dense<{{\[\[}}5.000000e-01], [2.000000e+00]]>
    %g = nn.constant dense<[2.0, 8.0]> : tensor<2xf32>
    %s = nn.constant dense<[-1.0, 8.0]> : tensor<2xf32>
    %gv = nn.constant dense<1.0> : tensor<2x1xf32>
    %g0 = nn.sqrt(%x) : tensor<1x1xf32>
    %g1 = nn.mul(%g0, %g) : (tensor<1x1xf32>, tensor<2xf32>) -> tensor<1x2xf32>
    %g2 = nn.add(%g1, %s) : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
    %gain = nn.matmul(%g2, %gv) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>

    // All terms of a sum get the same factors.
    // CHECK: nn.constant dense<{{\[\[}}2.000000e+00, 0.000000e+00]]>
    // CHECK: nn.constant dense<{{\[\[}}0.000000e+00, 8.000000e+00]]>
    // CHECK: nn.constant dense<{{\[\[}}5.000000e-01], [2.000000e+00]]>
    %r = nn.constant dense<[[1.0, 0.0]]> : tensor<1x2xf32>
    %t = nn.constant dense<[[0.0, 16.0]]> : tensor<1x2xf32>
    %tv = nn.constant dense<1.0> : tensor<2x1xf32>
    %r0 = nn.matmul(%x, %r) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %r1 = nn.matmul(%x, %t) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %r2 = nn.add(%r0, %r1) : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %r3 = nn.relu(%r2) : tensor<1x2xf32>
    %sum = nn.matmul(%r3, %tv) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    return %dense, %separate, %d2, %gain, %sum : tensor<1x1xf32>, tensor<1x2x1x1xf32>, tensor<1x1x1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
  }
}
