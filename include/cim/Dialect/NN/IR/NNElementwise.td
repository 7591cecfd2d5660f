// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise operators.
#ifndef CIM_DIALECT_NN_IR_NNELEMENTWISE_TD
#define CIM_DIALECT_NN_IR_NNELEMENTWISE_TD

include "cim/Dialect/NN/IR/NNBase.td"

/// Elements meet their like, after broadcasting; no op sees the layout.
def NN_Elementwise : NativeOpTrait<"Elementwise"> {
  let cppNamespace = "::cim::nn";
}

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

/// Binary operators of numbers.
class NN_BinaryOp<string mnemonic, string what, list<Trait> traits = []>
    : NN_InferredOp<mnemonic, !listconcat(traits, [NN_Elementwise])> {
  /// What there is to say about integers.
  string integers = "Integers wrap around.";
  let summary = what # ", with NumPy broadcasting";
  let description = [{
    Operands of the same element type, float or integer; shapes broadcast as in
    NumPy and ONNX. }] # integers # [{

    ```mlir
    %y = nn.}] # mnemonic # [{(%a, %b) : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let arguments = (ins NN_NumberTensor:$a, NN_NumberTensor:$b);
  let results = (outs NN_NumberTensor:$result);
}
def NN_AddOp : NN_BinaryOp<"add", "sum", [Commutative]>;
def NN_SubOp : NN_BinaryOp<"sub", "difference">;
def NN_MulOp : NN_BinaryOp<"mul", "product", [Commutative]>;
def NN_DivOp : NN_BinaryOp<"div", "quotient"> {
  let integers = "Integers are truncated towards zero; divided by zero they give zero.";
}
def NN_PowOp : NN_BinaryOp<"pow", "power"> {
  let integers = "Powers of integers wrap around; those with a negative exponent are zero, but for the bases 1 and -1.";
}
def NN_MaxOp : NN_BinaryOp<"max", "the larger of two numbers, NaN if one is", [Commutative]> {
  let integers = "";
}
def NN_MinOp : NN_BinaryOp<"min", "the smaller of two numbers, NaN if one is", [Commutative]> {
  let integers = "";
}

def NN_ModOp : NN_InferredOp<"mod", [NN_Elementwise]> {
  let summary = "remainder of a division, with NumPy broadcasting";
  let description = [{
    The sign is that of the dividend with `truncated` (C's `%` and `fmod`), else
    that of the divisor (NumPy's `mod`). The remainder of an integer divided by
    zero is zero.

    ```mlir
    %y = nn.mod(%a, %b) {truncated} : (tensor<1x4xi32>, tensor<4xi32>) -> tensor<1x4xi32>
    ```
  }];
  let arguments = (ins NN_NumberTensor:$a, NN_NumberTensor:$b, UnitAttr:$truncated);
  let results = (outs NN_NumberTensor:$result);
}

/// Binary operators of the bits of integers and of truth values.
class NN_BitOp<string mnemonic, string what, list<Trait> traits = []>
    : NN_InferredOp<mnemonic, !listconcat(traits, [NN_Elementwise])> {
  let summary = what # ", with NumPy broadcasting";
  let description = [{
    Operands of the same element type, integer or i1.

    ```mlir
    %y = nn.}] # mnemonic # [{(%a, %b) : (tensor<1x4xui8>, tensor<4xui8>) -> tensor<1x4xui8>
    ```
  }];
  let arguments = (ins NN_BitsTensor:$a, NN_BitsTensor:$b);
  let results = (outs NN_BitsTensor:$result);
}
def NN_AndOp : NN_BitOp<"and", "bits set in both", [Commutative]>;
def NN_OrOp : NN_BitOp<"or", "bits set in either", [Commutative]>;
def NN_XorOp : NN_BitOp<"xor", "bits set in one and not in the other", [Commutative]>;
def NN_ShiftLeftOp : NN_BitOp<"shift_left", "a * 2^b; zero when b is not below the width">;
def NN_ShiftRightOp : NN_BitOp<"shift_right", "the largest integer that is not above a / 2^b, also when b is not below the width">;

def NN_CompareOp : NN_InferredOp<"compare", [NN_Elementwise]> {
  let summary = "order of two numbers as i1, with NumPy broadcasting";
  let description = [{
    `equal`, `less` or `less_equal`; nothing holds of NaN. The other three are
    these with operands swapped or the result inverted.

    ```mlir
    %y = nn.compare less(%a, %b) : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xi1>
    ```
  }];
  let arguments = (ins NN_AnyNumberTensor:$a, NN_AnyNumberTensor:$b, NN_PredicateAttr:$predicate);
  let results = (outs NN_BoolTensor:$result);
  let assemblyFormat = "$predicate `` `(` $a `,` $b `)` attr-dict `:` functional-type(operands, results)";
}

def NN_SelectOp : NN_InferredOp<"select", [NN_Elementwise]> {
  let summary = "a where the condition holds, else b; with NumPy broadcasting";
  let description = [{
    ```mlir
    %y = nn.select(%c, %a, %b) : (tensor<4x1xi1>, tensor<1x4xf32>, tensor<1xf32>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins NN_BoolTensor:$condition, NN_AnyNumberTensor:$a, NN_AnyNumberTensor:$b);
  let results = (outs NN_AnyNumberTensor:$result);
}

