// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Quantised types of weights and activations.
#include "QuantTypes.h"

using namespace mlir;

namespace cim::nn {

quant::UniformQuantizedType
getActivationType(MLIRContext *context, double scale, int64_t lo, int64_t hi) {
  bool isSigned = lo < 0;
  if (lo >= hi || (isSigned ? lo < -128 || hi > 127 : hi > 255))
    return {};
  return quant::UniformQuantizedType::getChecked(
      [&] { return emitError(UnknownLoc::get(context)); },
      isSigned ? quant::QuantizationFlags::Signed : 0,
      IntegerType::get(context, 8), Float32Type::get(context), scale, 0, lo,
      hi);
}

quant::UniformQuantizedType getUniformType(Value value) {
  return dyn_cast<quant::UniformQuantizedType>(
      cast<ShapedType>(value.getType()).getElementType());
}

} // namespace cim::nn
