// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions along dimensions and what is made of them.
#ifndef CIM_DIALECT_NN_IR_NNREDUCTION_TD
#define CIM_DIALECT_NN_IR_NNREDUCTION_TD

include "cim/Dialect/NN/IR/NNBase.td"

def NN_ReduceOp : NN_InferredOp<"reduce"> {
  let summary = "sum, mean, max, min or product along dimensions";
  let description = [{
    `axes` are distinct and in increasing order. `keep_dims` keeps them with
    extent 1. Sums and products of integers wrap around; a mean is one of
    floats; the largest and the smallest of numbers are NaN if one is. A global
    average pool is the mean over the spatial dimensions.

    ```mlir
    %y = nn.reduce mean(%x) {axes = array<i64: 2, 3>, keep_dims = true} : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>
    ```
  }];
  let arguments = (ins NN_NumberTensor:$input, NN_ReductionAttr:$kind,
                   DenseI64ArrayAttr:$axes, BoolAttr:$keep_dims);
  let results = (outs NN_NumberTensor:$result);
  let assemblyFormat = "$kind `` `(` $input `)` attr-dict `:` functional-type(operands, results)";
}

def NN_TopKOp : NN_InferredOp<"top_k"> {
  let summary = "the largest numbers along the last dimension and where they are";
  let description = [{
    The `k` largest in descending order, of equal ones the first first, and
    their positions. NaN is not larger than any number.

    ```mlir
    %values, %indices = nn.top_k(%x) {k = 2 : i64} : (tensor<1x10xf32>) -> (tensor<1x2xf32>, tensor<1x2xi64>)
    ```
  }];
  let arguments = (ins NN_NumberTensor:$input, I64Attr:$k);
  let results = (outs NN_NumberTensor:$values, StaticShapeTensorOf<[I64]>:$indices);
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
