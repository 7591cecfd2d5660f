// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions along dimensions and what is made of them.
#ifndef CIM_DIALECT_NN_IR_NNREDUCTION_TD
#define CIM_DIALECT_NN_IR_NNREDUCTION_TD

include "cim/Dialect/NN/IR/NNBase.td"

def NN_ReduceMeanOp : NN_InferredOp<"reduce_mean"> {
  let summary = "mean along dimensions";
  let description = [{
    `axes` are distinct and in increasing order. `keep_dims` keeps them with
    extent 1. A global average pool is the mean over the spatial dimensions.

    ```mlir
    %y = nn.reduce_mean(%x) {axes = array<i64: 2, 3>, keep_dims = true} : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input, DenseI64ArrayAttr:$axes, BoolAttr:$keep_dims);
  let results = (outs NN_FloatTensor:$result);
}

def NN_SoftmaxOp : NN_Op<"softmax", [SameOperandsAndResultType]> {
  let summary = "exp(x) / sum(exp(x)) along one dimension";
  let description = [{
    Computed as `exp(x - max)`, so that large values do not overflow.

    ```mlir
    %y = nn.softmax(%x) axis 1 : tensor<1x10xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input, I64Attr:$axis);
  let results = (outs NN_FloatTensor:$result);
  let assemblyFormat = "`(` $input `)` `axis` $axis attr-dict `:` type($input)";
  let hasVerifier = 1;
}

#endif // CIM_DIALECT_NN_IR_NNREDUCTION_TD
