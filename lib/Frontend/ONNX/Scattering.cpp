// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that write elements by indices, known at run time or not.
#include "FlatIndex.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace cim::onnx {

using nn::shapeOf;

/// `data` with `updates` at `index`, along its first dimensions.
static Value scatter(NodeBinder &b, Value data, const FlatIndex &index,
                     Value updates, nn::Combine combine) {
  Value flat = index.flatten(data);
  Value result =
      b.create<nn::ScatterOp>(flat, index.forScatter(), updates, 0, combine);
  return result ? b.createReshape(result, shapeOf(data)) : Value();
}

/// What the attribute 'reduction' says; new in opset 16, max and min in 18.
static nn::Combine readReduction(NodeBinder &b) {
  StringRef name = b.getString("reduction", "none");
  auto combine = llvm::StringSwitch<std::optional<nn::Combine>>(name)
                     .Case("none", nn::Combine::Set)
                     .Case("add", nn::Combine::Add)
                     .Case("mul", nn::Combine::Mul)
                     .Case("max", nn::Combine::Max)
                     .Case("min", nn::Combine::Min)
                     .Default(std::nullopt);
  if (!combine)
    b.error() << "expected 'reduction' to be none, add, mul, max or min, but "
                 "got '"
              << name << "'";
  return combine.value_or(nn::Combine::Set);
}

static LogicalResult importScatterElements(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  nn::Combine combine = readReduction(b);
  Value data = b.input(0), updates = b.input(2);
  FlatIndex index = elementIndex(b, 1, shape, axis);
  return b.result(scatter(b, data, index, updates, combine));
}

static LogicalResult importScatterND(NodeBinder &b) {
  nn::Combine combine = readReduction(b);
  Value data = b.input(0), updates = b.input(2);
  FlatIndex index = tupleIndex(b, 1, b.shape(0), /*batchDims=*/0);
  return b.result(scatter(b, data, index, updates, combine));
}

//===----------------------------------------------------------------------===//
// TensorScatter
//===----------------------------------------------------------------------===//

/// Where along the sequence the elements of the update go.
static Value writePositions(NodeBinder &b, int64_t batch, int64_t count,
                            int64_t length, int64_t axis) {
  Value positions = createPositions(b, count, axis, axis + 1);
  StringRef mode = b.getString("mode", "linear");
  if (mode != "linear" && mode != "circular")
    b.error() << "expected mode 'linear' or 'circular', but got '" << mode
              << "'";
  if (b.hasInput(2)) {
    SmallVector<int64_t> perSample(axis + 1, 1);
    perSample[0] = batch;
    Value first = toPositions(b, b.integerInput(2));
    if (!b.failed() && shapeOf(first) != ArrayRef<int64_t>(batch))
      b.error() << "expected " << batch << " write indices, but got "
                << shapeText(shapeOf(first));
    positions =
        b.create<nn::AddOp>(b.createReshape(first, perSample), positions);
  }
  if (mode == "circular")
    positions = b.create<nn::ModOp>(positions, b.createInts({}, length),
                                    /*truncated=*/false);
  return positions;
}

static LogicalResult importTensorScatter(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), updateShape = b.shape(1);
  int64_t axis = b.normalizeAxis(b.getInt("axis", -2), shape.size());
  Value cache = b.input(0), update = b.input(1);
  if (b.failed())
    return failure();
  SmallVector<int64_t> expected(shape);
  if (updateShape.size() == shape.size())
    expected[axis] = updateShape[axis];
  if (axis == 0 || expected != updateShape || updateShape[axis] > shape[axis])
    return b.error() << "expected an update like the cache " << shapeText(shape)
                     << " but along axis " << axis
                     << ", which is not the batch, but got "
                     << shapeText(updateShape);
  FlatIndex index(b);
  for (int64_t dim = 0; dim < axis; ++dim)
    index.add(createPositions(b, shape[dim], dim, axis + 1), shape[dim]);
  index.addBounded(
      writePositions(b, shape[0], updateShape[axis], shape[axis], axis),
      shape[axis]);
  return b.result(scatter(b, cache, index, update, nn::Combine::Set));
}

//===----------------------------------------------------------------------===//
// Col2Im
//===----------------------------------------------------------------------===//

namespace {
/// A spatial dimension of Col2Im: blocks that slide over a padded image.
struct BlockDim {
  int64_t image, block, stride, dilation, padBegin, padEnd;

