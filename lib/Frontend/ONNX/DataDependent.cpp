// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators whose result has a shape that depends on numbers: those must be
// constants.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

/// The constant behind operand `index`; an error when there is none.
static HostTensor constantInput(NodeBinder &b, size_t index) {
  HostTensor constant = b.host(index);
  if (!b.failed() && !constant)
    b.error() << "the shape of its result depends on operand " << index
              << ", which is computed at run time";
  return b.failed() ? HostTensor() : constant;
}

//===----------------------------------------------------------------------===//
// NonZero, Compress
//===----------------------------------------------------------------------===//

static LogicalResult importNonZero(NodeBinder &b) {
  HostTensor constant = constantInput(b, 0);
  if (!constant)
    return failure();
  SmallVector<int64_t> positions;
  for (auto [index, value] : llvm::enumerate(toDoubles(*constant)))
    if (value != 0)
      positions.push_back(index);
  int64_t count = positions.size(), rank = constant->dims.size();
  if (failed(b.reserve({rank, count})))
    return failure();
  SmallVector<int64_t> coordinates(rank * count);
  for (auto [i, position] : llvm::enumerate(positions))
    for (int64_t dim = rank; dim-- > 0; position /= constant->dims[dim])
      coordinates[dim * count + i] = position % constant->dims[dim];
  return b.result(fromInts(DataType::Int64, {rank, count}, coordinates));
}

/// `x`, flattened without an axis, and the axis then.
static Value alongAxis(NodeBinder &b, int64_t &axis) {
  SmallVector<int64_t> shape = b.shape(0);
  Value x = b.input(0);
  axis = 0;
  if (!b.getAttribute("axis"))
    return b.createReshape(x, {llvm::product_of(shape)});
  axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  return x;
}

static LogicalResult importCompress(NodeBinder &b) {
  int64_t axis;
  Value x = alongAxis(b, axis);
  HostTensor condition = constantInput(b, 1);
  if (!condition || b.failed())
    return failure();
  int64_t extent = cast<ShapedType>(x.getType()).getDimSize(axis);
  SmallVector<int64_t> kept;
  for (auto [index, value] : llvm::enumerate(toInts(*condition)))
    if (value != 0)
      kept.push_back(index);
  if (!kept.empty() && kept.back() >= extent)
    return b.error() << "expected a condition of at most " << extent
                     << " elements, but element " << kept.back() << " is set";
  return b.result(b.create<nn::GatherOp>(
      x, b.createInts(int64_t(kept.size()), kept), axis));
}

//===----------------------------------------------------------------------===//
// Unique
//===----------------------------------------------------------------------===//

/// Integers in the order of the numbers: those of floats are their bits, with
/// the negative ones turned round.
static SmallVector<int64_t> sortKeys(const Tensor &tensor) {
  if (!isFloat(tensor.type)) {
    SmallVector<int64_t> keys = toInts(tensor);
    if (tensor.type == DataType::UInt64)
      for (int64_t &key : keys)
        key ^= INT64_MIN;
    return keys;
  }
  return llvm::map_to_vector(toDoubles(tensor), [](double value) {
    auto bits = llvm::bit_cast<int64_t>(value + 0.0); // -0 becomes 0
    return bits < 0 ? bits ^ INT64_MAX : bits;
  });
}

namespace {
/// The distinct slices of a tensor along one dimension.
struct DistinctSlices {
  SmallVector<int64_t> first;   ///< of each: where it comes first
  SmallVector<int64_t> counts;  ///< of each: how often it comes
  SmallVector<int64_t> inverse; ///< of every slice: which one it is
};
} // namespace

/// Finds them in ascending order, or in that of their first occurrences.
static DistinctSlices findDistinct(const Tensor &tensor,
                                   ArrayRef<int64_t> shape, int64_t axis,
                                   bool sorted) {
  SmallVector<int64_t> keys = sortKeys(tensor);
  int64_t extent = shape[axis],
          inner = llvm::product_of(shape.drop_front(axis + 1)),
          outer = llvm::product_of(shape.take_front(axis));
  auto compare = [&](int64_t a, int64_t b) {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        int64_t left = keys[(o * extent + a) * inner + i],
                right = keys[(o * extent + b) * inner + i];
        if (left != right)
          return left < right ? -1 : 1;
      }
    return 0;
  };
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, extent));
  llvm::sort(order, [&](int64_t a, int64_t b) {
    int less = compare(a, b);
    return less ? less < 0 : a < b;
  });
  // Runs of equal slices begin with the first of them.
  SmallVector<int64_t> firstOf(extent), firsts;
  for (auto [i, slice] : llvm::enumerate(order)) {
    if (i == 0 || compare(order[i - 1], slice) != 0)
      firsts.push_back(slice);
    firstOf[slice] = firsts.back();
  }
  if (!sorted)
    llvm::sort(firsts);
  DistinctSlices result;
  SmallVector<int64_t> number(extent);
  for (auto [i, slice] : llvm::enumerate(firsts))
    number[slice] = i;
  result.first = firsts;
  result.counts.assign(firsts.size(), 0);
  for (int64_t first : firstOf) {
    result.inverse.push_back(number[first]);
    ++result.counts[number[first]];
  }
  return result;
}

static LogicalResult importUnique(NodeBinder &b) {
  bool sorted = b.getBool("sorted", true);
  HostTensor constant = constantInput(b, 0);
  if (!constant)
    return failure();
  int64_t axis;
  Value x = alongAxis(b, axis);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> shape = cast<ShapedType>(x.getType()).getShape();
  DistinctSlices found = findDistinct(*constant, shape, axis, sorted);
  auto list = [&](ArrayRef<int64_t> values) {
    return b.createInts(int64_t(values.size()), values);
  };
  if (failed(b.result(b.create<nn::GatherOp>(x, list(found.first), axis))) ||
      failed(b.result(list(found.first), 1)) ||
      failed(b.result(list(found.inverse), 2)))
    return failure();
  return b.result(list(found.counts), 3);
}

void registerDataDependent(HandlerTable &table) {
  const OpSummary constant{Place::Folded, "constant operand"};
  table.add("NonZero", constant, {{9, importNonZero}});
  table.add("Compress", {Place::Digital, "constant condition"},
            {{9, importCompress}});
  table.add("Unique", constant, {{11, importUnique}});
}

} // namespace cim::onnx
