// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Computations on tensors, written as ops of the nn dialect.
#include "cim/Dialect/NN/Transforms/TensorBuilder.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace cim::nn;

Value TensorBuilder::constant(ArrayRef<int64_t> shape, ArrayRef<float> values,
                              StringRef hint) {
  return createFloats(*this, getLoc(), shape, values, hint);
}

static RankedTensorType withShape(Value value, ArrayRef<int64_t> shape) {
  return cast<RankedTensorType>(value.getType()).clone(shape);
}

Value TensorBuilder::broadcast(Value value, ArrayRef<int64_t> shape) {
  return shapeOf(value) == shape
             ? value
             : make<BroadcastOp>(withShape(value, shape), value);
}

Value TensorBuilder::real(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!isa<quant::QuantizedType>(type.getElementType()))
    return value;
  return make<DequantizeOp>(type.clone(getF32Type()), value);
}

Value TensorBuilder::reshape(Value value, ArrayRef<int64_t> shape) {
  return shapeOf(value) == shape
             ? value
             : make<ReshapeOp>(withShape(value, shape), value);
}

Value TensorBuilder::pad(Value value, ArrayRef<int64_t> begin,
                         ArrayRef<int64_t> end, float with) {
  SmallVector<int64_t> pads(begin);
  llvm::append_range(pads, end);
  bool isEmpty = llvm::all_of(pads, [](int64_t pad) { return pad == 0; });
  return isEmpty ? value : make<PadOp>(value, pads, llvm::APFloat(with));
}

Value TensorBuilder::slice(Value value, ArrayRef<int64_t> starts,
                           ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  if (shapeOf(value) == sizes &&
      llvm::all_of(starts, [](int64_t start) { return start == 0; }))
    return value;
  // A step that is not taken may be larger than the tensor.
  SmallVector<int64_t> taken(steps);
  for (auto [step, size] : llvm::zip_equal(taken, sizes))
    if (size <= 1)
      step = 1;
  return make<SliceOp>(value, starts, sizes, taken);
}

Value TensorBuilder::reverse(Value value, ArrayRef<int64_t> dims) {
  ArrayRef<int64_t> shape = shapeOf(value);
  SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
  for (int64_t dim : dims)
    if (shape[dim] > 1) {
      starts[dim] = shape[dim] - 1;
      steps[dim] = -1;
    }
  return slice(value, starts, shape, steps);
}

/// Puts `steps - 1` zeros behind every element.
static Value setApart(TensorBuilder &b, Value value, ArrayRef<int64_t> steps) {
  SmallVector<int64_t> split, begin, end, joined;
  for (auto [extent, step] : llvm::zip_equal(shapeOf(value), steps)) {
    split.push_back(extent);
    end.push_back(0);
    if (step > 1) {
      split.push_back(1);
      end.push_back(step - 1);
    }
    joined.push_back(extent * step);
  }
  begin.assign(end.size(), 0);
  Value padded = b.pad(b.reshape(value, split), begin, end);
  return b.reshape(padded, joined);
}

Value TensorBuilder::place(Value value, ArrayRef<int64_t> extents,
                           ArrayRef<int64_t> starts, ArrayRef<int64_t> steps) {
  size_t rank = extents.size();
  SmallVector<int64_t> first(rank), count(rank), begin(rank), end(rank),
      apart(steps), kept(rank), ones(rank, 1), zeros(rank, 0);
  for (size_t d = 0; d < rank; ++d) {
    int64_t size = shapeOf(value)[d];
    int64_t outside = llvm::divideCeilSigned(-starts[d], steps[d]);
    int64_t inside = llvm::divideCeilSigned(extents[d] - starts[d], steps[d]);
    first[d] = std::clamp<int64_t>(outside, 0, size);
    count[d] = std::clamp<int64_t>(inside, first[d], size) - first[d];
    if (count[d] <= 1)
      apart[d] = 1;
    begin[d] = count[d] > 0 ? starts[d] + first[d] * steps[d] : 0;
    kept[d] = std::min(count[d] * apart[d], extents[d] - begin[d]);
    end[d] = extents[d] - begin[d] - kept[d];
  }
  value = setApart(*this, slice(value, first, count, ones), apart);
  return pad(slice(value, zeros, kept, ones), begin, end);
}