  /// How many places there are for a block.
  int64_t places() const {
    int64_t room = image + padBegin + padEnd - dilation * (block - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
  }
};
} // namespace

static SmallVector<BlockDim> readBlocks(NodeBinder &b) {
  SmallVector<int64_t> image = b.constantInts(1, "image_shape"),
                       block = b.constantInts(2, "block_shape");
  size_t rank = image.size();
  SmallVector<int64_t> ones(rank, 1), zeros(2 * rank, 0);
  SmallVector<int64_t> strides = b.getInts("strides").value_or(ones),
                       dilations = b.getInts("dilations").value_or(ones),
                       pads = b.getInts("pads").value_or(zeros);
  constexpr int64_t limit = int64_t(1) << 31;
  auto isIn = [&](int64_t lowest) {
    return [=](int64_t value) { return value >= lowest && value < limit; };
  };
  bool fits = rank > 0 && block.size() == rank && strides.size() == rank &&
              dilations.size() == rank && pads.size() == 2 * rank &&
              llvm::all_of(image, isIn(1)) && llvm::all_of(block, isIn(1)) &&
              llvm::all_of(strides, isIn(1)) &&
              llvm::all_of(dilations, isIn(1)) && llvm::all_of(pads, isIn(0));
  if (!b.failed() && !fits)
    b.error() << "expected image and block shape, strides, dilations and pads "
                 "of as many dimensions, none of them negative";
  SmallVector<BlockDim> dims;
  for (size_t i = 0; !b.failed() && i < rank; ++i)
    dims.push_back({image[i], block[i], strides[i], dilations[i], pads[i],
                    pads[rank + i]});
  return dims;
}

/// Sums up columns: those of the block's elements, each with one value per
/// place of the block.
static LogicalResult importCol2Im(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  Value columns = b.numberInput(0);
  SmallVector<BlockDim> dims = readBlocks(b);
  int64_t rank = dims.size(), elements = 1, places = 1;
  for (const BlockDim &dim : dims) {
    elements = llvm::SaturatingMultiply<uint64_t>(elements, dim.block);
    places = llvm::SaturatingMultiply<uint64_t>(places, dim.places());
  }
  if (b.failed())
    return failure();
  if (shape.size() != 3 || shape[1] % elements != 0 || shape[2] != places)
    return b.error() << "expected columns of shape N x C*" << elements << " x "
                     << places << ", but got " << shapeText(shape);
  // Element e of the block at place p lies at p * stride + e * dilation - pad.
  FlatIndex index(b);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    auto scaled = [&](int64_t extent, size_t at, int64_t factor) {
      return b.create<nn::MulOp>(createPositions(b, extent, at, 2 * rank),
                                 b.createInts({}, factor));
    };
    Value position =
        b.create<nn::AddOp>(scaled(dim.block, i, dim.dilation),
                            scaled(dim.places(), rank + i, dim.stride));
    Value origin = b.createInts({}, dim.padBegin);
    position = b.create<nn::SubOp>(position, origin);
    // Negative positions lie in the padding, not at the end.
    index.addBounded(position, dim.image);
  }
  SmallVector<int64_t> result{shape[0], shape[1] / elements};
  for (const BlockDim &dim : dims)
    result.push_back(dim.image);
  if (failed(b.checkShape(result)))
    return failure();
  int64_t channels = shape[1] / elements, taken = elements * places;
  Value zeros = b.createBroadcast(
      b.createScalar(cast<ShapedType>(columns.getType()).getElementType(), 0),
      {shape[0], channels, index.extent()});
  Value sum = b.create<nn::ScatterOp>(
      zeros, b.createReshape(index.forScatter(), {taken}),
      b.createReshape(columns, {shape[0], channels, taken}), 2,
      nn::Combine::Add);
  return b.result(b.createReshape(sum, result));
}

void registerScattering(HandlerTable &table) {
  const OpSummary summary{Place::Digital,
                          "indices out of bounds at run time write nothing"};
  table.add("Scatter", summary, {{9, importScatterElements}});
  table.add("ScatterElements", summary, {{11, importScatterElements}});
  table.add("ScatterND", summary, {{11, importScatterND}});
  table.add("TensorScatter", summary, {{24, importTensorScatter}});
  table.add("Col2Im", {Place::Digital, "constant image and block shape"},
            {{18, importCol2Im}});
}

} // namespace cim::onnx
