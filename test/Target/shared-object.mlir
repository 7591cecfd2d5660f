// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: cim-translate --cim-to-shared-object --target=imec-ania --cpu=baseline %s -o %t.so
// RUN: llvm-readelf --dyn-symbols --dynamic %t.so | FileCheck %s --implicit-check-not=LLVM --implicit-check-not=MLIR --implicit-check-not=main
// RUN: llvm-readelf --string-dump=.rodata %t.so | FileCheck %s --check-prefix=BYTECODE

// One exported object, and nothing needed but the C library.
// CHECK: OBJECT GLOBAL DEFAULT {{.*}} cim_model_v1
// BYTECODE: stream

// What it computes: one weight of each sign per column.
// RUN: %python -c "import numpy; numpy.save('%t.x.npy', numpy.float32([[1, 2], [0.5, -0.3], [9, 9]]))"
// RUN: cim-run %t.so --device=ideal --input=%t.x.npy --output=%t.y.npy
// RUN: %python -c "import numpy; print(numpy.load('%t.y.npy').astype(float).round(3).tolist())" | FileCheck %s --check-prefix=VALUES
// VALUES: {{\[\[}}1.0, 2.0], [0.5, 0.2], [6.3, 1.0]]
!q = !quant.uniform<i8<-63:63>:f32, 0.1>
module attributes {nn.model = "net", nn.batch = 2 : i64} {
  cim.array @array0 image(dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>)
  cim.layer @fc input [1, 1, 2] i8 output [1, 1, 2] f32 kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0] groups 1
      significance(dense<1.0> : tensor<1x2xf32>) scale(dense<[0.1, 0.1]> : tensor<2xf32>) bias(dense<[0.0, 1.0]> : tensor<2xf32>)
      clamp [0xFF800000, 0x7F800000] nearest_even repeat 1 {
    cim.block plane 0 rows 0 count 2 columns 0 count 2 gain 1.0 at @array0[0, 0]
  }
  func.func @main(%x: tensor<2x2xf32> {nn.name = "x"}) -> (tensor<2x2xf32> {nn.name = "y"}) {
    %q = nn.quantize(%x) nearest_even : (tensor<2x2xf32>) -> tensor<2x2x!q>
    %r = nn.reshape(%q) : (tensor<2x2x!q>) -> tensor<2x1x1x2x!q>
    %c = quant.scast %r : tensor<2x1x1x2x!q> to tensor<2x1x1x2xi8>
    %e = tensor.empty() : tensor<2x1x1x2xf32>
    %s = cim.stream @fc ins(%c : tensor<2x1x1x2xi8>) outs(%e : tensor<2x1x1x2xf32>) -> tensor<2x1x1x2xf32>
    %y = nn.reshape(%s) : (tensor<2x1x1x2xf32>) -> tensor<2x2xf32>
    return %y : tensor<2x2xf32>
  }
}
