// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that change the shape or order of a tensor, of elements of any type.
#ifndef CIM_DIALECT_NN_IR_NNMOVEMENT_TD
#define CIM_DIALECT_NN_IR_NNMOVEMENT_TD

include "cim/Dialect/NN/IR/NNBase.td"

def NN_ReshapeOp : NN_Op<"reshape"> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    ONNX `Reshape`, `Flatten`, `Squeeze` and `Unsqueeze`.

    ```mlir
    %y = nn.reshape(%x) : (tensor<1x4x2x2xf32>) -> tensor<1x16xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = "`(` $input `)` attr-dict `:` functional-type($input, $result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_TransposeOp : NN_InferredOp<"transpose"> {
  let summary = "permute dimensions";
  let description = [{
    Dimension `i` of the result is dimension `permutation[i]` of the input.

    ```mlir
    %y = nn.transpose(%x) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x4x8x6xf32>) -> tensor<1x8x6x4xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs NN_Tensor:$result);
  let hasFolder = 1;
}

def NN_ConcatOp : NN_InferredOp<"concat"> {
  let summary = "join tensors along one dimension";
  let description = [{
    ```mlir
    %y = nn.concat(%a, %b) {axis = 1 : i64} : (tensor<1x4x8xf32>, tensor<1x2x8xf32>) -> tensor<1x6x8xf32>
    ```
  }];
  let arguments = (ins Variadic<NN_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs NN_Tensor:$result);
}

def NN_PadOp : NN_InferredOp<"pad"> {
  let summary = "surround with a constant";
  let description = [{
    `pads` has the begin of every dimension, then the end of every dimension;
    none is negative (a negative ONNX pad is imported as `nn.slice`). A
    quantised tensor is padded with the integer nearest to `value / scale`.

    ```mlir
    %y = nn.pad(%x) {pads = array<i64: 0, 1, 0, 1>, value = 0.0 : f32} : (tensor<1x4xf32>) -> tensor<1x6xf32>
    ```
  }];
  let arguments = (ins NN_RealTensor:$input, DenseI64ArrayAttr:$pads, F32Attr:$value);
  let results = (outs NN_RealTensor:$result);
}

def NN_SliceOp : NN_InferredOp<"slice"> {
  let summary = "every step-th element from start";
  let description = [{
    One start, size and step per dimension, normalised: element `i` of the
    result is element `starts + i * steps` of the input, `steps` may be
    negative, nothing is clamped. A size may be 0.

    ```mlir
    %y = nn.slice(%x) {starts = array<i64: 0, 1>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 2>} : (tensor<1x4xf32>) -> tensor<1x2xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$starts,
                   DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$steps);
  let results = (outs NN_Tensor:$result);
}

def NN_BroadcastOp : NN_Op<"broadcast"> {
  let summary = "repeat along dimensions of extent 1 and new ones in front";
  let description = [{
    The shape of the result says how often, as in NumPy. Ops with two operands
    broadcast on their own; this one is for values that are asked for in full.

    ```mlir
    %y = nn.broadcast(%x) : (tensor<4x1xf32>) -> tensor<2x4x3xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = "`(` $input `)` attr-dict `:` functional-type($input, $result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_GatherOp : NN_InferredOp<"gather"> {
  let summary = "slices of one dimension, in the order of an index tensor";
  let description = [{
    NumPy `take`: the shape of the result is that of `data` with dimension
    `axis` replaced by the shape of `indices`. Negative indices count from the
    end; those that are out of bounds read the nearest element that there is.

    ```mlir
    %y = nn.gather(%table, %i) {axis = 0 : i64} : (tensor<512x64xf32>, tensor<1x8xi64>) -> tensor<1x8x64xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$data, NN_IndexTensor:$indices, I64Attr:$axis);
  let results = (outs NN_Tensor:$result);
}

def NN_ScatterOp : NN_InferredOp<"scatter"> {
  let summary = "data with slices of one dimension replaced or combined";
  let description = [{
    The reverse of `nn.gather`: `updates` has the shape of `data` with dimension
    `axis` replaced by the shape of `indices`. Its slices are put (`set`) into
    `data` where `indices` say, or combined with what is there (`add`, `mul`,
    `max`, `min`), one after the other in row-major order, so that the last one
    wins. Negative indices count from the end; slices whose index is out of
    bounds are dropped.

    ```mlir
    %y = nn.scatter add(%x, %i, %u) {axis = 1 : i64} : (tensor<2x9xf32>, tensor<4xi64>, tensor<2x4xf32>) -> tensor<2x9xf32>
    ```
  }];
  let arguments = (ins NN_AnyNumberTensor:$data, NN_IndexTensor:$indices,
                   NN_AnyNumberTensor:$updates, I64Attr:$axis, NN_CombineAttr:$combine);
  let results = (outs NN_AnyNumberTensor:$result);
  let assemblyFormat = "$combine `` `(` operands `)` attr-dict `:` functional-type(operands, results)";
}

#endif // CIM_DIALECT_NN_IR_NNMOVEMENT_TD
