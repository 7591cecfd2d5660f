// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of nn.reduce on constants, in the order and the arithmetic of the
// compiled program.
#include "TypedElements.h"
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"

using namespace mlir;
using namespace cim;
using namespace cim::nn;

/// What a reduction starts from: its result when there is nothing to reduce.
template <typename T> static T identity(Reduction kind) {
  using Limits = std::numeric_limits<T>;
  switch (kind) {
  case Reduction::Sum:
  case Reduction::Mean:
    return T(0);
  case Reduction::Prod:
    return T(1);
  case Reduction::Max:
    return Limits::has_infinity ? T(-Limits::infinity()) : Limits::lowest();
  case Reduction::Min:
    return Limits::has_infinity ? Limits::infinity() : Limits::max();
  }
  llvm_unreachable("covered switch");
}

/// Integers wrap: computed without signs, whose overflow C++ leaves undefined.
template <typename T> static T combine(Reduction kind, T x, T y) {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, T, uint64_t>;
  switch (kind) {
  case Reduction::Sum:
  case Reduction::Mean:
    return T(Wide(x) + Wide(y));
  case Reduction::Prod:
    return T(Wide(x) * Wide(y));
  case Reduction::Max:
    return x != x || x > y ? x : y;
  case Reduction::Min:
    return x != x || x < y ? x : y;
  }
  llvm_unreachable("covered switch");
}

template <typename T> static FailureOr<ElementsAttr> reduce(ReduceOp op) {
  FailureOr<std::vector<T>> from = readTyped<T>(op.getInput());
  if (failed(from))
    return failure();
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op.getInput().getType()).getShape();
  SmallVector<int64_t> kept(shape);
  int64_t count = 1;
  for (int64_t axis : op.getAxes()) {
    count *= shape[axis];
    kept[axis] = 1;
  }
  SmallVector<int64_t> strides = rowMajorStrides(kept);
  for (int64_t axis : op.getAxes())
    strides[axis] = 0;
  std::vector<T> to(llvm::product_of(kept), identity<T>(op.getKind()));
  auto next = from->begin();
  forEachOffset(shape, 0, strides, [&](int64_t offset) {
    to[offset] = combine<T>(op.getKind(), *next++, to[offset]);
  });
  if constexpr (std::is_floating_point_v<T>)
    if (op.getKind() == Reduction::Mean)
      for (T &sum : to)
        sum /= T(count);
  return makeTyped<T>(cast<RankedTensorType>(op.getType()), to);
}

FailureOr<ElementsAttr> cim::nn::foldReduction(ReduceOp op) {
  Type element = cast<ShapedType>(op.getType()).getElementType();
  return withElementType(element, [&](auto zero) -> FailureOr<ElementsAttr> {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>)
      return failure();
    else
      return reduce<T>(op);
  });
}