def NN_CastOp : NN_Op<"cast", [SameOperandsAndResultShape, NN_Elementwise]> {
  let summary = "the same numbers in another element type";
  let description = [{
    Floats become integers by truncation and integers lose their high bits, as
    in C; what no 64-bit integer holds becomes the nearest that one does, NaN
    becomes zero. A number is true when it is not zero.

    ```mlir
    %y = nn.cast(%x) : (tensor<1x4xf32>) -> tensor<1x4xi64>
    ```
  }];
  let arguments = (ins NN_AnyNumberTensor:$input);
  let results = (outs NN_AnyNumberTensor:$result);
  let assemblyFormat = "`(` $input `)` attr-dict `:` functional-type($input, $result)";
}

class NN_UnaryOp<string mnemonic, string what, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat(traits, [SameOperandsAndResultType, NN_Elementwise])> {
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
def NN_CeilOp : NN_UnaryOp<"ceil", "smallest integer not below x">;
def NN_RoundOp : NN_UnaryOp<"round", "nearest integer, ties to even">;
def NN_SqrtOp : NN_UnaryOp<"sqrt", "square root">;
def NN_ExpOp : NN_UnaryOp<"exp", "e^x">;
def NN_LogOp : NN_UnaryOp<"log", "natural logarithm">;
def NN_ErfOp : NN_UnaryOp<"erf", "error function">;
def NN_SinOp : NN_UnaryOp<"sin", "sine">;
def NN_CosOp : NN_UnaryOp<"cos", "cosine">;
def NN_TanOp : NN_UnaryOp<"tan", "tangent">;
def NN_AsinOp : NN_UnaryOp<"asin", "arc sine">;
def NN_AcosOp : NN_UnaryOp<"acos", "arc cosine">;
def NN_AtanOp : NN_UnaryOp<"atan", "arc tangent">;
def NN_SinhOp : NN_UnaryOp<"sinh", "hyperbolic sine">;
def NN_CoshOp : NN_UnaryOp<"cosh", "hyperbolic cosine">;
def NN_TanhOp : NN_UnaryOp<"tanh", "hyperbolic tangent">;
def NN_AsinhOp : NN_UnaryOp<"asinh", "inverse hyperbolic sine">;
def NN_AcoshOp : NN_UnaryOp<"acosh", "inverse hyperbolic cosine">;
def NN_AtanhOp : NN_UnaryOp<"atanh", "inverse hyperbolic tangent">;

/// Unary operators of integers, too.
class NN_NumberUnaryOp<string mnemonic, string what> : NN_UnaryOp<mnemonic, what> {
  let arguments = (ins NN_NumberTensor:$input);
  let results = (outs NN_NumberTensor:$result);
}
def NN_AbsOp : NN_NumberUnaryOp<"abs", "magnitude of a float or integer">;
def NN_NegOp : NN_NumberUnaryOp<"neg", "-x of a float or integer">;

def NN_ClampOp : NN_Op<"clamp", [SameOperandsAndResultType, NN_Elementwise]> {
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

#endif // CIM_DIALECT_NN_IR_NNELEMENTWISE_TD
