// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-opt %s --cim-report="target=%S/Inputs/round.yaml file=%t.html" -o /dev/null
// RUN: FileCheck %s --input-file=%t.html
// Nothing is loaded and nothing runs, whatever the names in a network say.
// RUN: not grep -iE "<script|src=|href=|url\(|@import|onload" %t.html

// CHECK: <!DOCTYPE html>
// CHECK: <title>a &lt;script&gt; &amp; &quot;b&quot; on round</title>
// CHECK: <h1>a &lt;script&gt; &amp; &quot;b&quot;</h1>
// CHECK: round &lt;figures&gt; &amp; more
// CHECK-SAME: projection, no such chip exists
// CHECK: <dt>arrays</dt><dd>1</dd>
// CHECK: <dt>MVMs per image</dt><dd>1</dd>
// CHECK: <dt>time per image</dt><dd>1.00&nbsp;&micro;s</dd>
// Shares, floorplan and table show the layer.
// CHECK: aria-label="MVMs per layer"
// CHECK: <title>x&apos;&lt;/title&gt; y: 1 (100.0&nbsp;%)</title>
// CHECK: viewBox="0 0 16 32"
// CHECK: <g><title>x&apos;&lt;/title&gt; y: plane 0
// CHECK-NEXT: matrix rows 0..3, columns 0..1
// CHECK-NEXT: array rows 5..8, columns 3..4
// CHECK-NEXT: gain 0.25</title><rect x="3" y="5" width="2" height="4"
// CHECK: <bdi>x&apos;&lt;/title&gt; y</bdi>
// CHECK-SAME: 4 &times; 2
// What stays digital: first what could have been mapped, then by kind.
// CHECK: <td>nn.matmul</td><td class="name"><bdi>&lt;fc&gt;</bdi></td><td>its weights &lt; &amp;</td>
// CHECK: <td>nn.relu</td>{{.*}}<summary>2</summary><bdi>r1</bdi>, <bdi>r2</bdi></details></td><td>has no weights
module attributes {nn.model = "a <script> & \22b\22", nn.batch = 1 : i64} {
  cim.array @array0 image(dense<0> : tensor<9x5xi8>)
  cim.layer @fc input [1, 1, 4] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
      significance(dense<1.0> : tensor<1x2xf32>) scale(dense<0.01> : tensor<2xf32>) bias(dense<0.0> : tensor<2xf32>)
      clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
    cim.block plane 0 rows 0 count 4 columns 0 count 2 gain 0.25 at @array0[5, 3]
  } loc("x'</title>\0Ay")
  func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
    %m = nn.matmul(%x, %w) {nn.digital = "its weights < &"} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32> loc("<fc>")
    %r = nn.relu(%m) : tensor<4x4xf32> loc("r1")
    %s = nn.relu(%r) : tensor<4x4xf32> loc("r2")
    return %s : tensor<4x4xf32>
  }
}
