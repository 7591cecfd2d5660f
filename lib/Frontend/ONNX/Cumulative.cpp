// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CumSum and CumProd, by doubling: after step s every element has been combined
// with its 2^s - 1 predecessors.
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// A tensor seen along one dimension, in one of its directions.
struct Line {
  NodeBinder &b;
  int64_t axis;
  bool isReverse;

  int64_t extent(Value x) const {
    return cast<ShapedType>(x.getType()).getDimSize(axis);
  }

  /// `count` elements from `first` on.
  Value take(Value x, int64_t first, int64_t count) const {
    if (b.failed())
      return {};
    int64_t start = isReverse ? extent(x) - first - count : first;
    return sliceAlong(b, x, axis, start, count);
  }

  Value join(Value first, Value second) const {
    if (b.failed())
      return {};
    if (isReverse)
      std::swap(first, second);
    return b.create<nn::ConcatOp>(ValueRange{first, second}, axis);
  }
};
} // namespace

/// The elements moved by one; the first is `identity`.
static Value shifted(const Line &line, Value x, double identity) {
  NodeBinder &b = line.b;
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[line.axis] = 1;
  Value one = b.createScalar(type.getElementType(), identity);
  Value first = b.createBroadcast(one, shape);
  int64_t extent = line.extent(x);
  return extent == 1 ? first : line.join(first, line.take(x, 0, extent - 1));
}

template <typename OpTy, int kIdentity>
static LogicalResult importCumulative(NodeBinder &b) {
  bool isExclusive = b.getBool("exclusive", false),
       isReverse = b.getBool("reverse", false);
  int64_t axis = b.normalizeAxis(b.constantInt(1, "axis"), b.shape(0).size());
  Value x = b.numberInput(0);
  if (b.failed())
    return failure();
  Line line{b, axis, isReverse};
  if (isExclusive)
    x = shifted(line, x, kIdentity);
  for (int64_t done = 1; !b.failed() && done < line.extent(x); done *= 2) {
    int64_t rest = line.extent(x) - done;
    Value sum = b.create<OpTy>(line.take(x, done, rest), line.take(x, 0, rest));
    x = line.join(line.take(x, 0, done), sum);
  }
  return b.result(x);
}

void registerCumulative(HandlerTable &table) {
  const OpSummary summary{Place::Digital, "constant axis"};
  table.add("CumSum", summary, {{11, importCumulative<nn::AddOp, 0>}});
  table.add("CumProd", summary, {{26, importCumulative<nn::MulOp, 1>}});
}

} // namespace cim::onnx
