// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The nn dialect, its types and enums.
#ifndef CIM_DIALECT_NN_IR_NNDIALECT_TD
#define CIM_DIALECT_NN_IR_NNDIALECT_TD

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::cim::nn";
  let summary = "neural networks with ONNX semantics, normalised";
  let description = [{
    Tensors and operators as ONNX means them, with its variants resolved at
    import: padding is explicit, shape operands are attributes, optional inputs
    are gone, layout is NCHW, groups are kept, all shapes are static.

    Values are float (`tensor<..xf32>`), integer, or quantised
    (`tensor<..x!quant.uniform<i8<-63:63>:f32, 0.05>>`). A convolution or matrix
    product of quantised operands computes what its dequantised operands would
    give, exactly; its result is float, and `nn.quantize` follows where the
    network stores 7-bit activations. Weights are resources.

    Why an own dialect:
    - TOSA rejects what real networks do (a 3 x 3 convolution with stride 2 and
      padding 1 on an even size) and has no groups; linalg has lost the layer by
      the time a mapper looks for it.
    - ONNX itself says the same thing in many ways; here every variant is
      resolved once, at import, and no pass looks at opsets.
    - Quantisation is in types. An op need not say how its operands are stored,
      and a value that is stored once has one type for all who read it.
    - An op offers its crossbar matrix through `CrossbarOpInterface`; the mapper
      knows no op names.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
}

def NN_Rounding : I32EnumAttr<"Rounding", "how a real number becomes an integer", [
    I32EnumAttrCase<"NearestEven", 0, "nearest_even">,
    I32EnumAttrCase<"Floor", 1, "floor">]> {
  let cppNamespace = "::cim::nn";
  let genSpecializedAttr = 0;
}
def NN_RoundingAttr : EnumAttr<NN_Dialect, NN_Rounding, "rounding"> {
  let assemblyFormat = "$value";
}

def NN_Predicate : I32EnumAttr<"Predicate", "what a comparison asks", [
    I32EnumAttrCase<"Equal", 0, "equal">,
    I32EnumAttrCase<"Less", 1, "less">,
    I32EnumAttrCase<"LessEqual", 2, "less_equal">]> {
  let cppNamespace = "::cim::nn";
  let genSpecializedAttr = 0;
}
def NN_PredicateAttr : EnumAttr<NN_Dialect, NN_Predicate, "predicate"> {
  let assemblyFormat = "$value";
}

def NN_Reduction : I32EnumAttr<"Reduction", "how many numbers become one", [
    I32EnumAttrCase<"Sum", 0, "sum">,
    I32EnumAttrCase<"Mean", 1, "mean">,
    I32EnumAttrCase<"Max", 2, "max">,
    I32EnumAttrCase<"Min", 3, "min">,
    I32EnumAttrCase<"Prod", 4, "prod">]> {
  let cppNamespace = "::cim::nn";
  let genSpecializedAttr = 0;
}
def NN_ReductionAttr : EnumAttr<NN_Dialect, NN_Reduction, "reduction"> {
  let assemblyFormat = "$value";
}

def NN_Combine : I32EnumAttr<"Combine", "what becomes of a number where another one is put", [
    I32EnumAttrCase<"Set", 0, "set">,
    I32EnumAttrCase<"Add", 1, "add">,
    I32EnumAttrCase<"Mul", 2, "mul">,
    I32EnumAttrCase<"Max", 3, "max">,
    I32EnumAttrCase<"Min", 4, "min">]> {
  let cppNamespace = "::cim::nn";
  let genSpecializedAttr = 0;
}
def NN_CombineAttr : EnumAttr<NN_Dialect, NN_Combine, "combine"> {
  let assemblyFormat = "$value";
}

def NN_Float : AnyTypeOf<[F32]>;
def NN_Integer : AnyTypeOf<[I8, UI8, I16, UI16, I32, UI32, I64, UI64], "integer">;
def NN_Element : AnyTypeOf<[F32, I1, NN_Integer, quant_QuantizedType],
                           "float, integer or quantised element">;
def NN_Tensor : StaticShapeTensorOf<[NN_Element]>;
def NN_FloatTensor : StaticShapeTensorOf<[NN_Float]>;
def NN_QuantTensor : StaticShapeTensorOf<[quant_QuantizedType]>;
/// Float or integer: what arithmetic takes.
def NN_NumberTensor : StaticShapeTensorOf<[NN_Float, NN_Integer]>;
/// Positions; other integers are cast.
def NN_IndexTensor : StaticShapeTensorOf<[I32, I64]>;
def NN_BoolTensor : StaticShapeTensorOf<[I1]>;
/// Integer or truth value: what has bits.
def NN_BitsTensor : StaticShapeTensorOf<[I1, NN_Integer]>;
/// Float, integer or truth value: everything but quantised values.
def NN_AnyNumberTensor : StaticShapeTensorOf<[NN_Float, I1, NN_Integer]>;
/// Float or quantised: what a convolution or matrix product takes.
def NN_RealTensor : StaticShapeTensorOf<[NN_Float, quant_QuantizedType]>;
/// Float, integer or quantised: what has an order.
def NN_OrderedTensor : StaticShapeTensorOf<[NN_Float, NN_Integer, quant_QuantizedType]>;

#endif // CIM_DIALECT_NN_IR_NNDIALECT_TD
