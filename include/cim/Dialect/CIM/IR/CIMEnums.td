// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Enums of the cim dialect, apart so that code for them is made only once.
#ifndef CIM_DIALECT_CIM_IR_CIMENUMS_TD
#define CIM_DIALECT_CIM_IR_CIMENUMS_TD

include "mlir/IR/EnumAttr.td"

def CIM_Split : I32EnumAttr<"Split", "how a weight becomes several cells", [
    I32EnumAttrCase<"Radix", 0, "radix">,
    I32EnumAttrCase<"Unary", 1, "unary">,
    I32EnumAttrCase<"Residual", 2, "residual">,
    I32EnumAttrCase<"Magnitude", 3, "magnitude">,
    I32EnumAttrCase<"Equal", 4, "equal">,
    I32EnumAttrCase<"Auto", 5, "auto">]> {
  let cppNamespace = "::cim";
  let genSpecializedAttr = 0;
}

#endif // CIM_DIALECT_CIM_IR_CIMENUMS_TD
