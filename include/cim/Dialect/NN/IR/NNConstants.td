// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants and quantisation: storage and what it stands for.
#ifndef CIM_DIALECT_NN_IR_NNCONSTANTS_TD
#define CIM_DIALECT_NN_IR_NNCONSTANTS_TD

include "cim/Dialect/NN/IR/NNBase.td"

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

#endif // CIM_DIALECT_NN_IR_NNCONSTANTS_TD
