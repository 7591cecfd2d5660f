// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What gradients are made of.
#include "GradientRules.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace cim::nn;

Value GradientBuilder::constant(ArrayRef<int64_t> shape, ArrayRef<float> values,
                                StringRef name) {
  return createFloats(builder, loc, shape, values, name);
}

static RankedTensorType withShape(Value value, ArrayRef<int64_t> shape) {
  return cast<RankedTensorType>(value.getType()).clone(shape);
}

Value GradientBuilder::broadcast(Value value, ArrayRef<int64_t> shape) {
  return shapeOf(value) == shape
             ? value
             : make<BroadcastOp>(withShape(value, shape), value);
}

Value GradientBuilder::sumTo(Value value, ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> from = shapeOf(value);
  int64_t added = from.size() - shape.size();
  SmallVector<int64_t> axes;
  for (int64_t dim = 0; dim < static_cast<int64_t>(from.size()); ++dim)
    if (from[dim] != 1 && (dim < added || shape[dim - added] == 1))
      axes.push_back(dim);
  return reshape(axes.empty() ? value : sum(value, axes), shape);
}

Value GradientBuilder::real(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!isa<quant::QuantizedType>(type.getElementType()))
    return value;
  return make<DequantizeOp>(type.clone(builder.getF32Type()), value);
}

Value GradientBuilder::reshape(Value value, ArrayRef<int64_t> shape) {
  return shapeOf(value) == shape
             ? value
             : make<ReshapeOp>(withShape(value, shape), value);
}

Value GradientBuilder::pad(Value value, ArrayRef<int64_t> begin,
                           ArrayRef<int64_t> end, float with) {
  SmallVector<int64_t> pads(begin);
  llvm::append_range(pads, end);
  bool isEmpty = llvm::all_of(pads, [](int64_t pad) { return pad == 0; });
  return isEmpty ? value : make<PadOp>(value, pads, llvm::APFloat(with));
}

Value GradientBuilder::slice(Value value, ArrayRef<int64_t> starts,
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

Value GradientBuilder::reverse(Value value, ArrayRef<int64_t> dims) {
  ArrayRef<int64_t> shape = shapeOf(value);
  SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
  for (int64_t dim : dims)
    if (shape[dim] > 1) {
      starts[dim] = shape[dim] - 1;
      steps[dim] = -1;
    }
  return slice(value, starts, shape, steps);
}

Value GradientBuilder::transposeLast(Value matrices) {
  int64_t rank = shapeOf(matrices).size();
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[rank - 2], permutation[rank - 1]);
  return make<TransposeOp>(matrices, permutation);
}

Value GradientBuilder::limitIndices(Value indices, int64_t extent) {
  auto element = cast<IntegerType>(
      cast<RankedTensorType>(indices.getType()).getElementType());
  auto bound = [&](int64_t value) {
    return make<ConstantOp>(DenseElementsAttr::get(
        RankedTensorType::get({}, element),
        llvm::APInt(element.getWidth(), value, /*isSigned=*/true)));
  };
  return make<MinOp>(make<MaxOp>(indices, bound(-extent)), bound(extent - 1));
}

/// Puts `steps - 1` zeros behind every element.
static Value setApart(GradientBuilder &builder, Value value,
                      ArrayRef<int64_t> steps) {
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
  Value padded = builder.pad(builder.reshape(value, split), begin, end);
  return builder.reshape(padded, joined);
}

Value GradientBuilder::place(Value value, ArrayRef<int64_t> extents,
                             ArrayRef<int64_t> starts,
                             ArrayRef<int64_t> steps) {
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

Value GradientBuilder::spread(Value gradient, const Windows &windows) {
  SmallVector<int64_t> extents(shapeOf(gradient).take_front(2)), starts(2, 0),
      steps(2, 1);
  for (auto [extent, kernel, stride, dilation, pad] :
       llvm::zip_equal(windows.extents, windows.kernel, windows.strides,
                       windows.dilations, windows.pads)) {
    int64_t reach = (kernel - 1) * dilation;
    extents.push_back(extent + reach);
    starts.push_back(reach - pad);
    steps.push_back(stride);
  }
  return place(gradient, extents, starts, steps);
}
