// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the verifiers of the cim dialect share.
#include "Checks.h"

using namespace mlir;

namespace cim {

LogicalResult verifyElements(Operation *op, StringRef name, ElementsAttr value,
                             ArrayRef<int64_t> shape, Type elementType) {
  auto type = cast<ShapedType>(cast<TypedAttr>(value).getType());
  if (type.getShape() == shape && type.getElementType() == elementType)
    return success();
  return op->emitOpError("expects '")
         << name << "' to be " << RankedTensorType::get(shape, elementType)
         << ", but got " << type;
}

LogicalResult verifyEntries(Operation *op, StringRef name,
                            ArrayRef<int64_t> values, size_t count,
                            int64_t minimum) {
  if (values.size() != count)
    return op->emitOpError("expects ") << count << " entries in '" << name
                                       << "', but got " << values.size();
  for (int64_t value : values)
    if (value < minimum || value > INT32_MAX)
      return op->emitOpError("expects entries of '")
             << name << "' from " << minimum << " to " << INT32_MAX
             << ", but got " << value;
  return success();
}

LogicalResult verifyWindow(Operation *op, StringRef dim, int64_t in,
                           int64_t out, int64_t kernel, int64_t stride,
                           int64_t dilation, int64_t pad) {
  // ONNX allows windows that lie in the padding alone; a map that all windows
  // lie in front of is a mistake.
  int64_t lastEnd = (out - 1) * stride - pad + (kernel - 1) * dilation;
  if (lastEnd >= 0)
    return success();
  return op->emitOpError("expects windows that reach the map, but in ")
         << dim << " " << out << " windows of " << kernel << " taps, stride "
         << stride << ", dilation " << dilation << " and padding " << pad
         << " end at " << lastEnd;
}

} // namespace cim
