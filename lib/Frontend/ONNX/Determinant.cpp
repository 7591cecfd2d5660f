// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Det of small matrices.
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

/// Matrices of the last two dimensions.
static Value element(NodeBinder &b, Value x, int64_t row, int64_t column) {
  int64_t rank = shapeOf(x).size();
  return sliceAlong(b, sliceAlong(b, x, rank - 2, row, 1), rank - 1, column, 1);
}

/// The determinant of the last rows, as many as `columns`, expanded along the
/// first of them.
static Value determinant(NodeBinder &b, Value x, ArrayRef<int64_t> columns) {
  int64_t row = shapeOf(x).back() - int64_t(columns.size());
  if (columns.size() == 1)
    return element(b, x, row, columns[0]);
  Value sum;
  for (auto [i, column] : llvm::enumerate(columns)) {
    SmallVector<int64_t> rest(columns);
    rest.erase(rest.begin() + i);
    Value term = b.create<nn::MulOp>(element(b, x, row, column),
                                     determinant(b, x, rest));
    if (!sum)
      sum = term;
    else
      sum = i % 2 ? b.create<nn::SubOp>(sum, term)
                  : b.create<nn::AddOp>(sum, term);
    if (b.failed())
      return {};
  }
  return sum;
}

static LogicalResult importDet(NodeBinder &b) {
  constexpr int64_t largest = 4;
  Value x = b.floatInput(0);
  if (b.failed())
    return failure();
  SmallVector<int64_t> shape = shapeOf(x);
  if (shape.size() < 2 || shape.back() != shape[shape.size() - 2] ||
      shape.back() > largest)
    return b.error() << "expected square matrices of at most " << largest
                     << " rows, but got " << shapeText(shape);
  SmallVector<int64_t> columns =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.back()));
  return b.result(b.createReshape(determinant(b, x, columns),
                                  ArrayRef<int64_t>(shape).drop_back(2)));
}

void registerDeterminant(HandlerTable &table) {
  table.add("Det", {Place::Digital, "up to 4 x 4"}, {{11, importDet}});
}

} // namespace cim::onnx
