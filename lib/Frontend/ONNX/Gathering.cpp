// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that read elements by indices, known at run time or not.
#include "FlatIndex.h"

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// One index, or several that are evenly spaced, take a slice. Null when the
/// indices are no such list.
static Value gatherAsSlice(NodeBinder &b, ArrayRef<int64_t> indexShape,
                           ArrayRef<int64_t> indices, int64_t axis) {
  int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  bool even = step != 0 && !indices.empty() && indexShape.size() <= 1;
  for (size_t i = 1; i < indices.size(); ++i)
    even &= indices[i] - indices[i - 1] == step;
  if (!even)
    return {};
  SmallVector<int64_t> sizes = b.shape(0), starts(sizes.size(), 0),
                       steps(sizes.size(), 1);
  starts[axis] = indices.front();
  sizes[axis] = indices.size();
  steps[axis] = step;
  Value slice = b.create<nn::SliceOp>(b.input(0), starts, sizes, steps);
  if (indexShape.empty())
    sizes.erase(sizes.begin() + axis);
  return b.createReshape(slice, sizes);
}

static LogicalResult importGather(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), indexShape = b.shape(1);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  if (b.failed())
    return failure();
  if (b.host(1)) {
    SmallVector<int64_t> indices = b.constantInts(1, "indices");
    for (int64_t &index : indices) {
      if (index < -shape[axis] || index >= shape[axis])
        return b.error() << "expected indices in [" << -shape[axis] << ", "
                         << shape[axis] << "), but got " << index;
      index += index < 0 ? shape[axis] : 0;
    }
    if (Value slice = gatherAsSlice(b, indexShape, indices, axis))
      return b.result(slice);
  }
  Value data = b.input(0), indices = toPositions(b, b.integerInput(1));
  return b.result(b.create<nn::GatherOp>(data, indices, axis));
}

//===----------------------------------------------------------------------===//
// GatherElements, GatherND
//===----------------------------------------------------------------------===//

static LogicalResult importGatherElements(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  Value data = b.input(0);
  FlatIndex index = elementIndex(b, 1, shape, axis);
  return b.result(
      b.create<nn::GatherOp>(index.flatten(data), index.forGather(), 0));
}

static LogicalResult importGatherND(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t batchDims = b.getInt("batch_dims", 0);
  Value data = b.input(0);
  FlatIndex index = tupleIndex(b, 1, shape, batchDims);
  return b.result(
      b.create<nn::GatherOp>(index.flatten(data), index.forGather(), 0));
}

//===----------------------------------------------------------------------===//
// ReverseSequence
//===----------------------------------------------------------------------===//

static LogicalResult importReverseSequence(NodeBinder &b) {
  int64_t timeAxis = b.getInt("time_axis", 0),
          batchAxis = b.getInt("batch_axis", 1);
  SmallVector<int64_t> shape = b.shape(0), lengths = b.shape(1);
  Value data = b.input(0), count = b.integerInput(1);
  if (b.failed())
    return failure();
  if (shape.size() < 2 || std::min(timeAxis, batchAxis) != 0 ||
      std::max(timeAxis, batchAxis) != 1)
    return b.error() << "expected rank 2 or more and axes 0 and 1, but got "
                     << shapeText(shape) << ", time axis " << timeAxis
                     << " and batch axis " << batchAxis;
  if (lengths != ArrayRef<int64_t>(shape[batchAxis]))
    return b.error() << "expected " << shape[batchAxis]
                     << " sequence lengths, but got " << shapeText(lengths);
  return b.result(reverseSequences(b, data, count, timeAxis));
}

void registerGathering(HandlerTable &table) {
  const OpSummary anyIndices{
      Place::Digital, "indices out of bounds at run time read the nearest "
                      "element"};
  table.add("Gather", anyIndices, {{1, importGather}});
  table.add("GatherElements", anyIndices, {{11, importGatherElements}});
  table.add("GatherND", anyIndices, {{11, importGatherND}});
  table.add("ReverseSequence", {Place::Digital, ""},
            {{10, importReverseSequence}});
}

} // namespace cim::onnx
