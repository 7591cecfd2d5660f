// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that choose elements by where they are.
#include "FlatIndex.h"

using namespace mlir;

namespace cim::onnx {

static Type elementOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

/// Whether element (i, j) of a matrix has `predicate(i + k, j)`, or, swapped,
/// `predicate(j, i + k)`.
static Value compareDiagonal(NodeBinder &b, ArrayRef<int64_t> matrix, Value k,
                             nn::Predicate predicate, bool swapped = false) {
  Value rows = createPositions(b, matrix[0], 0, 2),
        columns = createPositions(b, matrix[1], 1, 2);
  rows = b.create<nn::AddOp>(rows, k);
  if (swapped)
    std::swap(rows, columns);
  return b.create<nn::CompareOp>(rows, columns, predicate);
}

static LogicalResult importEyeLike(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  Value like = b.plainInput(0);
  int64_t given = b.getInt("dtype", 0), k = b.getInt("k", 0);
  if (b.failed())
    return failure();
  Type element = given ? elementType(b.context(), static_cast<DataType>(given))
                       : elementOf(like);
  if (shape.size() != 2 || !element)
    return b.error() << "expected a matrix of numbers, but got "
                     << shapeText(shape) << " and element type " << given;
  Value diagonal =
      compareDiagonal(b, shape, b.createInts({}, k), nn::Predicate::Equal);
  return b.result(b.createCast(diagonal, element));
}

/// Keeps what is on and above the k-th diagonal, or on and below it.
static LogicalResult importTrilu(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  bool upper = b.getBool("upper", true);
  Value x = b.plainInput(0);
  Value k = b.hasInput(1) ? toPositions(b, b.integerInput(1))
                          : b.createInts({}, int64_t(0));
  k = b.createReshape(k, {});
  if (b.failed())
    return failure();
  if (shape.size() < 2)
    return b.error() << "expected an operand of rank 2 or more, but got "
                     << shapeText(shape);
  Value kept = compareDiagonal(b, ArrayRef<int64_t>(shape).take_back(2), k,
                               nn::Predicate::LessEqual, /*swapped=*/!upper);
  Value zero = b.createScalar(elementOf(x), 0);
  return b.result(b.create<nn::SelectOp>(kept, x, zero));
}

/// Indices out of bounds match no position.
static LogicalResult importOneHot(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t rank = shape.size();
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), rank + 1);
  double number = b.constantNumber(1, "depth");
  Value indices = toPositions(b, b.numberInput(0)), values = b.plainInput(2);
  if (b.failed())
    return failure();
  if (!(number >= 1 && number <= double(int64_t(1) << 31)))
    return b.error() << "expected a depth in [1, 2^31], but got " << number;
  if (b.shape(2) != ArrayRef<int64_t>(2))
    return b.error() << "expected two values, but got shape "
                     << shapeText(b.shape(2));
  auto depth = static_cast<int64_t>(number);
  shape.insert(shape.begin() + axis, 1);
  indices = b.createReshape(indices, shape);
  Value isNegative = b.create<nn::CompareOp>(
      indices, b.createInts({}, int64_t(0)), nn::Predicate::Less);
  Value fromEnd = b.create<nn::AddOp>(indices, b.createInts({}, depth));
  indices = b.create<nn::SelectOp>(isNegative, fromEnd, indices);
  Value isHot = b.create<nn::CompareOp>(
      indices, createPositions(b, depth, axis, rank + 1), nn::Predicate::Equal);
  auto value = [&](int64_t which) {
    int64_t one = 1;
    return b.createReshape(b.create<nn::SliceOp>(values, which, one, one), {});
  };
  return b.result(b.create<nn::SelectOp>(isHot, value(1), value(0)));
}

void registerMasks(HandlerTable &table) {
  table.add("EyeLike", {Place::Folded, ""}, {{9, importEyeLike}});
  table.add("Trilu", {Place::Digital, ""}, {{14, importTrilu}});
  table.add("OneHot", {Place::Digital, "constant depth"}, {{9, importOneHot}});
}

} // namespace cim::onnx
