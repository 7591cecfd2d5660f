// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that change the shape or order of a tensor, not its elements.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

/// The operand under another shape of as many elements.
static LogicalResult reshapeTo(NodeBinder &b, ArrayRef<int64_t> shape) {
  return b.result(b.createReshape(b.input(0), shape));
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// Replaces 0 (the operand's extent) and -1 (what remains).
static SmallVector<int64_t> resolveTarget(NodeBinder &b,
                                          ArrayRef<int64_t> input,
                                          SmallVector<int64_t> target,
                                          bool allowZero) {
  int64_t total = 1, known = 1;
  std::optional<size_t> open;
  for (int64_t dim : input)
    total *= dim;
  std::string text = shapeText(target);
  auto fail = [&](const Twine &reason) {
    b.error() << "cannot reshape " << shapeText(input) << " to " << text << ": "
              << reason.str();
    return SmallVector<int64_t>();
  };
  for (auto [index, dim] : llvm::enumerate(target)) {
    if (dim == 0 && !allowZero) {
      if (index >= input.size())
        return fail("the 0 at " + Twine(index) + " copies no dimension");
      dim = input[index];
    }
    if (dim == -1) {
      if (open)
        return fail("-1 stands twice");
      open = index;
    } else if (dim < 0 || llvm::MulOverflow(known, dim, known)) {
      return fail("expected extents of at least -1 and a product below 2^63");
    }
  }
  if (open) {
    if (known == 0 || total % known != 0)
      return fail(Twine(total) + " elements are no multiple of " +
                  Twine(known));
    target[*open] = total / known;
  } else if (known != total) {
    return fail(Twine(total) + " elements against " + Twine(known));
  }
  return target;
}

static LogicalResult importReshape(NodeBinder &b) {
  SmallVector<int64_t> input = b.shape(0), target = b.constantInts(1, "shape");
  bool allowZero = b.getBool("allowzero", false);
  if (b.failed())
    return failure();
  // A file made for one batch writes that batch into its targets.
  if (auto change = b.importState().batchChange;
      change && !input.empty() && !target.empty() &&
      input[0] == change->second && target[0] == change->first &&
      !b.isConstant(b.input(0)))
    target[0] = change->second;
  return reshapeTo(b, resolveTarget(b, input, target, allowZero));
}

static LogicalResult importFlatten(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t rank = shape.size(), axis = b.getInt("axis", 1);
  if (axis != rank)
    axis = b.normalizeAxis(axis, rank);
  ArrayRef<int64_t> dims = shape;
  return reshapeTo(b, {llvm::product_of(dims.take_front(axis)),
                       llvm::product_of(dims.drop_front(axis))});
}

//===----------------------------------------------------------------------===//
// Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

static LogicalResult squeeze(NodeBinder &b,
                             std::optional<SmallVector<int64_t>> given) {
  SmallVector<int64_t> shape = b.shape(0), kept;
  SmallVector<int64_t> axes =
      b.normalizeAxes(given.value_or(SmallVector<int64_t>()), shape.size());
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    bool drop = given ? llvm::is_contained(axes, dim) : extent == 1;
    if (drop && extent != 1)
      return b.error() << "expected extent 1 of dimension " << dim
                       << " to remove it, but got " << shapeText(shape);
    if (!drop)
      kept.push_back(extent);
  }
  return reshapeTo(b, kept);
}

static LogicalResult importSqueezeAttributes(NodeBinder &b) {
  return squeeze(b, b.getInts("axes"));
}

static LogicalResult importSqueeze(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> axes;
  if (b.hasInput(1))
    axes = b.constantInts(1, "axes");
  return squeeze(b, axes);
}

static LogicalResult unsqueeze(NodeBinder &b, ArrayRef<int64_t> given) {
  SmallVector<int64_t> shape = b.shape(0), result;
  int64_t rank = shape.size() + given.size();
  SmallVector<int64_t> axes = b.normalizeAxes(given, rank);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> rest = shape;
  for (int64_t dim = 0; dim < rank; ++dim) {
    bool isNew = llvm::is_contained(axes, dim);
    result.push_back(isNew ? 1 : rest.front());
    rest = isNew ? rest : rest.drop_front();
  }
  return reshapeTo(b, result);
}

static LogicalResult importUnsqueezeAttributes(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> axes = b.getInts("axes");
  if (!axes)
    return b.error() << "expected the attribute 'axes'";
  return unsqueeze(b, *axes);
}

static LogicalResult importUnsqueeze(NodeBinder &b) {
  return unsqueeze(b, b.constantInts(1, "axes"));
}

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

static LogicalResult importTranspose(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  SmallVector<int64_t> reversed =
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, shape.size())));
  SmallVector<int64_t> given = b.getInts("perm").value_or(reversed);
  SmallVector<int64_t> permutation = b.normalizeAxes(given, shape.size());
  if (!b.failed() && permutation.size() != shape.size())
    b.error() << "expected a permutation of " << shape.size()
              << " dimensions, but got " << permutation.size() << " entries";
  return b.result(b.create<nn::TransposeOp>(b.input(0), permutation));
}

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

/// Both shapes broadcast, so that the target may be smaller, too.
static LogicalResult importExpand(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), target = b.constantInts(1, "shape");
  Value input = b.input(0);
  if (b.failed())
    return failure();
  std::string text = shapeText(target);
  if (target.size() < shape.size())
    target.insert(target.begin(), shape.size() - target.size(), 1);
  size_t ahead = target.size() - shape.size();
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    int64_t &wanted = target[ahead + dim];
    if (wanted == 1)
      wanted = extent;
    if (extent != 1 && wanted != extent)
      return b.error() << "shape " << shapeText(shape)
                       << " does not broadcast to " << text;
  }
  return b.result(b.createBroadcast(input, target));
}

/// Every repeated dimension gets one in front of it that is broadcast.
static LogicalResult importTile(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0),
                       repeats = b.constantInts(1, "repeats");
  Value input = b.input(0);
  if (b.failed())
    return failure();
  if (repeats.size() != shape.size())
    return b.error() << "expected " << shape.size() << " repeats, but got "
                     << repeats.size();
  SmallVector<int64_t> apart, repeated, result;
  for (auto [extent, count] : llvm::zip_equal(shape, repeats)) {
    int64_t product = 0;
    if (count < 0 || llvm::MulOverflow(extent, count, product))
      return b.error() << "expected repeats of at least 0 and a result that "
                          "fits memory, but got "
                       << count;
    if (count != 1) {
      apart.push_back(1);
      repeated.push_back(count);
    }
    apart.push_back(extent);
    repeated.push_back(extent);
    result.push_back(product);
  }
  Value broadcast = b.createBroadcast(b.createReshape(input, apart), repeated);
  return b.result(b.createReshape(broadcast, result));
}

void registerShape(HandlerTable &table) {
  table.add("Reshape", {Place::Digital, "constant target; 0, -1, allowzero"},
            {{5, importReshape}});
  table.add("Flatten", {Place::Digital, ""}, {{1, importFlatten}});
  table.add("Squeeze", {Place::Digital, "constant axes"},
            {{1, importSqueezeAttributes}, {13, importSqueeze}});
  table.add("Unsqueeze", {Place::Digital, "constant axes"},
            {{1, importUnsqueezeAttributes}, {13, importUnsqueeze}});
  table.add("Transpose", {Place::Digital, ""}, {{1, importTranspose}});
  table.add("Expand", {Place::Digital, "constant shape"}, {{8, importExpand}});
  table.add("Tile", {Place::Digital, "constant repeats"}, {{6, importTile}});
}

} // namespace cim::onnx
