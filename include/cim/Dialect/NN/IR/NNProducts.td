// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that crossbars can run.
#ifndef CIM_DIALECT_NN_IR_NNPRODUCTS_TD
#define CIM_DIALECT_NN_IR_NNPRODUCTS_TD

include "cim/Dialect/NN/IR/NNBase.td"
include "cim/Interfaces/CrossbarOpInterface.td"

def NN_ConvOp : NN_InferredOp<"conv", [
    DeclareOpInterfaceMethods<CrossbarOpInterface>]> {
  let summary = "convolution over one or two spatial dimensions";
  let description = [{
    ONNX `Conv` with explicit padding. `input` is `N x C x spatial`, `weights`
    `F x C/groups x kernel`, `bias` `F`; `strides` and `dilations` have one
    entry a spatial dimension, `pads` has all begins, then all ends.

    ```mlir
    %y = nn.conv(%x, %w, %b) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, groups = 1 : i64}
        : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
    ```
  }];
  let arguments = (ins NN_RealTensor:$input, NN_RealTensor:$weights,
                   Optional<NN_FloatTensor>:$bias,
                   DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                   DenseI64ArrayAttr:$pads, I64Attr:$groups);
  let results = (outs NN_FloatTensor:$result);
}

def NN_MatMulOp : NN_InferredOp<"matmul", [
    DeclareOpInterfaceMethods<CrossbarOpInterface>]> {
  let summary = "matrix product, with leading dimensions broadcast";
  let description = [{
    ONNX/NumPy `matmul` of operands of rank 2 or more: `a` is `.. x M x K`, `b`
    is `.. x K x N`, or `.. x N x K` with `transpose_b`; the optional `bias` of
    N values is added to every row.

    ```mlir
    %y = nn.matmul(%x, %w, %b) {transpose_b} : (tensor<1x64xf32>, tensor<10x64xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins NN_RealTensor:$a, NN_RealTensor:$b,
                   Optional<NN_FloatTensor>:$bias, UnitAttr:$transpose_b);
  let results = (outs NN_FloatTensor:$result);
}

#endif // CIM_DIALECT_NN_IR_NNPRODUCTS_TD
