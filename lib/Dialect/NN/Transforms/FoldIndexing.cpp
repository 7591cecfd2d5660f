// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of nn.broadcast, nn.gather and nn.scatter on constants.
#include "TypedElements.h"
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {
/// `data` as outer x extent x inner around the dimension that is indexed.
struct Sliced {
  int64_t outer, extent, inner;

  Sliced(Value data, int64_t axis) {
    ArrayRef<int64_t> shape = shapeOf(data);
    outer = llvm::product_of(shape.take_front(axis));
    extent = shape[axis];
    inner = llvm::product_of(shape.drop_front(axis + 1));
  }
};
} // namespace

template <typename T>
static FailureOr<ElementsAttr> foldBroadcast(BroadcastOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  FailureOr<std::vector<T>> values =
      readBroadcast<T>(op.getInput(), type.getShape());
  if (failed(values))
    return failure();
  return makeTyped<T>(type, *values);
}

template <typename T> static FailureOr<ElementsAttr> foldGather(GatherOp op) {
  FailureOr<std::vector<T>> data = readTyped<T>(op.getData());
  FailureOr<std::vector<int64_t>> indices = readIntegers(op.getIndices());
  if (failed(data) || failed(indices))
    return failure();
  Sliced sliced(op.getData(), op.getAxis());
  std::vector<T> taken;
  taken.reserve(sliced.outer * indices->size() * sliced.inner);
  for (int64_t outer = 0; outer < sliced.outer; ++outer)
    for (int64_t index : *indices) {
      index += index < 0 ? sliced.extent : 0;
      index = std::clamp<int64_t>(index, 0, sliced.extent - 1);
      auto first =
          data->begin() + (outer * sliced.extent + index) * sliced.inner;
      taken.insert(taken.end(), first, first + sliced.inner);
    }
  return makeTyped<T>(cast<RankedTensorType>(op.getType()), taken);
}

/// As the compiled program combines numbers: integers wrap, NaN is the largest
/// and the smallest.
template <typename T> static T combine(Combine how, T old, T update) {
  constexpr bool isReal = std::is_floating_point_v<T>;
  uint64_t a = static_cast<uint64_t>(isReal ? T(0) : old),
           b = static_cast<uint64_t>(isReal ? T(0) : update);
  switch (how) {
  case Combine::Set:
    return update;
  case Combine::Add:
    return isReal ? T(old + update) : T(a + b);
  case Combine::Mul:
    return isReal ? T(old * update) : T(a * b);
  case Combine::Max:
    return old != old || old > update ? old : update;
  case Combine::Min:
    return old != old || old < update ? old : update;
  }
  llvm_unreachable("covered switch");
}

template <typename T> static FailureOr<ElementsAttr> foldScatter(ScatterOp op) {
  FailureOr<std::vector<T>> data = readTyped<T>(op.getData());
  FailureOr<std::vector<T>> updates = readTyped<T>(op.getUpdates());
  FailureOr<std::vector<int64_t>> indices = readIntegers(op.getIndices());
  if (failed(data) || failed(updates) || failed(indices))
    return failure();
  Sliced sliced(op.getData(), op.getAxis());
  auto update = updates->begin();
  for (int64_t outer = 0; outer < sliced.outer; ++outer)
    for (int64_t index : *indices) {
      index += index < 0 ? sliced.extent : 0;
      bool isInside = index >= 0 && index < sliced.extent;
      auto element =
          data->begin() +
          (outer * sliced.extent + (isInside ? index : 0)) * sliced.inner;
      for (int64_t i = 0; i < sliced.inner; ++i, ++update)
        if (isInside)
          element[i] = combine<T>(op.getCombine(), element[i], *update);
    }
  return makeTyped<T>(cast<RankedTensorType>(op.getType()), *data);
}

FailureOr<ElementsAttr> cim::nn::foldIndexing(Operation *op) {
  return withElementType(getElementTypeOrSelf(op->getResult(0).getType()),
                         [&](auto zero) -> FailureOr<ElementsAttr> {
                           using T = decltype(zero);
                           if (auto broadcast = dyn_cast<BroadcastOp>(op))
                             return foldBroadcast<T>(broadcast);
                           if (auto gather = dyn_cast<GatherOp>(op))
                             return foldGather<T>(gather);
                           return foldScatter<T>(cast<ScatterOp>(op));
                         });
}
