// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on positions, which folds where they are constants.
#include "FlatIndex.h"

using namespace mlir;

namespace cim::onnx {

Value createPositions(NodeBinder &b, int64_t extent, size_t dim, size_t rank) {
  if (failed(b.reserve(extent)))
    return {};
  SmallVector<int64_t> shape(rank, 1);
  shape[dim] = extent;
  return b.createInts(shape, llvm::to_vector(llvm::seq<int64_t>(0, extent)));
}

static Value scalar(NodeBinder &b, int64_t value) {
  return b.createInts({}, value);
}

void FlatIndex::add(Value positions, int64_t extent) {
  ++dims;
  total *= extent;
  flat = flat ? b.create<nn::AddOp>(
                    b.create<nn::MulOp>(flat, scalar(b, extent)), positions)
              : positions;
}

void FlatIndex::addBounded(Value positions, int64_t extent) {
  Value nearest = b.create<nn::MaxOp>(positions, scalar(b, 0));
  nearest = b.create<nn::MinOp>(nearest, scalar(b, extent - 1));
  Value isInside =
      b.create<nn::CompareOp>(positions, nearest, nn::Predicate::Equal);
  Value yes = b.createConstant(fromInts(DataType::Bool, {}, int64_t(1)));
  Value isOutside = b.create<nn::XorOp>(isInside, yes);
  outside = outside ? b.create<nn::OrOp>(outside, isOutside) : isOutside;
  add(nearest, extent);
}

void FlatIndex::addIndices(Value indices, int64_t extent) {
  indices = toPositions(b, indices);
  Value isNegative =
      b.create<nn::CompareOp>(indices, scalar(b, 0), nn::Predicate::Less);
  Value fromEnd = b.create<nn::AddOp>(indices, scalar(b, extent));
  addBounded(b.create<nn::SelectOp>(isNegative, fromEnd, indices), extent);
}

Value FlatIndex::forScatter() const {
  return outside ? b.create<nn::SelectOp>(outside, scalar(b, total), flat)
                 : flat;
}

Value FlatIndex::flatten(Value data) const {
  if (b.failed())
    return {};
  ArrayRef<int64_t> shape = cast<ShapedType>(data.getType()).getShape();
  SmallVector<int64_t> flattened{total};
  llvm::append_range(flattened, shape.drop_front(dims));
  return b.createReshape(data, flattened);
}

FlatIndex elementIndex(NodeBinder &b, size_t operand, ArrayRef<int64_t> shape,
                       int64_t axis) {
  FlatIndex index(b);
  Value indices = b.integerInput(operand);
  SmallVector<int64_t> own = b.shape(operand);
  int64_t rank = shape.size();
  bool fits = own.size() == shape.size();
  for (int64_t dim = 0; fits && dim < rank; ++dim)
    fits = dim == axis || own[dim] <= shape[dim];
  if (!fits && !b.failed())
    b.error() << "expected indices of the shape " << shapeText(shape)
              << " or smaller, but got " << shapeText(own);
  if (b.failed())
    return index;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim == axis)
      index.addIndices(indices, shape[dim]);
    else
      index.add(createPositions(b, own[dim], dim, rank), shape[dim]);
  return index;
}

FlatIndex tupleIndex(NodeBinder &b, size_t operand, ArrayRef<int64_t> shape,
                     int64_t batchDims) {
  FlatIndex index(b);
  Value indices = b.integerInput(operand);
  SmallVector<int64_t> own = b.shape(operand);
  int64_t outer = int64_t(own.size()) - 1, rank = shape.size();
  bool fits = batchDims >= 0 && batchDims <= outer && own.back() > 0 &&
              own.back() <= rank - batchDims &&
              shape.take_front(batchDims) ==
                  ArrayRef<int64_t>(own).take_front(batchDims);
  if (!fits && !b.failed())
    b.error() << "expected indices of " << batchDims
              << " dimensions in common with " << shapeText(shape)
              << " and one of the dimensions to index, but got "
              << shapeText(own);
  if (b.failed())
    return index;
  for (int64_t dim = 0; dim < batchDims; ++dim)
    index.add(createPositions(b, shape[dim], dim, outer), shape[dim]);
  SmallVector<int64_t> starts(own.size(), 0), sizes(own), steps(own.size(), 1);
  for (sizes.back() = 1; starts.back() < own.back(); ++starts.back()) {
    Value column = b.create<nn::SliceOp>(indices, starts, sizes, steps);
    column = b.createReshape(column, ArrayRef<int64_t>(own).drop_back());
    index.addIndices(column, shape[batchDims + starts.back()]);
  }
  return index;
}

Value reverseSequences(NodeBinder &b, Value data, Value lengths,
                       int64_t timeAxis) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape(cast<ShapedType>(data.getType()).getShape());
  int64_t batchAxis = 1 - timeAxis, time = shape[timeAxis];
  SmallVector<int64_t> perBatch(2, 1);
  perBatch[batchAxis] = shape[batchAxis];
  lengths = b.createReshape(toPositions(b, lengths), perBatch);
  Value positions = createPositions(b, time, timeAxis, 2),
        batch = createPositions(b, shape[batchAxis], batchAxis, 2);
  Value last = b.create<nn::SubOp>(lengths, scalar(b, 1));
  Value mirrored = b.create<nn::SubOp>(last, positions);
  Value isReversed =
      b.create<nn::CompareOp>(positions, lengths, nn::Predicate::Less);
  Value from = b.create<nn::SelectOp>(isReversed, mirrored, positions);
  FlatIndex index(b);
  if (timeAxis == 1)
    index.add(batch, shape[0]);
  index.addBounded(from, time);
  if (timeAxis == 0)
    index.add(batch, shape[1]);
  return b.create<nn::GatherOp>(index.flatten(data), index.forGather(), 0);
}

} // namespace cim::onnx
