// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators with sliding windows.
#ifndef CIM_DIALECT_NN_IR_NNPOOLING_TD
#define CIM_DIALECT_NN_IR_NNPOOLING_TD

include "cim/Dialect/NN/IR/NNBase.td"

class NN_PoolOp<string mnemonic> : NN_InferredOp<mnemonic> {
  dag poolArguments = (ins DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode);
}

def NN_MaxPoolOp : NN_PoolOp<"max_pool"> {
  let summary = "maximum over windows";
  let description = [{
    ONNX `MaxPool` over `N x C x spatial`; padding never wins. Takes integers
    and quantised values too: their order is the order of what they stand for.

    ```mlir
    %y = nn.max_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
        : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    ```
  }];
  let arguments = !con((ins NN_OrderedTensor:$input), poolArguments);
  let results = (outs NN_OrderedTensor:$result);
}

def NN_AvgPoolOp : NN_PoolOp<"avg_pool"> {
  let summary = "mean over windows";
  let description = [{
    ONNX `AveragePool`. With `count_include_pad` padded positions count as
    zeros; positions that `ceil_mode` adds beyond the padding never count.

    ```mlir
    %y = nn.avg_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
        : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    ```
  }];
  let arguments = !con((ins NN_FloatTensor:$input), poolArguments,
                       (ins DefaultValuedAttr<BoolAttr, "false">:$count_include_pad));
  let results = (outs NN_FloatTensor:$result);
  let extraClassDeclaration = [{
    /// How many elements count along spatial dimension `dim`, for each window.
    llvm::SmallVector<int64_t> countAlong(size_t dim);
  }];
}

#endif // CIM_DIALECT_NN_IR_NNPOOLING_TD
