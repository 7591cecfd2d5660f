// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python -c "import numpy; numpy.save('%t.npy', numpy.ones((2, 1), 'f4'))"
// RUN: cim-opt %s --nn-equalize-channels="data=%t.npy" > %t.out
// RUN: cim-opt %s > %t.in
// RUN: diff %t.in %t.out

// Channels of 1 and 16 that have to stay as they are, each for a reason of its
// own. Nothing changes.
module attributes {nn.model = "net", nn.batch = 1 : i64} {
  func.func @main(%x: tensor<1x1xf32> {nn.name = "x"})
      -> (tensor<1x2xf32> {nn.name = "a"}, tensor<1x1xf32> {nn.name = "b"}, tensor<1x1xf32> {nn.name = "c"},
          tensor<2x1xf32> {nn.name = "d"}, tensor<1x1xf32> {nn.name = "e"}, tensor<1x1xf32> {nn.name = "f"},
          tensor<1x1xf32> {nn.name = "g"}, tensor<1x1xf32> {nn.name = "h"}) {
    %v = nn.constant dense<1.0> : tensor<2x1xf32>

    // Results of the network, also where a layer reads them.
    %aw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %av = nn.constant dense<1.0> : tensor<2x2xf32>
    %a0 = nn.matmul(%x, %aw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %a = nn.matmul(%a0, %av) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
    %a1 = nn.add(%a0, %a) : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>

    // A bound that is not 0.
    %bw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %bv = nn.constant dense<1.0> : tensor<2x1xf32>
    %b0 = nn.matmul(%x, %bw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %b1 = nn.clamp(%b0) to [0.0, 6.0] : tensor<1x2xf32>
    %b = nn.matmul(%b1, %bv) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>

    // A function that does not commute with factors.
    %cw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %cv = nn.constant dense<1.0> : tensor<2x1xf32>
    %c0 = nn.matmul(%x, %cw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %c1 = nn.tanh(%c0) : tensor<1x2xf32>
    %c = nn.matmul(%c1, %cv) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>

    // Channels that become windows.
    %dw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %dv = nn.constant dense<2.0> : tensor<1x1xf32>
    %d0 = nn.matmul(%x, %dw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %d1 = nn.reshape(%d0) : (tensor<1x2xf32>) -> tensor<2x1xf32>
    %d = nn.matmul(%d1, %dv) : (tensor<2x1xf32>, tensor<1x1xf32>) -> tensor<2x1xf32>

    // Readers that share their weights.
    %ew = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %e0 = nn.matmul(%x, %ew) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %e = nn.matmul(%e0, %v) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    %fw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %f0 = nn.matmul(%x, %fw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %f = nn.matmul(%f0, %v) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>

    // What the network quantises itself; weights that arrived as integers.
    %gw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %gv = nn.constant dense<1.0> : tensor<2x1xf32>
    %g0 = nn.matmul(%x, %gw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %g1 = nn.quantize(%g0) nearest_even : (tensor<1x2xf32>) -> tensor<1x2x!quant.uniform<i8<-63:63>:f32, 1.0>>
    %g2 = nn.dequantize(%g1) : (tensor<1x2x!quant.uniform<i8<-63:63>:f32, 1.0>>) -> tensor<1x2xf32>
    %g = nn.matmul(%g2, %gv) : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    %hw = nn.constant dense<[[1.0, 16.0]]> : tensor<1x2xf32>
    %hv = nn.constant dense<[[1], [2]]> : tensor<2x1xi8> as tensor<2x1x!quant.uniform<i8<-4:4>:f32:1, {0.5}>>
    %h0 = nn.matmul(%x, %hw) : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    %h = nn.matmul(%h0, %hv) : (tensor<1x2xf32>, tensor<2x1x!quant.uniform<i8<-4:4>:f32:1, {0.5}>>) -> tensor<1x1xf32>
    return %a1, %b, %c, %d, %e, %f, %g, %h : tensor<1x2xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<2x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
  }
}
