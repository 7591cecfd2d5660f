// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ArgMax, ArgMin and TopK.
#include "Ranking.h"
#include "FlatIndex.h"
#include "Reduction.h"

using namespace mlir;

namespace cim::onnx {

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Numbers in the opposite order, and back.
static Value reversed(NodeBinder &b, Value x) {
  if (b.failed())
    return {};
  Type element = typeOf(x).getElementType();
  if (isa<FloatType>(element))
    return b.create<nn::NegOp>(x);
  // All bits inverted: -1 - x, also of unsigned numbers.
  Value all = b.createConstant(fromInts(dataType(element), {}, -1));
  return b.create<nn::XorOp>(x, all);
}

/// What is not less than the largest is the largest (NaN is less than
/// nothing); of its positions the smallest or largest is taken.
Value createArgMax(NodeBinder &b, Value x, int64_t axis, bool takesLast) {
  Value max = createReduce(b, nn::Reduction::Max, x, axis, true);
  Value isLess = b.create<nn::CompareOp>(x, max, nn::Predicate::Less);
  if (b.failed())
    return {};
  int64_t extent = typeOf(x).getDimSize(axis);
  Value positions = createPositions(b, extent, axis, typeOf(x).getRank());
  int64_t never = takesLast ? -1 : extent;
  Value none = b.createInts({}, never);
  Value candidates = b.create<nn::SelectOp>(isLess, none, positions);
  return createReduce(b, takesLast ? nn::Reduction::Max : nn::Reduction::Min,
                      candidates, axis, true);
}

template <bool kMin> static LogicalResult importArg(NodeBinder &b) {
  bool keepDims = b.getBool("keepdims", true),
       takesLast = b.opset() >= 12 && b.getBool("select_last_index", false);
  SmallVector<int64_t> shape = b.shape(0);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  Value x = b.numberInput(0);
  if (b.failed())
    return failure();
  Value position = createArgMax(b, kMin ? reversed(b, x) : x, axis, takesLast);
  if (keepDims)
    return b.result(position);
  shape.erase(shape.begin() + axis);
  return b.result(b.createReshape(position, shape));
}

//===----------------------------------------------------------------------===//
// TopK
//===----------------------------------------------------------------------===//

/// nn.top_k looks along the last dimension: `axis` changes places with it.
static Value swapWithLast(NodeBinder &b, Value x, int64_t axis) {
  if (b.failed())
    return {};
  SmallVector<int64_t> order =
      llvm::to_vector(llvm::seq<int64_t>(0, typeOf(x).getRank()));
  std::swap(order[axis], order.back());
  return b.create<nn::TransposeOp>(x, order);
}

static LogicalResult topK(NodeBinder &b, int64_t k, bool isLargest) {
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), b.shape(0).size());
  Value x = b.numberInput(0);
  if (b.failed())
    return failure();
  int64_t extent = typeOf(x).getDimSize(axis);
  if (k < 1 || k > extent)
    return b.error() << "expected 'k' in [1, " << extent << "], but got " << k;
  Value swapped = swapWithLast(b, isLargest ? x : reversed(b, x), axis);
  if (b.failed())
    return failure();
  // A result without elements would be a constant, without the other result.
  if (typeOf(x).getNumElements() == 0)
    return b.error() << "expected operands with elements, but got "
                     << shapeText(typeOf(x).getShape());
  // Both types are inferred.
  Value values = b.create<nn::TopKOp>(swapped.getType(), swapped, k);
  if (!values)
    return failure();
  Value indices = values.getDefiningOp<nn::TopKOp>().getIndices();
  values = swapWithLast(b, values, axis);
  if (failed(b.result(isLargest ? values : reversed(b, values))))
    return failure();
  return b.result(swapWithLast(b, indices, axis), 1);
}

static LogicalResult importTopKAttribute(NodeBinder &b) {
  return topK(b, b.getInt("k", 0), true);
}

/// Sorted, whether asked for or not.
static LogicalResult importTopK(NodeBinder &b) {
  b.ignore({"sorted"});
  bool isLargest = b.opset() < 11 || b.getBool("largest", true);
  return topK(b, b.constantInt(1, "k"), isLargest);
}

void registerRanking(HandlerTable &table) {
  const OpSummary plain{Place::Digital, ""};
  table.add("ArgMax", plain, {{1, importArg<false>}});
  table.add("ArgMin", plain, {{1, importArg<true>}});
  table.add("TopK", {Place::Digital, "constant k"},
            {{1, importTopKAttribute}, {10, importTopK}});
}

} // namespace cim::onnx
