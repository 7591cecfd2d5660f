// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that are constants, or pass a value on.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

/// Strings have a type and a shape, and are refused where they are read.
static Tensor strings(ArrayRef<int64_t> dims) {
  Tensor tensor;
  tensor.type = DataType::String;
  tensor.dims.assign(dims.begin(), dims.end());
  return tensor;
}

static LogicalResult importConstant(NodeBinder &b) {
  auto length = [](const auto &list) { return int64_t(list.size()); };
  for (StringRef name : {"value", "sparse_value"})
    if (const Attribute *a = b.getAttribute(name); a && a->tensor)
      return b.result(a->tensor);
  if (const Attribute *a = b.getAttribute("value_int"))
    return b.result(fromInts(DataType::Int64, {}, a->i));
  if (const Attribute *a = b.getAttribute("value_ints"))
    return b.result(fromInts(DataType::Int64, length(a->ints), a->ints));
  if (const Attribute *a = b.getAttribute("value_float"))
    return b.result(fromDoubles(DataType::Float, {}, double(a->f)));
  if (const Attribute *a = b.getAttribute("value_floats")) {
    SmallVector<double> values(a->floats.begin(), a->floats.end());
    return b.result(fromDoubles(DataType::Float, length(values), values));
  }
  if (b.getAttribute("value_string"))
    return b.result(strings({}));
  if (const Attribute *a = b.getAttribute("value_strings"))
    return b.result(strings(length(a->strings)));
  return b.error() << "expected a tensor in 'value' or 'sparse_value', or one "
                      "of 'value_int', 'value_ints', 'value_float', "
                      "'value_floats'";
}

static LogicalResult importConstantOfShape(NodeBinder &b) {
  SmallVector<int64_t> shape = b.constantInts(0, "shape");
  const Attribute *given = b.getAttribute("value");
  if (b.failed())
    return failure();
  if (given && (!given->tensor || given->tensor->numElements() != 1))
    return b.error() << "expected 'value' to be a tensor of one element";
  Value value = given
                    ? b.createConstant(b.importState().narrowed(given->tensor))
                    : b.createScalar(0.0f);
  return b.result(b.createBroadcast(b.createReshape(value, {}), shape));
}

static LogicalResult importIdentity(NodeBinder &b) { return b.forward(0); }

static LogicalResult importShape(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t rank = shape.size();
  auto position = [&](StringRef name, int64_t byDefault) {
    int64_t value = b.getInt(name, byDefault);
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  int64_t start = position("start", 0), end = position("end", rank);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> dims =
      ArrayRef<int64_t>(shape).slice(start, std::max<int64_t>(0, end - start));
  return b.result(fromInts(DataType::Int64, int64_t(dims.size()), dims));
}

static LogicalResult importSize(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  return b.result(fromInts(DataType::Int64, {}, llvm::product_of(shape)));
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// How many numbers `start`, `start + delta`, .. lie before `limit`.
static int64_t countSteps(double start, double limit, double delta) {
  double count = std::ceil((limit - start) / delta);
  return count > 0 ? static_cast<int64_t>(std::min(count, 9e15)) : 0;
}

static LogicalResult importRange(NodeBinder &b) {
  b.ignore({"stash_type"}); // float32 is the widest float here
  double start = b.constantNumber(0, "start"),
         limit = b.constantNumber(1, "limit"),
         delta = b.constantNumber(2, "delta");
  if (b.failed())
    return failure();
  if (delta == 0 || !std::isfinite(start) || !std::isfinite(limit) ||
      !std::isfinite(delta))
    return b.error() << "expected finite numbers and a delta other than 0";
  DataType type = b.host(0)->type;
  int64_t count = countSteps(start, limit, delta);
  if (failed(b.reserve(count)))
    return failure();
  if (isFloat(type)) {
    SmallVector<double> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(start + double(i) * delta);
    return b.result(fromDoubles(type, count, values));
  }
  SmallVector<int64_t> values;
  int64_t first = toInts(*b.host(0)).front(), step = toInts(*b.host(2)).front();
  for (int64_t i = 0; i < count; ++i)
    values.push_back(uint64_t(first) + uint64_t(i) * uint64_t(step));
  return b.result(fromInts(type, count, values));
}

void registerConstants(HandlerTable &table) {
  table.add("Constant", {Place::Folded, "no strings"}, {{1, importConstant}});
  table.add("ConstantOfShape", {Place::Folded, "constant shape"},
            {{9, importConstantOfShape}});
  table.add("Identity", {Place::Folded, ""}, {{1, importIdentity}});
  table.add("Shape", {Place::Folded, ""}, {{1, importShape}});
  table.add("Size", {Place::Folded, ""}, {{1, importSize}});
  table.add("Range", {Place::Folded, "constant operands"}, {{11, importRange}});
}

} // namespace cim::onnx
