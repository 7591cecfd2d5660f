// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Quantised types of weights and activations.
#include "QuantTypes.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"

using namespace mlir;

namespace cim::nn {

int64_t getInnerSize(ArrayRef<int64_t> shape, int64_t dim) {
  int64_t inner = 1;
  for (int64_t extent : shape.drop_front(dim + 1))
    inner *= extent;
  return inner;
}

Value createWeights(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                    int64_t dim, const ChannelIntegers &weights) {
  SmallVector<int64_t> zeroPoints(weights.scales.size(), 0);
  auto element = quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, builder.getI8Type(),
      builder.getF32Type(), weights.scales, zeroPoints, dim, -weights.levels,
      weights.levels);
  return createQuantized(builder, loc, RankedTensorType::get(shape, element),
                         weights.values, "weights");
}

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
