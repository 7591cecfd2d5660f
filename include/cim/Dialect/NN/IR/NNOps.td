// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators of the nn dialect.
#ifndef CIM_DIALECT_NN_IR_NNOPS_TD
#define CIM_DIALECT_NN_IR_NNOPS_TD

include "cim/Dialect/NN/IR/NNDialect.td"
include "cim/Interfaces/CrossbarOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class NN_Op<string mnemonic, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, !listconcat([Pure], traits)>;

/// An op whose result type follows from operands and attributes; the verifier
/// and the builders share one inference function.
class NN_InferredOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat(traits, [InferTypeOpAdaptor])> {
  let assemblyFormat = "`(` operands `)` attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

def NN_ConstantOp : NN_Op<"constant", [ConstantLike]> {
  let summary = "a tensor known at compile time";
  let description = [{
    `value` holds the storage: float for a float result; the integers of a
    quantised result, whose scale is in the result type. Large values are
    resources.

    ```mlir
    %w = nn.constant dense<[[1, -1]]> : tensor<1x2xi8> as tensor<1x2x!quant.uniform<i8<-1:1>:f32, 0.5>>
    %b = nn.constant dense<0.5> : tensor<4xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs NN_Tensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasFolder = 1;
  let builders = [
    OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
      build($_builder, $_state, ::llvm::cast<::mlir::TypedAttr>(value).getType(), value);
    }]>
  ];
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Element-wise
//===----------------------------------------------------------------------===//

def NN_BatchNormOp : NN_InferredOp<"batch_norm"> {
  let summary = "per-channel normalisation with stored statistics";
  let description = [{
    `(input - mean) / sqrt(variance + epsilon) * scale + bias` along dimension
    1; all four statistics have one value per channel.

    ```mlir
    %y = nn.batch_norm(%x, %scale, %bias, %mean, %variance) {epsilon = 1.0e-5 : f32}
        : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_FloatTensor:$scale,
                   NN_FloatTensor:$bias, NN_FloatTensor:$mean,
                   NN_FloatTensor:$variance, F32Attr:$epsilon);
  let results = (outs NN_FloatTensor:$result);
}

class NN_BinaryOp<string mnemonic, string what, list<Trait> traits = []>
    : NN_InferredOp<mnemonic, traits> {
  let summary = what # ", with NumPy broadcasting";
  let description = [{
    Operands of the same element type; shapes broadcast as in NumPy and ONNX.

    ```mlir
    %y = nn.}] # mnemonic # [{(%a, %b) : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$a, NN_FloatTensor:$b);
  let results = (outs NN_FloatTensor:$result);
}
def NN_AddOp : NN_BinaryOp<"add", "sum", [Commutative]>;
def NN_SubOp : NN_BinaryOp<"sub", "difference">;
def NN_MulOp : NN_BinaryOp<"mul", "product", [Commutative]>;
def NN_DivOp : NN_BinaryOp<"div", "quotient">;

class NN_UnaryOp<string mnemonic, string what, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat(traits, [SameOperandsAndResultType])> {
  let summary = what;
  let description = [{
    ```mlir
    %y = nn.}] # mnemonic # [{(%x) : tensor<1x4xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input);
  let results = (outs NN_FloatTensor:$result);
  let assemblyFormat = "`(` $input `)` attr-dict `:` type($input)";
}
def NN_ReluOp : NN_UnaryOp<"relu", "max(x, 0)">;
def NN_FloorOp : NN_UnaryOp<"floor", "largest integer not above x">;
def NN_RoundOp : NN_UnaryOp<"round", "nearest integer, ties to even">;

def NN_ClampOp : NN_Op<"clamp", [SameOperandsAndResultType]> {
  let summary = "min(max(x, lo), hi)";
  let description = [{
    ```mlir
    %y = nn.clamp(%x) to [0.0, 6.0] : tensor<1x4xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input, F32Attr:$lo, F32Attr:$hi);
  let results = (outs NN_FloatTensor:$result);
  let assemblyFormat = "`(` $input `)` `to` `[` $lo `,` $hi `]` attr-dict `:` type($input)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Pooling, reduction, normalisation
//===----------------------------------------------------------------------===//

class NN_PoolOp<string mnemonic> : NN_InferredOp<mnemonic> {
  dag poolArguments = (ins DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode);
}

def NN_MaxPoolOp : NN_PoolOp<"max_pool"> {
  let summary = "maximum over windows";
  let description = [{
    ONNX `MaxPool` over `N x C x spatial`; padding never wins. Takes quantised
    values too, since the order of integers is the order of what they stand for.

    ```mlir
    %y = nn.max_pool(%x) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
        : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    ```
  }];
  let arguments = !con((ins NN_RealTensor:$input), poolArguments);
  let results = (outs NN_RealTensor:$result);
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
}

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

//===----------------------------------------------------------------------===//
// Shape and data movement: any element type
//===----------------------------------------------------------------------===//

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
    negative, nothing is clamped.

    ```mlir
    %y = nn.slice(%x) {starts = array<i64: 0, 1>, sizes = array<i64: 1, 2>, steps = array<i64: 1, 2>} : (tensor<1x4xf32>) -> tensor<1x2xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$starts,
                   DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$steps);
  let results = (outs NN_Tensor:$result);
}

//===----------------------------------------------------------------------===//
// Quantisation
//===----------------------------------------------------------------------===//

def NN_QuantizeOp : NN_Op<"quantize"> {
  let summary = "float to integers with a scale";
  let description = [{
    `clamp(round(x * (1 / scale)) + zero_point, storage min, storage max)` per
    element, docs/Numerics.md section 1. The result type says scale, zero point
    and range.

    ```mlir
    %q = nn.quantize(%x) nearest_even : (tensor<1x4xf32>) -> tensor<1x4x!quant.uniform<u8<0:127>:f32, 0.05>>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_RoundingAttr:$rounding);
  let results = (outs NN_QuantTensor:$result);
  let assemblyFormat = "`(` $input `)` `` $rounding attr-dict `:` functional-type($input, $result)";
  let hasVerifier = 1;
}

def NN_DequantizeOp : NN_Op<"dequantize"> {
  let summary = "integers with a scale to float";
  let description = [{
    `(q - zero_point) * scale` per element.

    ```mlir
    %x = nn.dequantize(%q) : (tensor<1x4x!quant.uniform<u8<0:127>:f32, 0.05>>) -> tensor<1x4xf32>
    ```
  }];
  let arguments = (ins NN_QuantTensor:$input);
  let results = (outs NN_FloatTensor:$result);
  let assemblyFormat = "`(` $input `)` attr-dict `:` functional-type($input, $result)";
  let hasVerifier = 1;
}

def NN_ObserveOp : Op<NN_Dialect, "observe"> {
  let summary = "show a tensor to the calibration";
  let description = [{
    Calibration inserts it into a copy of the float program; the compiled copy
    hands the values to the compiler under the number `value`.

    ```mlir
    nn.observe(%x) value 3 : tensor<1x4xf32>
    ```
  }];
  let arguments = (ins NN_FloatTensor:$input, I64Attr:$value);
  let assemblyFormat = "`(` $input `)` `value` $value attr-dict `:` type($input)";
}

#endif // CIM_DIALECT_NN_IR_NNOPS_TD
