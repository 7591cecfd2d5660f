// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Channels of activations whose unit can be chosen without changing what a
// network computes.
#include "cim/Dialect/NN/Transforms/ChannelScaling.h"
#include "MovedAxis.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace cim::nn {

static bool isFloatConstant(Value value) {
  return value.getDefiningOp<ConstantOp>() &&
         getElementTypeOrSelf(value).isF32();
}

static bool isZero(Value value) {
  FailureOr<float> scalar = readScalar(value);
  return succeeded(scalar) && *scalar == 0;
}

ChannelScaling::ChannelScaling(FunctionOpInterface function) {
  for (Block &block : function.getFunctionBody())
    for (Operation &op : block)
      visit(&op);
  for (const Layer &layer : layers)
    if (layer.input && !isWhollyFixed(*layer.input))
      allReaders.push_back({layer.op, *layer.input});
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

Channels ChannelScaling::makeChannels(int64_t dim, int64_t count) {
  Channels channels{dim, {}};
  for (int64_t i = 0; i < count; ++i) {
    channels.classes.push_back(classCount());
    parents.push_back(classCount());
    isFixed.push_back(false);
  }
  return channels;
}

int32_t ChannelScaling::leader(int32_t which) const {
  // Halving paths keeps them short.
  while (parents[which] != which)
    which = parents[which] = parents[parents[which]];
  return which;
}

void ChannelScaling::unite(int32_t a, int32_t b) {
  int32_t first = leader(a), second = leader(b);
  if (first > second)
    std::swap(first, second);
  isFixed[first] = isFixed[first] || isFixed[second];
  parents[second] = first;
}

void ChannelScaling::unite(const Channels &a, const Channels &b) {
  for (auto [first, second] : llvm::zip_equal(a.classes, b.classes))
    unite(first, second);
}

void ChannelScaling::fix(Value value) {
  auto channels = known.find(value);
  if (channels == known.end())
    return;
  for (int32_t which : channels->second.classes)
    isFixed[leader(which)] = true;
}

bool ChannelScaling::isWhollyFixed(const Channels &channels) const {
  return llvm::none_of(channels.classes,
                       [&](int32_t which) { return isFree(which); });
}

//===----------------------------------------------------------------------===//
// What ops make of channels
//===----------------------------------------------------------------------===//

void ChannelScaling::visit(Operation *op) {
  std::optional<Channels> channels = transfer(op);
  if (channels)
    known.try_emplace(op->getResult(0), std::move(*channels));
}

/// The channels of the result; none when they have to stay as they are. Fixes
/// those of operands where the op does not commute with a factor.
std::optional<Channels> ChannelScaling::transfer(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Channels>>(op)
      .Case<ConvOp, MatMulOp>([&](auto layer) {
        return visitLayer(cast<CrossbarOpInterface>(layer.getOperation()));
      })
      .Case<ReluOp, NegOp, AbsOp, MaxPoolOp, AvgPoolOp, TransposeOp, ReshapeOp,
            SliceOp, PadOp, ReduceOp>(
          [&](Operation *unary) { return visitUnary(unary); })
      .Case([&](ConcatOp concat) { return visitConcat(concat); })
      .Case<AddOp, SubOp, MaxOp, MinOp>([&](Operation *binary) {
        return visitTerms(binary->getOpOperand(0), binary->getOpOperand(1));
      })
      .Case([&](SelectOp select) {
        return visitTerms(select->getOpOperand(1), select->getOpOperand(2));
      })
      .Case<MulOp, DivOp>([&](Operation *binary) {
        return visitFactors(binary->getOpOperand(0), binary->getOpOperand(1));
      })
      .Case([&](CompareOp compare) -> std::optional<Channels> {
        // The sign of a value does not depend on its unit.
        if (!isZero(compare.getA()) && !isZero(compare.getB()))
          for (Value operand : compare->getOperands())
            fix(operand);
        return std::nullopt;
      })
      .Default([&](Operation *other) -> std::optional<Channels> {
        other->walk([&](Operation *inner) {
          for (Value operand : inner->getOperands())
            fix(operand);
        });
        return std::nullopt;
      });
}

std::optional<Channels> ChannelScaling::visitLayer(CrossbarOpInterface op) {
  Value input = op.getCrossbarInput(), weights = op.getCrossbarWeights();
  bool isConv = isa<ConvOp>(op);
  // A copy of weights that others use would take cells of its own.
  if (!isFloatConstant(weights) || !weights.hasOneUse() ||
      (!isConv && shapeOf(weights).size() != 2)) {
    for (Value operand : op->getOperands())
      fix(operand);
    return std::nullopt;
  }
  Layer layer{op, std::nullopt, {}};
  auto channels = known.find(input);
  if (channels != known.end()) {
    int64_t dim = isConv ? 1 : int64_t(shapeOf(input).size()) - 1;
    if (channels->second.dim == dim)
      layer.input = channels->second;
    else
      fix(input);
  }
  Value result = op->getResult(0);
  int64_t dim = isConv ? 1 : int64_t(shapeOf(result).size()) - 1;
  layer.result = makeChannels(dim, shapeOf(result)[dim]);
  if (Value bias = op.getCrossbarBias()) {
    // Operands of one op that are the same constant are two operands.
    OpOperand &operand = op->getOpOperand(op->getNumOperands() - 1);
    if (!isFloatConstant(bias))
      for (int32_t which : layer.result.classes)
        isFixed[which] = true;
    else
      terms.push_back({&operand, {0, layer.result.classes}, 1});
  }
  layers.push_back(layer);
  return layer.result;
}

std::optional<Channels> ChannelScaling::visitUnary(Operation *op) {
  Value input = op->getOperand(0);
  auto found = known.find(input);
  if (found == known.end())
    return std::nullopt;
  const Channels &channels = found->second;
  auto keepsZero = [&] {
    auto pad = dyn_cast<PadOp>(op);
    return !pad || pad.getValue().isZero();
  };
  auto spoils = [&] {
    auto reduce = dyn_cast<ReduceOp>(op);
    return reduce && (reduce.getKind() == Reduction::Prod ||
                      llvm::is_contained(reduce.getAxes(), channels.dim));
  };
  if (!keepsZero() || spoils() ||
      (isa<MaxPoolOp, AvgPoolOp>(op) && channels.dim > 1)) {
    fix(input);
    return std::nullopt;
  }
  if (auto reduce = dyn_cast<ReduceOp>(op); reduce && !reduce.getKeepDims()) {
    int64_t before = llvm::count_if(
        reduce.getAxes(), [&](int64_t axis) { return axis < channels.dim; });
    return Channels{channels.dim - before, channels.classes};
  }
  if (!isa<TransposeOp, ReshapeOp, SliceOp, PadOp>(op))
    return channels;
  std::optional<MovedAxis> moved = followAxis(op, channels.dim);
  if (!moved) {
    fix(input);
    return std::nullopt;
  }
  Channels result{moved->dim, {}};
  for (int64_t origin : moved->origin)
    result.classes.push_back(channels.classes[origin]);
  return result;
}

std::optional<Channels> ChannelScaling::visitConcat(ConcatOp op) {
  int64_t axis = op.getAxis();
  if (llvm::none_of(op.getInputs(),
                    [&](Value input) { return known.contains(input); }))
    return std::nullopt;
  SmallVector<Channels> parts;
  for (Value input : op.getInputs()) {
    auto found = known.find(input);
    if (found != known.end()) {
      parts.push_back(found->second);
      continue;
    }
    // Along the channels a part may be one that has to stay as it is.
    parts.push_back(makeChannels(axis, shapeOf(input)[axis]));
    for (int32_t which : parts.back().classes)
      isFixed[which] = true;
  }
  Channels result = parts.front();
  for (const Channels &part : llvm::drop_begin(parts)) {
    if (part.dim != result.dim) {
      for (Value input : op.getInputs())
        fix(input);
      return std::nullopt;
    }
    if (part.dim == axis)
      llvm::append_range(result.classes, part.classes);
    else
      unite(result, part);
  }
  return result;
}

std::optional<Channels> ChannelScaling::align(OpOperand &operand) const {
  auto found = known.find(operand.get());
  if (found == known.end())
    return std::nullopt;
  ArrayRef<int64_t> from = shapeOf(operand.get()),
                    to = shapeOf(operand.getOwner()->getResult(0));
  Channels result = found->second;
  result.dim += int64_t(to.size()) - int64_t(from.size());
  if (to[result.dim] != int64_t(result.classes.size()))
    return std::nullopt;
  return result;
}

/// Whether the constant `operand` can be divided as `channels` are.
bool ChannelScaling::addTerm(OpOperand &operand, const Channels &channels) {
  if (isZero(operand.get()))
    return true;
  if (!isFloatConstant(operand.get()))
    return false;
  int64_t rank = shapeOf(operand.getOwner()->getResult(0)).size();
  ArrayRef<int64_t> shape = shapeOf(operand.get());
  int64_t dim = channels.dim - (rank - int64_t(shape.size()));
  if (dim < 0 || shape[dim] != int64_t(channels.classes.size()))
    return false;
  terms.push_back({&operand, channels, rank});
  return true;
}

/// Sums, and whatever else is of the unit that both operands have.
std::optional<Channels> ChannelScaling::visitTerms(OpOperand &a, OpOperand &b) {
  std::optional<Channels> first = align(a), second = align(b);
  if (first && second && first->dim == second->dim) {
    unite(*first, *second);
    return first;
  }
  if (first && !known.contains(b.get()) && addTerm(b, *first))
    return first;
  if (second && !known.contains(a.get()) && addTerm(a, *second))
    return second;
  fix(a.get());
  fix(b.get());
  return std::nullopt;
}

/// Products and quotients: the channels of one operand, the other one stays.
std::optional<Channels> ChannelScaling::visitFactors(OpOperand &a,
                                                     OpOperand &b) {
  std::optional<Channels> first = align(a), second = align(b);
  bool isProduct = isa<MulOp>(a.getOwner());
  bool isFirstFree = first && !isWhollyFixed(*first);
  bool isSecondFree = isProduct && second && !isWhollyFixed(*second);
  if (isFirstFree && !isSecondFree) {
    fix(b.get());
    return first;
  }
  fix(a.get());
  if (isSecondFree)
    return second;
  fix(b.get());
  if (!isProduct)
    return std::nullopt;
  return isFloatConstant(a.get()) ? visitGain(a, b) : visitGain(b, a);
}

/// A constant per channel can be divided by anything: the gain of a
/// normalisation.
std::optional<Channels> ChannelScaling::visitGain(OpOperand &constant,
                                                  OpOperand &other) {
  ArrayRef<int64_t> shape = shapeOf(constant.get()),
                    to = shapeOf(constant.getOwner()->getResult(0));
  if (!isFloatConstant(constant.get()) || isFloatConstant(other.get()))
    return std::nullopt;
  int64_t offset = int64_t(to.size()) - int64_t(shape.size());
  std::optional<int64_t> dim;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    if (extent == 1)
      continue;
    if (dim)
      return std::nullopt;
    dim = offset + int64_t(i);
  }
  if (!dim)
    return std::nullopt;
  Channels channels = makeChannels(*dim, to[*dim]);
  terms.push_back({&constant, channels, int64_t(to.size())});
  return channels;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

LogicalResult ChannelScaling::divide(ArrayRef<double> factors) {
  for (const Layer &layer : layers)
    if (failed(divideWeights(layer, factors)))
      return failure();
  for (const Term &term : terms)
    if (failed(divideTerm(term, factors)))
      return failure();
  return success();
}

/// Replaces the constant of one operand by one with other values.
static void replace(OpOperand &operand, ArrayRef<float> values,
                    StringRef hint) {
  Operation *old = operand.get().getDefiningOp();
  OpBuilder builder(operand.getOwner());
  operand.set(createFloats(builder, operand.get().getLoc(),
                           shapeOf(operand.get()), values, hint));
  if (old->use_empty())
    old->erase();
}

LogicalResult ChannelScaling::divideWeights(const Layer &layer,
                                            ArrayRef<double> factors) {
  bool isFixedInput = !layer.input || isWhollyFixed(*layer.input);
  if (isFixedInput && isWhollyFixed(layer.result))
    return success();
  CrossbarOpInterface op = layer.op;
  Value weights = op.getCrossbarWeights();
  FailureOr<std::vector<float>> values = readFloats(weights);
  if (failed(values))
    return failure();
  ArrayRef<int64_t> shape = shapeOf(weights);
  bool isColumnFirst = op.getCrossbarChannelDim() == 0;
  int64_t columns = layer.result.classes.size();
  int64_t rows = isColumnFirst ? shape[1] : shape[0]; // channels of a group
  int64_t groups = isa<ConvOp>(op) ? cast<ConvOp>(op).getGroups() : 1;
  int64_t inner = getInnerSize(shape, 1); // positions of the kernel
  for (auto [i, value] : llvm::enumerate(*values)) {
    int64_t place = int64_t(i);
    int64_t n = isColumnFirst ? place / (rows * inner) : place % columns;
    int64_t c = isColumnFirst ? place / inner % rows : place / columns;
    double factor = 1 / factors[leader(layer.result.classes[n])];
    if (!isFixedInput) {
      int64_t group = n / (columns / groups);
      factor *= factors[leader(layer.input->classes[group * rows + c])];
    }
    value = static_cast<float>(value * factor);
  }
  for (OpOperand &operand : op->getOpOperands())
    if (operand.get() == weights) {
      replace(operand, *values, "weights");
      break;
    }
  return success();
}

LogicalResult ChannelScaling::divideTerm(const Term &term,
                                         ArrayRef<double> factors) {
  if (isWhollyFixed(term.channels))
    return success();
  Value constant = term.constant->get();
  FailureOr<std::vector<float>> values = readFloats(constant);
  if (failed(values))
    return failure();
  ArrayRef<int64_t> shape = shapeOf(constant);
  int64_t dim = term.channels.dim - (term.rank - int64_t(shape.size()));
  int64_t inner = getInnerSize(shape, dim), count = shape[dim];
  for (auto [i, value] : llvm::enumerate(*values)) {
    int32_t which = term.channels.classes[int64_t(i) / inner % count];
    value = static_cast<float>(value / factors[leader(which)]);
  }
  replace(*term.constant, *values, "scaled");
  return success();
}

} // namespace cim::nn
