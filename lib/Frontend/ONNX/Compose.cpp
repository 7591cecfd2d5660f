// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pieces that handlers build compositions of.
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

SmallVector<int64_t> shapeOf(Value value) {
  if (!value)
    return {};
  return llvm::to_vector(cast<ShapedType>(value.getType()).getShape());
}

Value slice(NodeBinder &b, Value value, ArrayRef<int64_t> starts,
            ArrayRef<int64_t> sizes, SmallVector<int64_t> steps) {
  if (b.failed())
    return {};
  for (auto [step, size] : llvm::zip_equal(steps, sizes))
    step = size == 1 ? 1 : step;
  auto isOne = [](int64_t step) { return step == 1; };
  if (sizes == ArrayRef<int64_t>(shapeOf(value)) && llvm::all_of(steps, isOne))
    return value;
  return b.create<nn::SliceOp>(value, starts, sizes, steps);
}

Value sliceAlong(NodeBinder &b, Value value, int64_t dim, int64_t start,
                 int64_t size, int64_t step) {
  if (b.failed())
    return {};
  SmallVector<int64_t> sizes = shapeOf(value);
  SmallVector<int64_t> starts(sizes.size(), 0), steps(sizes.size(), 1);
  starts[dim] = start;
  sizes[dim] = size;
  steps[dim] = step;
  return slice(b, value, starts, sizes, std::move(steps));
}

Value padAlong(NodeBinder &b, Value value, int64_t dim, int64_t begin,
               int64_t end) {
  if (b.failed() || (begin == 0 && end == 0))
    return value;
  int64_t rank = shapeOf(value).size();
  SmallVector<int64_t> pads(2 * rank, 0);
  pads[dim] = begin;
  pads[rank + dim] = end;
  return b.create<nn::PadOp>(value, pads, llvm::APFloat(0.0f));
}

Value permute(NodeBinder &b, Value value, ArrayRef<int64_t> permutation) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(value), result;
  int64_t last = 0;
  bool isReshape = true;
  for (int64_t dim : permutation) {
    result.push_back(shape[dim]);
    if (shape[dim] == 1)
      continue;
    isReshape &= dim >= last;
    last = dim;
  }
  if (isReshape)
    return b.createReshape(value, result);
  return b.create<nn::TransposeOp>(value, permutation);
}

Value stack(NodeBinder &b, ArrayRef<Value> values, int64_t dim) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(values.front());
  shape.insert(shape.begin() + dim, 1);
  SmallVector<Value> parts;
  for (Value value : values)
    parts.push_back(b.createReshape(value, shape));
  if (b.failed() || parts.size() == 1)
    return parts.front();
  return b.create<nn::ConcatOp>(parts, dim);
}

Value blocksToSpace(NodeBinder &b, Value value) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(value), permutation{0, 1};
  size_t spatial = (shape.size() - 2) / 2;
  SmallVector<int64_t> result{shape[0], shape[1]};
  for (size_t i = 0; i < spatial; ++i) {
    permutation.append({int64_t(2 + spatial + i), int64_t(2 + i)});
    result.push_back(shape[2 + i] * shape[2 + spatial + i]);
  }
  return b.createReshape(permute(b, value, permutation), result);
}

} // namespace cim::onnx
